//! Removing.

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::plan::Change;
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;

use super::{Case, case, enqueue, fit};
use crate::scene::{Scene, until};
use crate::verdict::{Chain, Pass, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("remove/takes-all", takes_all),
    case!("remove/twice", twice),
    case!("remove/keeps-events", keeps_events),
];

/// After a whole life, the inventory is what it was before.
async fn takes_all(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let stays = scene.name("stays");
    client.deployed(&stays, "a").await?;
    let before = scene.inventory().await?;

    let name = scene.name("goes");
    client.deployed(&name, "a").await?;
    client.variant(&name).await?;
    // Its own artifact, and one that it shares with the function that stays.
    let packed = scene.package("of its own")?;
    let spec = client.spec_of(&packed, &name, "b").build()?;
    client.put_of(&packed, spec).await?;
    client.settle().await;
    client.variant(&name).await?;
    if client.caps().enqueue.is_supported() {
        let text = "delivered".to_owned();
        let logs = Command::Log { text, lines: 1 };
        client.enqueue(client.call(&name, &logs)).await?;
        enqueue::delivered(&client, &name, "delivered").await?;
    }
    let removed = client.remove(&name, Removal::default()).await?;
    ensure!(
        removed.change == Change::Removed,
        "a removal came out as {}",
        removed.change.word()
    );
    ensure!(
        removed.kept.is_empty(),
        "nothing had to stay, and these did: {}",
        removed.kept.join(", ")
    );
    let differs = before.compare_all(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "the removal did not leave what was before: {}",
        differs.join(", ")
    );
    match client.variant(&name).await {
        Ok(_) => fail!("what was removed answers"),
        Err(error) => ensure!(
            *error.kind() == ErrorKind::NotFound,
            "what was removed fails with {}",
            Chain(&error)
        ),
    }
    client.serves(&stays, "a").await?;
    Ok(Pass::Holds)
}

/// A second removal has nothing to do, and the name can be used again.
async fn twice(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("twice");
    client.deployed(&name, "a").await?;
    client.remove(&name, Removal::default()).await?;
    let from = client.script().count();
    let again = client.remove(&name, Removal::default()).await?;
    ensure!(
        again.change == Change::Absent && again.steps.is_empty(),
        "a second removal came out as {}",
        again.change.word()
    );
    ensure!(
        client.writes_since(from).is_empty(),
        "a second removal wrote something"
    );
    let anew = client.deployed(&name, "b").await?;
    ensure!(
        anew.change == Change::Created,
        "after a removal a deploy came out as {}",
        anew.change.word()
    );
    client.serves(&name, "b").await?;
    client.gone(&name).await?;
    Ok(Pass::Holds)
}

/// Events that were given up outlive the function unless they are purged.
async fn keeps_events(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("events");
    let before = scene.inventory().await?;
    let spec = client.spec(&name, "a").delivery(client.delivery(1));
    client.put(spec.build()?).await?;
    client.settle().await;
    let fails = Command::Fail {
        kind: "Asked".to_owned(),
        message: "as asked".to_owned(),
    };
    let from = client.script().count();
    let accepted = match client.enqueue(client.call(&name, &fails)).await {
        Ok(accepted) => accepted,
        Err(error) if !client.caps().enqueue.is_supported() => {
            fit::refusal(&client, &error, from)?;
            return Ok(Pass::Refused);
        }
        Err(error) => return Err(error.into()),
    };
    until("an event to be given up", async || {
        Ok(client.status(&name).await?.events.dead == 1)
    })
    .await?;
    let removed = client.remove(&name, Removal::default()).await?;
    ensure!(
        removed.change == Change::Removed && !removed.kept.is_empty(),
        "a removal beside a dead letter came out as {} and names as kept: {:?}",
        removed.change.word(),
        removed.kept
    );
    let mut letters = client.dead_letters(&name).await?;
    let letter = match letters.next().await {
        Some(letter) => letter?,
        None => fail!("the dead letter did not outlive its function"),
    };
    ensure!(
        letter.id == accepted.id,
        "{} was accepted and {} was kept",
        accepted.id,
        letter.id
    );
    drop(letters);
    client.remove(&name, Removal::default().purge(true)).await?;
    let differs = before.compare_all(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "purging did not leave what was before: {}",
        differs.join(", ")
    );
    Ok(Pass::Holds)
}
