//! Logs: complete when the call returns, by invocation, version and time, bounded, followed.

use std::time::{Duration, SystemTime};

use anyport_client::Target;
use anyport_core::call::{LogLine, LogQuery};
use anyport_core::plan::VersionId;
use anyport_testkit::probe::Command;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::support::*;

pub(crate) async fn lines(target: &Target, name: &str) -> Vec<LogLine> {
    query(target, LogQuery::new(crate::support::name(name))).await
}

async fn query(target: &Target, query: LogQuery) -> Vec<LogLine> {
    let lines = target.logs(query).await.unwrap();
    lines.try_collect().await.unwrap()
}

fn log(text: &str, lines: u32) -> Command {
    Command::Log {
        text: text.to_owned(),
        lines,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_there_when_the_call_returns_and_are_found_by_what_they_belong_to() {
    let state = State::new();
    let (target, other) = (state.open(), state.open());
    deploy(&target, probe("hello", "one")).await.unwrap();
    let first = invoke(&target, "hello", &log("first", 3)).await.unwrap();
    let between = SystemTime::now();
    deploy(&target, probe("hello", "two")).await.unwrap();
    let second = invoke(&target, "hello", &log("second", 2)).await.unwrap();

    // Another process sees them too, at once.
    let texts = |lines: Vec<LogLine>| -> Vec<String> {
        let texts = lines.into_iter().map(|line| line.text);
        texts
            .filter(|text| text.starts_with("first") || text.starts_with("second"))
            .collect()
    };
    let all = ["first 0", "first 1", "first 2", "second 0", "second 1"];
    assert_eq!(texts(lines(&other, "hello").await), all);

    let ask = || LogQuery::new(name("hello"));
    let mut by_request = ask();
    by_request.request_id = Some(first.request_id.clone());
    assert_eq!(texts(query(&target, by_request).await), all[..3]);
    let mut by_version = ask();
    by_version.version = Some(VersionId::new("2"));
    assert_eq!(texts(query(&target, by_version).await), all[3..]);
    let mut since = ask();
    since.since = Some(between);
    assert_eq!(texts(query(&target, since).await), all[3..]);
    let mut tail = ask();
    tail.request_id = Some(second.request_id.clone());
    tail.tail = Some(1);
    assert_eq!(texts(query(&target, tail).await), all[4..]);
    let all = lines(&target, "hello").await;
    let line = all.iter().find(|line| line.text == "second 1").unwrap();
    assert!(line.instance.is_some() && line.version == Some(VersionId::new("2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_log_sends_what_comes_and_ends_with_the_function() {
    let state = State::new();
    let (target, other) = (state.open(), state.open());
    deploy(&target, probe("hello", "one")).await.unwrap();
    invoke(&target, "hello", &log("before", 1)).await.unwrap();
    let mut follow = LogQuery::new(name("hello"));
    follow.follow = true;
    let mut lines = other.logs(follow).await.unwrap();
    let mut next = async || {
        loop {
            let wait = tokio::time::timeout(Duration::from_secs(30), lines.next());
            match wait.await.unwrap() {
                Some(line) => {
                    let text = line.unwrap().text;
                    if text.starts_with("before") || text.starts_with("after") {
                        return Some(text);
                    }
                }
                None => return None,
            }
        }
    };
    assert_eq!(next().await.as_deref(), Some("before 0"));
    invoke(&target, "hello", &log("after", 2)).await.unwrap();
    assert_eq!(next().await.as_deref(), Some("after 0"));
    assert_eq!(next().await.as_deref(), Some("after 1"));
    remove(&target, "hello").await.unwrap();
    assert_eq!(next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_bounded_and_what_is_kept_is_the_newest() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    let text = "x".repeat(4_000);
    // About 60 MB.
    invoke(&target, "hello", &log(&text, 15_000)).await.unwrap();
    let folder = state.path().join("functions/hello/logs");
    let files = std::fs::read_dir(&folder).unwrap().flatten();
    let size: u64 = files.map(|file| file.metadata().unwrap().len()).sum();
    assert!(size < 40 << 20, "{size}");
    let lines = lines(&target, "hello").await;
    assert_eq!(lines.last().unwrap().text, format!("{text} 14999"));
    let numbers: Vec<u32> = lines
        .iter()
        .filter_map(|line| line.text.strip_prefix(&text)?.trim().parse().ok())
        .collect();
    assert!(numbers.len() > 5_000, "{}", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}
