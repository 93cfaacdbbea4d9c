//! The portable profile: what every product that Anyport knows can do, as if it were a target of its own.

use anyport_core::capability::{
    Artifacts, Capabilities, Deploy, Invoke, Lock, Media, Overload, Resources, Sizes, StartCheck,
    Support, Switch,
};
use anyport_core::spec::{Arch, TriggerKind};

const MIB: u64 = 1 << 20;

/// What the portable profile takes: a spec that [fits](anyport_core::capability::fit()) it deploys on every product as it is. Values between
/// its sizes are rounded up where a product has no size between.
///
/// ```
/// use anyport::capability::fit;
/// use anyport::manifest::{Manifest, portable};
///
/// let text = "schema = 1\napp = \"a\"\n[function.hello]\nsource = { bin = \"hello\" }\nmemory_mb = 9000";
/// let application = Manifest::parse(text)?.application(None)?;
/// let problem = fit(&portable(), "portable", application.functions[0].draft()).unwrap_err();
/// assert!(problem.to_string().contains("the target takes 512 MB to 4096 MB"));
/// # Ok::<(), anyport::manifest::Diagnostics>(())
/// ```
#[must_use]
pub fn portable() -> Capabilities {
    let range = |min, max| Sizes::Range { min, max, step: 1 };
    let mut artifacts =
        Artifacts::none("not every product runs this; deploy a zip with a `bootstrap`");
    artifacts.zip = Support::Native(());
    artifacts.http = Support::refused(
        "function products call functions, not servers; let the bootstrap pull from the Lambda Runtime API, as anyport-runtime does",
    );
    artifacts.bundle = Support::Native(
        ["python3.12", "python3.13", "nodejs22"]
            .map(str::to_owned)
            .into(),
    );
    artifacts.services =
        Support::refused("function products run no long-running services; declare a function");
    artifacts.archs = vec![Arch::X86_64];
    artifacts.max_packed = 50 * MIB;
    artifacts.max_unpacked = 250 * MIB;
    let resources = Resources::new(
        Sizes::Steps(vec![512, 2_048, 4_096]),
        range(1_000, 230_000),
        range(1, 1),
        range(0, 100),
        range(1, 100),
        4_096,
    );
    let mut invoke = Invoke::new(4 * MIB, 4 * MIB);
    invoke.media = Media::Json;
    invoke.overload = Overload::Queues;
    invoke.stops_code = false;
    let deploy = Deploy::new(Lock::None, Switch::Restart, StartCheck::None);
    let mut all = Capabilities::new(artifacts, resources, deploy, invoke);
    let own = |what: &str| {
        Support::refused(format!(
            "{what} is named by each product in its own way; set it where it is used"
        ))
    };
    all.governance.identity = Support::Native(());
    all.governance.network = own("a network");
    all.governance.encryption_key = own("an encryption key");
    all.governance.log_retention =
        Support::refused("not every product keeps logs for one function alone");
    all.governance.secrets = Support::refused("no store of secrets is there on every product");
    for kind in [TriggerKind::Http, TriggerKind::Schedule, TriggerKind::Queue] {
        all.triggers.insert(kind, Support::Native(()));
    }
    all
}
