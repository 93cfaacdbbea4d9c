//! What this target can do, with its limits.

use std::time::Duration;

use anyport_core::capability::{
    Artifacts, Capabilities, DeliveredBy, Deploy, Enqueue, Governance, Invoke, Lock, Logs,
    Resources, Sizes, StartCheck, Support, Switch, Traffic, Versions,
};
use anyport_core::spec::Arch;

/// The largest archive in bytes.
pub(crate) const MAX_PACKED: u64 = 256 << 20;
/// The largest unpacked artifact in bytes.
pub(crate) const MAX_UNPACKED: u64 = 512 << 20;
/// The largest request payload, event and buffered reply in bytes.
pub(crate) const MAX_PAYLOAD: u64 = 32 << 20;
/// The largest streamed reply in bytes.
pub(crate) const MAX_STREAM: u64 = 1 << 30;
/// Versions without traffic that are kept for rollback.
pub(crate) const KEPT: u32 = 5;
/// Versions that may share traffic.
const WAYS: u32 = 5;
const MAX_MEMORY_MB: u64 = 32_768;
const MAX_TIMEOUT_MS: u64 = 60 * 60 * 1000;
const MAX_ENV: u64 = 64 << 10;
const MAX_CONCURRENCY: u64 = 1_000;
const MAX_RETENTION_DAYS: u64 = 3_650;

/// The capabilities of a target with these language runtimes and this cap on instances.
pub(crate) fn capabilities(runtimes: Vec<String>, max_instances: u32) -> Capabilities {
    let mut caps = Capabilities::new(
        artifacts(runtimes),
        resources(max_instances.into()),
        Deploy::new(Lock::Etag, Switch::ZeroDowntime, StartCheck::Probe),
        invoke(),
    );
    caps.enqueue = Support::Native(Enqueue::new(MAX_PAYLOAD, DeliveredBy::HoldingProcess));
    caps.versions = Support::Native(Versions::kept(KEPT));
    caps.traffic = Support::Native(Traffic::ways(WAYS));
    caps.logs = Support::Native(Logs::new(true, Duration::ZERO));
    caps.governance = governance();
    caps
}

fn artifacts(runtimes: Vec<String>) -> Artifacts {
    let mut artifacts = Artifacts::none("");
    artifacts.zip = Support::Native(());
    artifacts.http = Support::Native(());
    artifacts.bundle = Support::Native(runtimes);
    artifacts.command = Support::Native(());
    artifacts.image = Support::refused(
        "images do not run here; deploy a zip, or use a target that runs containers",
    );
    artifacts.export = Support::Native(());
    artifacts.archs = Arch::of_this_machine().into_iter().collect();
    artifacts.max_packed = MAX_PACKED;
    artifacts.max_unpacked = MAX_UNPACKED;
    artifacts.services = Support::Emulated(
        (),
        "the floor of instances is kept by each process that deployed or called the service, while it holds the target".to_owned(),
    );
    artifacts
}

fn resources(max_instances: u64) -> Resources {
    Resources::new(
        Sizes::range(16, MAX_MEMORY_MB),
        Sizes::range(1, MAX_TIMEOUT_MS),
        Sizes::range(1, MAX_CONCURRENCY),
        Sizes::range(0, max_instances),
        Sizes::range(1, max_instances),
        MAX_ENV,
    )
}

fn invoke() -> Invoke {
    let mut invoke = Invoke::new(MAX_PAYLOAD, MAX_PAYLOAD);
    invoke.streaming = Support::Native(MAX_STREAM);
    invoke.by_version = Support::Native(());
    invoke
}

fn governance() -> Governance {
    let mut governance = Governance::refused("");
    governance.identity = Support::refused(
        "functions run as the user who runs this program; leave identity out, or use a target with identities",
    );
    governance.network = Support::refused(
        "functions use this machine's network; leave network out, or use a target with networks",
    );
    governance.encryption_key = Support::refused(
        "files are encrypted as the disk is; leave encryption_key out, or use a target with keys",
    );
    governance.log_retention = Support::Native(Sizes::range(1, MAX_RETENTION_DAYS));
    governance.secrets = Support::Native(vec![crate::store::SECRET_STORE.to_owned()]);
    governance
}
