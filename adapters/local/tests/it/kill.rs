//! Killed at every call, before and after: what is left is named, and the next run gets to the end.

use std::path::Path;
use std::time::Duration;

use anyport_testkit::probe::Command;

use crate::child;
use crate::support::*;

/// What to do after a kill.
#[derive(Clone, Copy)]
enum Next {
    Same,
    Other,
    Remove,
}

/// Everything but the logs, which tell of what happened and differ.
fn inventory(state: &State) -> Vec<String> {
    let mut all = state.inventory();
    all.retain(|path| !path.contains("/logs"));
    all
}

/// Runs `task` with a kill around call `number`; whether it came to its end.
fn run(task: &str, when: &str, number: u32, state: &Path) -> bool {
    let mut process = child::process(&format!("{task} {when} {number}"), state);
    let output = process.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers = child::answers(&text);
    assert!(answers.is_empty() || answers == ["ok"], "{answers:?}");
    !answers.is_empty()
}

async fn converges(state: &State, next: Next, what: &str) {
    let target = state.open();
    match next {
        Next::Same | Next::Other => {
            let variant = if matches!(next, Next::Same) {
                "child"
            } else {
                "other"
            };
            deploy(&target, probe("hello", variant)).await.unwrap();
            assert_eq!(who(&target, "hello").await.unwrap(), variant, "{what}");
            let seen = target.status(&name("hello")).await.unwrap();
            assert_eq!(seen.residue, Vec::<String>::new(), "{what}");
            let artifacts = state.path().join("functions/hello/artifacts");
            // The archive and its files, once.
            assert_eq!(std::fs::read_dir(artifacts).unwrap().count(), 2, "{what}");
            remove(&target, "hello").await.unwrap();
        }
        Next::Remove => {
            remove(&target, "hello").await.unwrap();
        }
    }
}

async fn every_call(task: &str, prepare: bool) {
    let clean = State::new();
    drop(clean.open());
    let empty = inventory(&clean);
    for when in ["before", "after"] {
        let nexts = [Next::Same, Next::Other, Next::Remove];
        for (number, next) in (1..).zip(nexts.into_iter().cycle()) {
            let state = State::new();
            if prepare {
                deploy(&state.open(), probe("hello", "first"))
                    .await
                    .unwrap();
            }
            let ended = run(task, when, number, &state.path());
            let what = format!("{task}, killed {when} call {number}");
            converges(&state, next, &what).await;
            assert_eq!(inventory(&state), empty, "{what}");
            if ended {
                assert!(number > 3, "{what}");
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_deployment() {
    every_call("deploy", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change() {
    every_call("deploy", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal() {
    every_call("remove", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_of_five_processes_leave_no_process_behind() {
    let state = State::new();
    let target = state.open();
    let marker = format!("kill-test-{}", std::process::id());
    deploy(&target, probe("hello", &marker)).await.unwrap();
    drop(target);
    let mut children = Vec::new();
    for _ in 0..5 {
        children.push(child::process("invoke", &state.path()).spawn().unwrap());
    }
    until("the functions run", || async {
        carrying(&marker).len() >= 50
    })
    .await;
    for child in children {
        child::kill(child);
    }
    until("the functions are gone", || async {
        carrying(&marker).is_empty()
    })
    .await;
    let target = state.open();
    assert_eq!(who(&target, "hello").await.unwrap(), marker);
    let sleep = Command::Sleep {
        ms: 1,
        mark: String::new(),
    };
    tokio::time::timeout(Duration::from_secs(30), invoke(&target, "hello", &sleep))
        .await
        .unwrap()
        .unwrap();
}

/// The processes that have this text in their environment.
pub(crate) fn carrying(marker: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let carries = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .windows(marker.len())
            .any(|it| it == marker.as_bytes())
    };
    pids.filter(carries).collect()
}
