//! Whose something is.

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Change, Split};

use super::{Case, case};
use crate::scene::{Scene, another_owner};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("own/foreign", foreign),
    case!("own/another-owner", another),
    case!("own/adopt-and-release", adopt_and_release),
];

/// The owner that an `AlreadyExists` names.
fn taken(what: &str, result: anyport_core::Result<Outcome>) -> Result<String, Stop> {
    match result {
        Ok(outcome) => fail!(
            "to {what} what is not ours came out as {}",
            outcome.change.word()
        ),
        Err(error) => match error.kind() {
            ErrorKind::AlreadyExists { owner } => {
                ensure!(!owner.is_empty(), "to {what}: no owner is named");
                Ok(owner.clone())
            }
            _ => fail!(
                "to {what} what is not ours must be AlreadyExists, not {}",
                Chain(&error)
            ),
        },
    }
}

/// What carries no mark is left alone.
async fn foreign(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("foreign");
    scene.site().foreign(&name).await?;
    let before = scene.inventory().await?;
    let seen = client.status(&name).await?;
    ensure!(
        !seen.owned.is_by(client.owner()),
        "what carries no mark counts as ours"
    );
    taken("deploy", client.put(client.spec(&name, "a").build()?).await)?;
    for purge in [false, true] {
        let removal = Removal::default().purge(purge).force(true);
        taken("remove", client.remove(&name, removal).await)?;
    }
    taken("release", client.release(&name).await)?;
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "what is not ours was changed: {}",
        differs.join(", ")
    );
    Ok(Pass::Holds)
}

/// What carries another mark is left alone, and its owner is named.
async fn another(scene: &Scene) -> Verdict {
    let theirs = scene.client_as(another_owner(), None).await?;
    let ours = scene.client().await?;
    let name = scene.name("theirs");
    theirs.deployed(&name, "theirs").await?;
    let second = theirs.deployed(&name, "theirs-2").await?;
    let before = scene.inventory().await?;
    let mut attempts = vec![
        ("deploy", ours.put(ours.spec(&name, "ours").build()?).await),
        ("remove", ours.remove(&name, Removal::default()).await),
        (
            "purge",
            ours.remove(&name, Removal::default().purge(true).force(true))
                .await,
        ),
        ("release", ours.release(&name).await),
    ];
    if let Some(version) = second
        .version
        .filter(|_| ours.caps().versions.is_supported())
    {
        let split = Split::all_to(version);
        attempts.push(("route", ours.traffic(&name, split).await));
        attempts.push(("roll back", ours.rollback(&name, None).await));
    }
    for (what, result) in attempts {
        let owner = taken(what, result)?;
        ensure!(
            owner.contains("another"),
            "to {what}: the owner is another, and {owner:?} is named"
        );
    }
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "another owner's function was changed: {}",
        differs.join(", ")
    );
    theirs.serves(&name, "theirs-2").await?;
    Ok(Pass::Holds)
}

/// Releasing gives a function away, adopting takes it over; neither changes anything else.
async fn adopt_and_release(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("adopted");
    client.deployed(&name, "a").await?;
    let before = client.status(&name).await?;
    let released = client.release(&name).await?;
    ensure!(
        released.change == Change::Released,
        "a release came out as {}",
        released.change.word()
    );
    let after = client.status(&name).await?;
    ensure!(
        !after.owned.is_by(client.owner()),
        "what was released is still ours"
    );
    ensure!(
        after.fields == before.fields && after.split == before.split,
        "a release changed the function itself"
    );
    client.serves(&name, "a").await?;
    taken("deploy", client.put(client.spec(&name, "b").build()?).await)?;

    let theirs = scene.client_as(another_owner(), None).await?;
    let adopted = theirs.adopt(&name).await?;
    ensure!(
        adopted.change == Change::Adopted,
        "an adoption came out as {}",
        adopted.change.word()
    );
    let after = theirs.status(&name).await?;
    ensure!(
        after.owned.is_by(theirs.owner()),
        "what was adopted is not the adopter's"
    );
    ensure!(
        after.fields == before.fields && after.split == before.split,
        "an adoption changed the function itself"
    );
    theirs.serves(&name, "a").await?;
    taken("remove", client.remove(&name, Removal::default()).await)?;
    let same = theirs.put(theirs.spec(&name, "a").build()?).await?;
    ensure!(
        same.change == Change::Unchanged,
        "after an adoption the same spec came out as {}",
        same.change.word()
    );
    theirs.deployed(&name, "b").await?;
    theirs.serves(&name, "b").await?;
    Ok(Pass::Holds)
}
