//! Edits behind our back, and fields that are dropped.

use anyport_core::plan::{Change, State};
use anyport_core::spec::Name;
use anyport_testkit::probe::Command;

use super::{Case, case};
use crate::harness::Edit;
use crate::scene::{Client, Scene};
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("drift/shows", shows),
    case!("drift/dropped-field", dropped_field),
    case!("deploy/compares-what-is-there", compares_what_is_there),
];

fn edits(client: &Client) -> [Edit; 2] {
    let sizes = &client.caps().resources.memory_mb;
    let memory = crate::scene::fitting(sizes, 384);
    [
        Edit::Env {
            name: "GREETING".to_owned(),
            value: "edited".to_owned(),
        },
        Edit::MemoryMb(u32::try_from(memory).unwrap_or(u32::MAX)),
    ]
}

async fn edited(scene: &Scene, client: &Client, name: &Name, edit: &Edit) -> Result<(), Stop> {
    let spec = client.spec(name, "a").env("GREETING", "hello").build()?;
    client.put(spec).await?;
    scene.site().tamper(name, edit).await?;
    let seen = client.status(name).await?;
    let field = edit.field();
    let there = seen.fields.get(&field).map(|value| value.expose());
    ensure!(
        there == Some(edit.value().as_str()),
        "{field} was edited to {} and the status says {there:?}",
        edit.value()
    );
    Ok(())
}

/// An edit of what was asked is a difference in the next plan.
async fn shows(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    for (number, edit) in edits(&client).iter().enumerate() {
        let name = scene.name(&format!("edit-{number}"));
        edited(scene, &client, &name, edit).await?;
        let spec = client.spec(&name, "a").env("GREETING", "hello").build()?;
        let plan = client
            .plan(client.desired(name.clone(), State::Present(Box::new(spec))))
            .await?;
        let field = edit.field();
        ensure!(
            plan.fields.iter().any(|change| change.field == field),
            "{field} was edited, and the plan's differences are {:?}",
            plan.fields
        );
        ensure!(
            !plan.is_empty(),
            "{field} was edited, and the plan is empty"
        );
    }
    Ok(Pass::Holds)
}

/// Deploying the same spec over an edit repairs it: the mark alone does not make it unchanged.
async fn compares_what_is_there(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("repaired");
    let [edit, _] = edits(&client);
    edited(scene, &client, &name, &edit).await?;
    let spec = client.spec(&name, "a").env("GREETING", "hello").build()?;
    let outcome = client.put(spec).await?;
    client.settle().await;
    ensure!(
        outcome.change == Change::Updated,
        "a deploy over an edit came out as {}",
        outcome.change.word()
    );
    let names = vec!["GREETING".to_owned()];
    let values = client.ask(&name, &Command::Env { names }).await?;
    ensure!(
        values["GREETING"].as_str() == Some("hello"),
        "after the repair the function sees {}",
        values["GREETING"]
    );
    Ok(Pass::Holds)
}

/// What the spec no longer says goes back to its default.
async fn dropped_field(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("dropped");
    let full = client
        .spec(&name, "a")
        .env("GREETING", "hello")
        .env("SECOND", "2")
        .tag("team", "payments")
        .max_instances(2)
        .build()?;
    client.put(full).await?;
    let bare = client.spec(&name, "a").env("SECOND", "2").build()?;
    let want = bare.fields();
    let outcome = client.put(bare).await?;
    client.settle().await;
    ensure!(
        outcome.change == Change::Updated,
        "dropping fields came out as {}",
        outcome.change.word()
    );
    let names = vec!["GREETING".to_owned(), "SECOND".to_owned()];
    let values = client.ask(&name, &Command::Env { names }).await?;
    ensure!(
        values["GREETING"].is_null() && values["SECOND"].as_str() == Some("2"),
        "after GREETING was dropped the function sees {values}"
    );
    let seen = client.status(&name).await?;
    let differs = anyport_core::spec::diff(&seen.fields, &want);
    ensure!(
        differs.is_empty(),
        "what is there differs from what was asked: {}",
        differs
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    );
    Ok(Pass::Holds)
}
