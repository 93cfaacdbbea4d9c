//! Asynchronous calls.

use anyport_core::ErrorKind;
use anyport_core::call::{Call, DeadLetter};
use anyport_core::error::Result;
use anyport_core::spec::Name;
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;

use super::{Case, case, fit};
use crate::scene::{Client, Scene, until};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("enqueue/delivers", delivers),
    case!("enqueue/unknown", unknown),
    case!("enqueue/dead-letter", dead_letter),
    case!("enqueue/survives-the-client", survives_the_client),
];

/// Verifies that asynchronous calls are refused.
async fn none(client: &Client, name: &Name) -> Verdict {
    let from = client.script().count();
    match client.enqueue(client.call(name, &Command::Who)).await {
        Ok(_) => fail!("asynchronous calls are not declared, and one was accepted"),
        Err(error) => fit::refusal(client, &error, from)?,
    }
    Ok(Pass::Refused)
}

fn logs(text: &str) -> Command {
    Command::Log {
        text: text.to_owned(),
        lines: 1,
    }
}

/// Waits until `text` is in the function's logs, where there are any, and no event waits.
pub(crate) async fn delivered(client: &Client, name: &Name, text: &str) -> Result<(), Stop> {
    until("an event to be delivered", async || {
        let logged = client.caps().logs.is_supported();
        if logged && client.lines(name, text).await?.is_empty() {
            return Ok(false);
        }
        Ok(client.status(name).await?.events.waiting == 0)
    })
    .await
}

/// An event that was accepted is delivered, with an id that nothing else has.
async fn delivers(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("delivers");
    client.deployed(&name, "a").await?;
    if !client.caps().enqueue.is_supported() {
        return none(&client, &name).await;
    }
    let mut ids = std::collections::BTreeSet::new();
    for number in 0..3 {
        let text = format!("event-{number}-{:x}", scene.seed());
        let accepted = client.enqueue(client.call(&name, &logs(&text))).await?;
        ensure!(!accepted.id.is_empty(), "an event was accepted without id");
        ensure!(
            ids.insert(accepted.id.clone()),
            "two events have the id {}",
            accepted.id
        );
        delivered(&client, &name, &text).await?;
    }
    until("the queue to be empty", async || {
        Ok(client.status(&name).await?.events.waiting == 0)
    })
    .await?;
    let dead = client.status(&name).await?.events.dead;
    ensure!(dead == 0, "{dead} delivered events are dead letters");
    Ok(Pass::Holds)
}

/// An event for a function that is not there is not accepted.
async fn unknown(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("nobody");
    if !client.caps().enqueue.is_supported() {
        return none(&client, &name).await;
    }
    let before = scene.inventory().await?;
    match client.enqueue(client.call(&name, &Command::Who)).await {
        Ok(accepted) => fail!(
            "an event for a function that is not there was accepted as {}",
            accepted.id
        ),
        Err(error) => ensure!(
            *error.kind() == ErrorKind::NotFound,
            "an event for a function that is not there must be NotFound, not {}",
            Chain(&error)
        ),
    }
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "an event that was refused left something: {}",
        differs.join(", ")
    );
    Ok(Pass::Holds)
}

async fn letters(client: &Client, name: &Name) -> Result<Vec<DeadLetter>> {
    let mut stream = client.dead_letters(name).await?;
    let mut all = Vec::new();
    while let Some(letter) = stream.next().await {
        all.push(letter?);
    }
    Ok(all)
}

/// So many attempts logged the id that the event was accepted with. Where there are no logs nothing can be seen of it.
async fn same_id_each_time(
    client: &Client,
    name: &Name,
    mark: &str,
    id: &str,
    attempts: usize,
) -> Result<(), Stop> {
    if !client.caps().logs.is_supported() {
        return Ok(());
    }
    let mut lines = Vec::new();
    until("every attempt to be in the logs", async || {
        lines = client.lines(name, mark).await?;
        Ok(lines.len() >= attempts)
    })
    .await?;
    ensure!(
        lines.len() == attempts,
        "{attempts} attempts were to be made and {} are in the logs",
        lines.len()
    );
    let other = lines.iter().find(|line| !line.contains(id));
    ensure!(
        other.is_none(),
        "the event was accepted as {id}, and an attempt of it logged {other:?}"
    );
    Ok(())
}

/// An event that keeps failing is tried as often as asked and then kept as it was.
async fn dead_letter(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("dead");
    if !client.caps().enqueue.is_supported() {
        return none(&client, &name).await;
    }
    let spec = client.spec(&name, "a").delivery(client.delivery(2));
    client.put(spec.build()?).await?;
    client.settle().await;
    let mark = format!("attempt-{:x}", scene.seed());
    let payload = Command::Stumble { mark: mark.clone() }.to_payload();
    let mut call = Call::new(name.clone(), payload.clone());
    call.content_type = "application/vnd.probe+json".to_owned();
    let accepted = client.enqueue(call).await?;
    until("an event to be given up", async || {
        Ok(!letters(&client, &name).await?.is_empty())
    })
    .await?;
    let letters = letters(&client, &name).await?;
    let [letter] = &letters[..] else {
        fail!(
            "one event was given up and there are {} dead letters",
            letters.len()
        );
    };
    ensure!(
        letter.id == accepted.id,
        "{} was accepted and {} was kept",
        accepted.id,
        letter.id
    );
    ensure!(
        letter.body == payload && letter.content_type == "application/vnd.probe+json",
        "the event was not kept as it was: {} bytes of {}",
        letter.body.len(),
        letter.content_type
    );
    ensure!(
        letter.attempts == 2,
        "2 attempts were asked and {} were made",
        letter.attempts
    );
    ensure!(!letter.reason.is_empty(), "the dead letter gives no reason");
    same_id_each_time(&client, &name, &mark, &accepted.id, 2).await?;
    let events = client.status(&name).await?.events;
    ensure!(
        events.waiting == 0 && events.dead == 1,
        "the status counts {} waiting and {} dead",
        events.waiting,
        events.dead
    );
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// Events outlive the client that left them.
async fn survives_the_client(scene: &Scene) -> Verdict {
    const EVENTS: usize = 4;
    let leaver = scene.client().await?;
    let name = scene.name("outlives");
    leaver.deployed(&name, "a").await?;
    if !leaver.caps().enqueue.is_supported() {
        return none(&leaver, &name).await;
    }
    let mut texts = Vec::new();
    for number in 0..EVENTS {
        let text = format!("outlives-{number}-{:x}", scene.seed());
        leaver.enqueue(leaver.call(&name, &logs(&text))).await?;
        texts.push(text);
    }
    drop(leaver);
    let client = scene.client().await?;
    for text in texts {
        delivered(&client, &name, &text).await?;
    }
    Ok(Pass::Holds)
}
