//! Files as several writers leave them.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::TryStreamExt as _;

use super::*;

fn write(dir: &Path, file: &str, lines: &[(u64, &str)]) {
    let text: String = lines
        .iter()
        .map(|(t, text)| format!("{{\"t\":{t},\"v\":\"1\",\"i\":\"a\",\"m\":\"{text}\"}}\n"))
        .collect();
    std::fs::write(dir.join(file), text).unwrap();
}

fn query() -> LogQuery {
    LogQuery::new("hello".parse().unwrap())
}

async fn texts(dir: &Path, query: LogQuery) -> Vec<String> {
    let lines: Vec<LogLine> = read(dir.to_owned(), None, query)
        .try_collect()
        .await
        .unwrap();
    lines.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn lines_come_oldest_first_over_all_files_and_what_is_no_line_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "00000000000000000010-a.jsonl",
        &[(1, "a"), (3, "c"), (2, "b")],
    );
    write(
        dir.path(),
        "00000000000000000020-b.jsonl",
        &[(5, "e"), (4, "d")],
    );
    write(dir.path(), CURRENT, &[(6, "f")]);
    std::fs::write(
        dir.path().join("00000000000000000015-x.jsonl"),
        "not json\n\n{\"t\":1}\n",
    )
    .unwrap();
    let current = dir.path().join(CURRENT);
    let mut text = std::fs::read_to_string(&current).unwrap();
    text.push_str("{\"t\":7,\"v\":\"1\",\"i\":\"a\",\"m\":\"half");
    std::fs::write(&current, text).unwrap();
    assert_eq!(
        texts(dir.path(), query()).await,
        ["a", "b", "c", "d", "e", "f"]
    );
    let mut newest = query();
    newest.tail = Some(2);
    assert_eq!(texts(dir.path(), newest).await, ["e", "f"]);
    let mut since = query();
    since.since = Some(UNIX_EPOCH + Duration::from_micros(4));
    assert_eq!(texts(dir.path(), since).await, ["d", "e", "f"]);
    let missing = dir.path().join("missing");
    assert_eq!(texts(&missing, query()).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_several_writers_write_while_files_are_closed_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let line = |number: usize| anyport_line(number);
    let one = Arc::new(super::super::writer::FunctionLog::new(logs.clone()));
    let two = Arc::new(super::super::writer::FunctionLog::new(logs.clone()));
    let mut follow = query();
    follow.follow = true;
    std::fs::create_dir(&logs).unwrap();
    let mut lines = read(logs.clone(), None, follow);
    let writers = [one, two].into_iter().enumerate().map(|(writer, log)| {
        std::thread::spawn(move || {
            for number in 0..1_500 {
                log.write_text(&line(writer * 10_000 + number));
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 3_000 {
        let next = tokio::time::timeout(Duration::from_secs(60), lines.try_next());
        let line = next.await.unwrap().unwrap().unwrap();
        let number = line.text.trim_start_matches('x').to_owned();
        assert!(seen.insert(number), "twice");
    }
    for writer in writers {
        writer.join().unwrap();
    }
    // Above one file's size: files were closed meanwhile.
    assert!(!closed(&logs).unwrap().is_empty());
}

#[tokio::test]
async fn lines_that_were_kept_long_enough_are_not_shown_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let now = super::super::line::micros(std::time::SystemTime::now());
    let hours = |ago: u64| now - ago * 60 * 60 * 1_000_000;
    write(
        dir.path(),
        CURRENT,
        &[(hours(60), "old"), (hours(30), "older than a day")],
    );
    let kept = |days| read(dir.path().to_owned(), Some(days), query()).try_collect::<Vec<_>>();
    assert_eq!(kept(1).await.unwrap().len(), 0);
    assert_eq!(kept(2).await.unwrap().len(), 1);
    // The file is closed, and goes when its last line has been kept long enough.
    let log = super::super::writer::FunctionLog::new(dir.path().to_owned());
    log.retain(Some(2));
    let files = closed(dir.path()).unwrap();
    assert_eq!((files.len(), dir.path().join(CURRENT).exists()), (1, false));
    let file = File::options().write(true).open(&files[0]).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_micros(hours(49)))
        .unwrap();
    log.tidy();
    assert_eq!(closed(dir.path()).unwrap().len(), 0);
}

fn anyport_line(number: usize) -> String {
    format!("{}{number}", "x".repeat(2_000))
}
