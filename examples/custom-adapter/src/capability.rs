//! What this target can do. Everything that is not said here is refused by
//! [`Capabilities::new`]: queues, versions, traffic, logs, secrets, networks, triggers.

use anyport_core::capability::{
    Artifacts, Capabilities, Deploy, Invoke, Lock, Resources, Sizes, StartCheck, Support, Switch,
};
use anyport_core::spec::Arch;

use crate::protocol::MAX_BODY;

/// Most instances of one function when none is asked.
pub const MAX_INSTANCES: u32 = 16;

/// The table.
#[must_use]
pub fn capabilities() -> Capabilities {
    let mut artifacts = Artifacts::none("deploy a zip with an executable bootstrap");
    artifacts.zip = Support::Native(());
    artifacts.http = Support::Native(());
    artifacts.archs = Arch::of_this_machine().into_iter().collect();
    artifacts.max_packed = 100 << 20;
    artifacts.max_unpacked = 250 << 20;

    let resources = Resources::new(
        Sizes::range(64, 8192),
        Sizes::range(100, 900_000),
        Sizes::only(1),
        Sizes::only(0),
        Sizes::range(1, MAX_INSTANCES.into()),
        64 << 10,
    );

    // A write names the revision it was planned on; the new daemon takes calls before the old one
    // leaves; the daemon starts the function once before it says that it is ready.
    let deploy = Deploy::new(Lock::Etag, Switch::ZeroDowntime, StartCheck::Platform);

    // Any media, overload rejects, code is stopped at its limit; no streaming, no call by version.
    let invoke = Invoke::new(MAX_BODY.into(), MAX_BODY.into());

    Capabilities::new(artifacts, resources, deploy, invoke)
}
