//! Asynchronous invocations: kept on disk, tried again, given up, and never lost.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Duration;

use anyport_client::{Removal, Target};
use anyport_core::call::{Call, DeadLetter};
use anyport_core::plan::Change;
use anyport_core::spec::{DataClass, Delivery};
use anyport_local::Config;
use anyport_testkit::probe::Command;
use futures_util::TryStreamExt as _;

use crate::child;
use crate::support::*;

fn delivery(attempts: u8, backoff_ms: u64) -> Delivery {
    Delivery {
        attempts,
        backoff: Duration::from_millis(backoff_ms),
        ..Delivery::default()
    }
}

fn fail() -> Command {
    Command::Fail {
        kind: "Lost".to_owned(),
        message: "on purpose".to_owned(),
    }
}

async fn letters(target: &Target) -> Vec<DeadLetter> {
    let letters = target.dead_letters(&name("hello")).await.unwrap();
    letters.try_collect().await.unwrap()
}

async fn waiting(target: &Target) -> u64 {
    target.status(&name("hello")).await.unwrap().events.waiting
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_handled_once_it_can_be_and_given_up_with_its_reason() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one").delivery(delivery(3, 10)))
        .await
        .unwrap();
    let log = Command::Log {
        text: "handled".to_owned(),
        lines: 1,
    };
    let good = target.enqueue(call("hello", &log)).await.unwrap();
    let bad = target.enqueue(call("hello", &fail())).await.unwrap();
    until("one dead letter", || async {
        letters(&target).await.len() == 1
    })
    .await;
    until("nothing waits", || async { waiting(&target).await == 0 }).await;
    let letter = letters(&target).await.remove(0);
    assert_eq!((letter.id.as_str(), letter.attempts), (bad.id.as_str(), 3));
    assert_eq!(letter.body, fail().to_payload());
    assert_eq!(letter.content_type, "application/json");
    assert!(
        letter.reason.contains("Lost: on purpose"),
        "{}",
        letter.reason
    );
    assert!(bad.dead_letter.ends_with(&bad.id));
    // The id is the request's, in every attempt.
    let lines = crate::logs::lines(&target, "hello").await;
    let handled: Vec<_> = lines
        .iter()
        .filter(|line| line.text == "handled 0")
        .collect();
    assert_eq!(handled.len(), 1);
    assert_eq!(handled[0].request_id.as_ref(), Some(&good.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_media_and_large_events_come_back_as_they_went() {
    let state = State::new();
    let target = state.open();
    // The code goes, so that nothing can be handled any more.
    deploy(&target, probe("hello", "one").delivery(delivery(1, 10)))
        .await
        .unwrap();
    std::fs::remove_dir_all(state.path().join("functions/hello/artifacts")).unwrap();
    let payload: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut call = Call::new(name("hello"), payload.clone());
    call.content_type = "application/x-test".to_owned();
    let cold = state.open();
    drop(target);
    cold.enqueue(call).await.unwrap();
    until("it is given up", || async {
        letters(&cold).await.len() == 1
    })
    .await;
    let letter = letters(&cold).await.remove(0);
    assert!(letter.body == payload);
    assert_eq!(letter.content_type, "application/x-test");
    assert!(
        letter.reason.contains("Artifact.Missing"),
        "{}",
        letter.reason
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_accepted_for_a_function_that_is_not_there() {
    let state = State::new();
    let target = state.open();
    let unknown = target
        .enqueue(call("hello", &Command::Who))
        .await
        .unwrap_err();
    assert_eq!(kind(&unknown), "not_found");
    deploy(&target, probe("hello", "one")).await.unwrap();
    remove(&target, "hello").await.unwrap();
    let removed = target
        .enqueue(call("hello", &Command::Who))
        .await
        .unwrap_err();
    assert_eq!(kind(&removed), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_outlive_a_removal_until_they_are_purged() {
    let state = State::new();
    let target = state.open();
    let before = state.inventory();
    let spec = || probe("hello", "one").delivery(delivery(1, 10));
    deploy(&target, spec()).await.unwrap();
    target.enqueue(call("hello", &fail())).await.unwrap();
    until("one dead letter", || async {
        letters(&target).await.len() == 1
    })
    .await;

    let removed = remove(&target, "hello").await.unwrap();
    assert_eq!(removed.change, Change::Removed);
    assert!(
        removed.kept[0].contains("1 dead letter"),
        "{:?}",
        removed.kept
    );
    let again = remove(&target, "hello").await.unwrap();
    assert_eq!(again.change, Change::Absent);
    assert_eq!(again.kept.len(), 1);
    assert_eq!(kind(&who(&target, "hello").await.unwrap_err()), "not_found");
    assert_eq!(letters(&target).await.len(), 1);
    // A function of that name finds them again.
    assert_eq!(
        deploy(&target, spec()).await.unwrap().change,
        Change::Created
    );
    assert_eq!(letters(&target).await.len(), 1);

    let purged = target
        .remove(&name("hello"), Removal::default().purge(true))
        .await
        .unwrap();
    assert_eq!(purged.change, Change::Removed);
    assert_eq!(state.inventory(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_functions_with_personal_data_say_is_not_kept() {
    let state = State::new();
    let target = state.open();
    let spec = probe("hello", "one")
        .data(DataClass::Personal)
        .delivery(delivery(1, 10));
    deploy(&target, spec).await.unwrap();
    target.enqueue(call("hello", &fail())).await.unwrap();
    until("one dead letter", || async {
        letters(&target).await.len() == 1
    })
    .await;
    assert_eq!(letters(&target).await[0].reason, "Lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_accepted_event_is_lost_when_its_sender_and_its_deliverer_are_killed() {
    let state = State::new();
    let quiet = state.open_as("app", Config::new(state.path()).deliver(false));
    deploy(&quiet, probe("hello", "one").delivery(delivery(2, 1)))
        .await
        .unwrap();
    let mut accepted = BTreeSet::new();
    for _ in 0..3 {
        let mut deliverer = child::process("deliver", &state.path()).spawn().unwrap();
        let mut sender = child::process("enqueue", &state.path()).spawn().unwrap();
        let mut reader = BufReader::new(sender.stdout.take().unwrap());
        let mut text = String::new();
        while child::answers(&text).len() < 15 {
            assert!(reader.read_line(&mut text).unwrap() > 0, "{text}");
        }
        child::kill(sender);
        reader.read_to_string(&mut text).unwrap();
        // A last line that was cut off was never accepted in words.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        accepted.extend(child::answers(whole));
        // The deliverer dies while it is at work.
        until("work has begun", || async {
            !letters(&quiet).await.is_empty()
        })
        .await;
        deliverer.kill().unwrap();
        deliverer.wait().unwrap();
    }
    assert!(accepted.len() >= 45);
    let last = state.open();
    until("nothing waits", || async { waiting(&last).await == 0 }).await;
    let letters = letters(&last).await;
    let ids: BTreeSet<String> = letters.iter().map(|letter| letter.id.clone()).collect();
    assert_eq!(accepted.difference(&ids).count(), 0);
    for letter in &letters {
        assert_eq!(letter.body, fail().to_payload());
        assert_eq!(letter.attempts, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_delivers_when_the_first_one_goes() {
    let state = State::new();
    let first = state.open();
    deploy(&first, probe("hello", "one").delivery(delivery(1, 1)))
        .await
        .unwrap();
    // The first holds the lease once it has delivered something.
    first.enqueue(call("hello", &fail())).await.unwrap();
    until("the first delivers", || async {
        letters(&first).await.len() == 1
    })
    .await;
    let second = state.open();
    second.enqueue(call("hello", &fail())).await.unwrap();
    until("the first delivers for both", || async {
        letters(&second).await.len() == 2
    })
    .await;
    drop(first);
    second.enqueue(call("hello", &fail())).await.unwrap();
    until("the second takes over", || async {
        letters(&second).await.len() == 3
    })
    .await;
}
