//! Asynchronous calls, dead letters and logs.

use std::time::Duration;

use anyport_client::Target;
use anyport_core::call::{Call, DeadLetter, LogLine, LogQuery};
use anyport_core::context::TraceContext;
use anyport_core::spec::Delivery;
use anyport_testkit::probe::Command;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::support::{Cloud, ask, name, packed, put, spec};

/// Waits until something holds; fails the test when it does not within a minute.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = std::time::Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn letters(target: &Target, of: &str) -> Vec<DeadLetter> {
    let letters = target.dead_letters(&name(of)).await.unwrap();
    letters.try_collect().await.unwrap()
}

async fn lines(target: &Target, query: LogQuery) -> Vec<LogLine> {
    let lines = target.logs(query).await.unwrap();
    lines.try_collect().await.unwrap()
}

fn says(text: &str) -> Command {
    Command::Log {
        text: text.to_owned(),
        lines: 1,
    }
}

#[tokio::test]
async fn an_event_is_delivered_with_its_key_and_trace() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "events", "a").await;
    let mut call = Call::new(name("events"), says("delivered").to_payload());
    call.idempotency_key = Some("k-1".to_owned());
    call.trace = TraceContext::new([7; 16], [3; 8], true).ok();
    let accepted = target.enqueue(call).await.unwrap();
    assert!(accepted.dead_letter.contains("anyport-events-dead"));
    let mut query = LogQuery::new(name("events"));
    query.request_id = Some(accepted.id.clone());
    until("the event is delivered", async || {
        let lines = lines(&target, query.clone()).await;
        lines.iter().any(|line| line.text == "delivered 0")
    })
    .await;
    assert!(letters(&target, "events").await.is_empty());
}

#[tokio::test]
async fn what_is_given_up_is_kept_as_it_was_and_reading_takes_nothing_away() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let packed = packed("");
    let spec = spec("dead", &packed, "a")
        .delivery(Delivery {
            attempts: 2,
            ..Delivery::default()
        })
        .build()
        .unwrap();
    target.deploy(spec, packed.content).await.unwrap();
    let payload = Command::Fail {
        kind: "Asked".to_owned(),
        message: "as asked".to_owned(),
    }
    .to_payload();
    let mut ids = Vec::new();
    for (number, content_type) in ["application/json", "application/vnd.probe+json"]
        .into_iter()
        .enumerate()
    {
        let mut call = Call::new(name("dead"), payload.clone());
        call.content_type = content_type.to_owned();
        ids.push(target.enqueue(call).await.unwrap().id);
        until("the event is given up", async || {
            letters(&target, "dead").await.len() > number
        })
        .await;
    }
    // Twice: what was read is there again.
    for _ in 0..2 {
        let letters = letters(&target, "dead").await;
        let seen: Vec<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
        assert_eq!(seen, ids);
        assert_eq!(letters[1].content_type, "application/vnd.probe+json");
        for letter in &letters {
            assert_eq!(letter.body, payload);
            assert_eq!(letter.attempts, 2);
            assert!(letter.reason.contains("as asked"), "{}", letter.reason);
        }
    }
}

#[tokio::test]
async fn lines_are_found_by_invocation_version_age_and_number() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "logs", "a").await;
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let reply = target
            .invoke(Call::new(name("logs"), says(text).to_payload()))
            .await
            .unwrap();
        ids.push(reply.request_id);
    }
    put(&target, "logs", "b").await;
    ask(&target, "logs", &says("three")).await.unwrap();
    let query = || LogQuery::new(name("logs"));
    until("all lines are there", async || {
        lines(&target, query()).await.len() >= 3
    })
    .await;
    let texts =
        |lines: Vec<LogLine>| -> Vec<String> { lines.into_iter().map(|line| line.text).collect() };
    let all = lines(&target, query()).await;
    assert_eq!(all[0].request_id.as_deref(), Some(ids[0].as_str()));
    assert_eq!(all[2].version.as_ref().unwrap().as_str(), "2");
    assert_eq!(texts(all), ["one 0", "two 0", "three 0"]);

    let mut one = query();
    one.request_id = Some(ids[1].clone());
    assert_eq!(texts(lines(&target, one).await), ["two 0"]);
    let mut first = query();
    first.version = Some(anyport_core::plan::VersionId::new("1"));
    assert_eq!(texts(lines(&target, first).await), ["one 0", "two 0"]);
    let mut tail = query();
    tail.tail = Some(2);
    assert_eq!(texts(lines(&target, tail).await), ["two 0", "three 0"]);

    let mut follow = query();
    follow.follow = true;
    follow.tail = Some(1);
    let mut following = target.logs(follow).await.unwrap();
    assert_eq!(following.next().await.unwrap().unwrap().text, "three 0");
    ask(&target, "logs", &says("four")).await.unwrap();
    assert_eq!(following.next().await.unwrap().unwrap().text, "four 0");
}
