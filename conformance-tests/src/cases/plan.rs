//! Planning: what writes, and on what base.

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::call::LogQuery;
use anyport_core::plan::{Desired, State};
use anyport_core::provider::Scope;
use anyport_core::spec::Name;
use futures_util::StreamExt as _;

use super::{Case, case};
use crate::scene::{Client, Scene};
use crate::seam::Disturbance;
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, ensure_matches};

pub(super) const CASES: &[Case] = &[
    case!("plan/writes-belong-to-steps", writes_belong_to_steps),
    case!("plan/no-write-past-the-seam", no_write_past_the_seam),
    case!("plan/reads-only", reads_only),
    case!("plan/stale-base", stale_base),
    case!("plan/stale-absence", stale_absence),
];

/// What is asked to deploy the probe as `variant`, with another artifact for every salt.
fn asked(
    scene: &Scene,
    client: &Client,
    name: &Name,
    variant: &str,
    salt: &str,
) -> Result<Desired, Stop> {
    let packed = scene.package(salt)?;
    let spec = client.spec_of(&packed, name, variant).build()?;
    let state = State::Present(Box::new(spec));
    Ok(client
        .desired(name.clone(), state)
        .with_content(packed.content))
}

/// Every write of a deploy, an update and a removal names a step of the plan that was made.
async fn writes_belong_to_steps(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("steps");
    let remove = client.desired(name.clone(), State::Absent { purge: false });
    for (what, desired) in [
        ("create", asked(scene, &client, &name, "a", "")?),
        ("update", asked(scene, &client, &name, "b", "b")?),
        ("remove", remove),
    ] {
        let plan = client.plan(desired).await?;
        let steps: Vec<u32> = plan.steps.iter().map(|step| step.number).collect();
        ensure!(!steps.is_empty(), "the plan to {what} has no step");
        let from = client.script().count();
        client.apply(plan).await?;
        let writes = client.writes_since(from);
        ensure!(
            !writes.is_empty(),
            "to {what} wrote nothing through the seam"
        );
        for write in writes {
            ensure!(
                write.step.is_some_and(|step| steps.contains(&step)),
                "to {what}, {} wrote in step {:?}; the plan's steps are {steps:?}",
                write.operation,
                write.step
            );
        }
    }
    Ok(Pass::Holds)
}

/// With every write refused at the seam, nothing changes: there is no other way to the provider.
async fn no_write_past_the_seam(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("seam");
    let unchanged = async |what: &str, before: &crate::harness::Inventory| {
        let differs = before.compare(&scene.inventory().await?);
        ensure!(
            differs.is_empty(),
            "to {what} changed something although every write was refused: {}",
            differs.join(", ")
        );
        Ok::<(), Stop>(())
    };

    let before = scene.inventory().await?;
    client.script().disturb(Disturbance::RefuseWrites);
    let created = client.put(client.spec(&name, "a").build()?).await;
    ensure!(created.is_err(), "a deploy succeeded without any write");
    unchanged("create", &before).await?;

    client.script().disturb(Disturbance::None);
    client.deployed(&name, "a").await?;
    let before = scene.inventory().await?;
    client.script().disturb(Disturbance::RefuseWrites);
    let updated = client.put(client.spec(&name, "b").build()?).await;
    ensure!(updated.is_err(), "an update succeeded without any write");
    unchanged("update", &before).await?;
    let removed = client.remove(&name, Removal::default()).await;
    ensure!(removed.is_err(), "a removal succeeded without any write");
    unchanged("remove", &before).await?;
    Ok(Pass::Holds)
}

/// Planning and reading leave everything as it is.
async fn reads_only(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let (name, new) = (scene.name("reads"), scene.name("reads-new"));
    client.deployed(&name, "a").await?;
    let before = scene.inventory().await?;
    let from = client.script().count();

    for desired in [
        asked(scene, &client, &new, "a", "")?,
        asked(scene, &client, &name, "b", "b")?,
        client.desired(name.clone(), State::Absent { purge: true }),
        client.desired(name.clone(), State::Release),
    ] {
        client.plan(desired).await?;
    }
    client.identify().await?;
    client.status(&name).await?;
    let mut entries = client.list(Scope::Everything);
    while let Some(entry) = entries.next().await {
        entry?;
    }
    if client.caps().versions.is_supported() {
        client.versions(&name).await?;
    }
    if client.caps().logs.is_supported() {
        let mut lines = client.logs(LogQuery::new(name.clone())).await?;
        while let Some(line) = lines.next().await {
            line?;
        }
    }
    if client.caps().enqueue.is_supported() {
        let mut letters = client.dead_letters(&name).await?;
        while let Some(letter) = letters.next().await {
            letter?;
        }
    }

    let writes = client.writes_since(from);
    ensure!(
        writes.is_empty(),
        "reading wrote: {}",
        writes
            .iter()
            .map(|write| write.operation)
            .collect::<Vec<_>>()
            .join(", ")
    );
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "reading changed something: {}",
        differs.join(", ")
    );
    Ok(Pass::Holds)
}

/// A plan whose base has changed is refused, and not one of its writes is sent.
async fn stale_base(scene: &Scene) -> Verdict {
    let (first, second) = (scene.client().await?, scene.client().await?);
    let name = scene.name("stale");
    first.deployed(&name, "a").await?;
    let plan = first.plan(asked(scene, &first, &name, "b", "b")?).await?;
    second.deployed(&name, "c").await?;
    refused(scene, &first, plan).await?;
    second.serves(&name, "c").await?;
    Ok(Pass::Holds)
}

/// A plan to create what somebody else has created meanwhile is refused.
async fn stale_absence(scene: &Scene) -> Verdict {
    let (first, second) = (scene.client().await?, scene.client().await?);
    let name = scene.name("absence");
    let plan = first.plan(asked(scene, &first, &name, "b", "b")?).await?;
    second.deployed(&name, "c").await?;
    refused(scene, &first, plan).await?;
    second.serves(&name, "c").await?;
    Ok(Pass::Holds)
}

async fn refused(
    scene: &Scene,
    client: &Client,
    plan: anyport_core::plan::Plan,
) -> Result<(), Stop> {
    let before = scene.inventory().await?;
    let from = client.script().count();
    match client.apply(plan).await {
        Ok(outcome) => {
            let change = outcome.change.word();
            return Err(Stop::Failed(format!(
                "a plan made on an older base was applied: {change}"
            )));
        }
        Err(error) => {
            ensure_matches!(
                error.kind(),
                ErrorKind::Conflict,
                format!(
                    "a plan on an older base must be Conflict, not {}",
                    Chain(&error)
                )
            );
        }
    }
    let writes = client.writes_since(from);
    ensure!(
        writes.is_empty(),
        "{} writes of a plan on an older base were sent",
        writes.len()
    );
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "a refused plan changed something: {}",
        differs.join(", ")
    );
    Ok(())
}
