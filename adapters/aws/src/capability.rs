//! What Lambda can do, with its limits.

use anyport_core::capability::{
    Artifacts, Capabilities, DeliveredBy, Deploy, Enqueue, Governance, Invoke, Lock, Logs,
    Resources, Sizes, StartCheck, Support, Switch, Traffic, Versions,
};
use anyport_core::spec::Arch;

use crate::config::Config;

/// The largest archive in bytes. Source: Lambda developer guide says 250 MB unpacked, layers included, and no other limit through S3.
const MAX_PACKED: u64 = MAX_UNPACKED;
/// The largest unpacked artifact in bytes. Source: Lambda developer guide.
const MAX_UNPACKED: u64 = 250 << 20;
/// The largest request and buffered reply in bytes. Source: Lambda API model.
pub(crate) const MAX_PAYLOAD: u64 = 6 << 20;
/// The largest streamed reply in bytes. Source: Lambda API model.
pub(crate) const MAX_STREAM: u64 = 200 << 20;
/// The largest asynchronous event in bytes. Source: Lambda API model.
pub(crate) const MAX_EVENT: u64 = 1 << 20;
/// Versions without traffic that are kept for rollback.
pub(crate) const KEPT: u32 = 5;
/// Versions that an alias can send traffic to. Source: Lambda API model.
const WAYS: u32 = 2;
/// What all environment variables together may take, in bytes. Source: Lambda developer guide.
pub(crate) const MAX_ENV: u64 = 4096;
/// What an account may run at a time unless AWS raised it. Source: Lambda developer guide.
const MAX_INSTANCES: u64 = 1_000;
/// The most memory of an event function in MB. Source: Lambda developer guide.
const MEMORY_MB: Sizes = Sizes::range(128, 10_240);
/// Whole seconds, in milliseconds. Source: Lambda API model.
const TIMEOUT_MS: Sizes = Sizes::Range {
    min: 1_000,
    max: 900_000,
    step: 1_000,
};
/// How long log groups can keep lines, in days. Source: CloudWatch Logs API model.
const RETENTION_DAYS: [u64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];
/// The language runtimes that functions can be made with, newest last in each family. Source: Lambda API model and developer guide.
const RUNTIMES: [&str; 8] = [
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
];

/// The language runtimes of a target, as Lambda names them.
pub(crate) fn runtimes(config: &Config) -> Vec<String> {
    let default = || RUNTIMES.map(str::to_owned).to_vec();
    config.runtimes.clone().unwrap_or_else(default)
}

/// The capabilities of a target with these settings.
pub(crate) fn capabilities(config: &Config) -> Capabilities {
    let resources = Resources::new(
        MEMORY_MB,
        TIMEOUT_MS,
        Sizes::only(1),
        Sizes::only(0),
        Sizes::range(1, MAX_INSTANCES),
        MAX_ENV,
    );
    let deploy = Deploy::new(Lock::Etag, Switch::ZeroDowntime, StartCheck::None)
        .settles_within(config.settles_within);
    let mut caps = Capabilities::new(artifacts(config), resources, deploy, invoke());
    caps.enqueue = Support::Native(enqueue());
    caps.versions = Support::Native(Versions::kept(KEPT));
    caps.traffic = Support::Native(Traffic::ways(WAYS));
    caps.logs = Support::Native(Logs::new(true, config.logs_within));
    caps.governance = governance();
    caps
}

fn artifacts(config: &Config) -> Artifacts {
    let mut artifacts = Artifacts::none("");
    artifacts.zip = Support::Native(());
    // Node.js is written with and without `.x`.
    let mut names = runtimes(config);
    let short: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".x").map(str::to_owned))
        .collect();
    names.extend(short);
    artifacts.bundle = Support::Native(names);
    artifacts.http = Support::refused(
        "Lambda calls functions, not servers; let the bootstrap pull from the Lambda Runtime API, as anyport-runtime does",
    );
    artifacts.command = Support::refused(
        "Lambda calls functions, not servers; give it a zip whose bootstrap uses the Lambda Runtime API",
    );
    artifacts.image = Support::refused(
        "images are not deployed to Lambda yet; deploy a zip, or use a target that runs containers",
    );
    artifacts.export = Support::Native(());
    artifacts.archs = vec![Arch::X86_64, Arch::Arm64];
    artifacts.max_packed = MAX_PACKED;
    artifacts.max_unpacked = MAX_UNPACKED;
    artifacts.services = Support::refused(
        "Lambda keeps no floor of instances between calls; use a target that runs containers",
    );
    artifacts
}

fn invoke() -> Invoke {
    let mut invoke = Invoke::new(MAX_PAYLOAD, MAX_PAYLOAD);
    invoke.streaming = Support::Native(MAX_STREAM);
    invoke.by_version = Support::Native(());
    invoke
}

fn enqueue() -> Enqueue {
    let mut enqueue = Enqueue::new(MAX_EVENT, DeliveredBy::Platform);
    enqueue.backoff = Support::Approximated(
        (),
        "Lambda pauses one minute, then two, whatever is asked".to_owned(),
    );
    enqueue
}

fn governance() -> Governance {
    let mut governance = Governance::refused("");
    governance.identity = Support::Native(());
    governance.network = Support::Native(());
    governance.encryption_key = Support::Native(());
    governance.log_retention = Support::Native(Sizes::Steps(RETENTION_DAYS.to_vec()));
    governance.secrets = Support::refused(
        "Lambda puts no secret into an environment variable by reference; let the function read it from Secrets Manager or Parameter Store when it starts",
    );
    governance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_between_two_seconds_is_rounded_up() {
        use anyport_core::capability::Fit;
        for (want, fit) in [
            (1_000, Fit::Exact),
            (1_500, Fit::Up(2_000)),
            (900_001, Fit::Outside(900_000)),
            (10, Fit::Outside(1_000)),
        ] {
            assert_eq!(TIMEOUT_MS.fit(want), fit);
        }
    }

    #[test]
    fn node_is_known_with_and_without_its_x() {
        let caps = capabilities(&Config::default());
        let names = caps.artifacts.bundle.get().unwrap();
        for name in ["nodejs22", "nodejs22.x", "python3.13"] {
            assert!(names.iter().any(|it| it == name), "{name}");
        }
    }
}
