use anyport_core::ErrorKind;
use anyport_core::plan::VersionId;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::*;
use crate::testing::{ID, Reply, Scripted, hello, reply, scripted};

const FUNCTION: &str = "{\"Configuration\":{\"FunctionName\":\"hello\"}}";

/// A page of events: instance, milliseconds, text.
fn page(events: &[(&str, u64, &str)], token: Option<&str>) -> Reply {
    let events: Vec<Value> = events
        .iter()
        .map(|(instance, time, text)| {
            json!({"logStreamName": format!("2026/11/23/{instance}"), "timestamp": time, "message": format!("{text}\n"),
                   "eventId": format!("{instance}{time}{text}")})
        })
        .collect();
    let mut page = json!({ "events": events });
    if let Some(token) = token {
        page["nextToken"] = token.into();
    }
    reply(200, page.to_string())
}

fn query() -> LogQuery {
    LogQuery::new(hello())
}

async fn texts(aws: &Scripted, query: LogQuery) -> Result<Vec<String>> {
    let lines = read(&aws.session, &aws.cx, query).await?;
    lines.map_ok(|line| line.text).try_collect().await
}

fn start() -> String {
    format!("START RequestId: {ID} Version: 3")
}

fn report() -> String {
    format!("REPORT RequestId: {ID}\tDuration: 1 ms")
}

#[tokio::test]
async fn all_pages_are_read_also_after_empty_ones() {
    let aws = scripted([
        reply(200, FUNCTION),
        page(&[("[3]a", 1, &start()), ("[3]a", 2, "one")], Some("t1")),
        page(&[], Some("t2")),
        page(&[("[3]a", 3, "two"), ("[3]a", 3, &report())], None),
    ])
    .await;
    let mut since = query();
    since.since = Some(UNIX_EPOCH + Duration::from_millis(1));
    assert_eq!(texts(&aws, since).await.unwrap(), ["one", "two"]);
    let sent = aws.operations();
    assert_eq!(
        sent[1].1,
        json!({"logGroupName": "/aws/lambda/hello", "startTime": 1})
    );
    assert_eq!(sent[2].1["nextToken"], "t1");
    assert_eq!(sent[3].1["nextToken"], "t2");
}

#[tokio::test]
async fn another_group_is_used_where_the_function_names_it_and_none_is_no_error() {
    let aws = scripted([
        reply(
            200,
            "{\"Configuration\":{\"FunctionName\":\"hello\",\"LoggingConfig\":{\"LogGroup\":\"shared\",\"LogFormat\":\"JSON\"}}}",
        ),
        reply(
            400,
            "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no group\"}",
        ),
    ])
    .await;
    assert!(texts(&aws, query()).await.unwrap().is_empty());
    assert_eq!(aws.operations()[1].1["logGroupName"], "shared");

    let missing = reply(404, "{}").header("x-amzn-errortype", "ResourceNotFoundException");
    let aws = scripted([missing]).await;
    let error = texts(&aws, query()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
}

#[tokio::test]
async fn one_invocation_is_looked_for_and_read_from_its_beginning() {
    let other = "START RequestId: 11111111-b738-4e7a-8880-a18cdf61200e Version: 3";
    let aws = scripted([
        reply(200, FUNCTION),
        page(&[("[3]a", 5, &start()), ("[3]a", 6, &report())], None),
        page(
            &[
                ("[3]a", 5, "of the one before"),
                ("[3]a", 5, &start()),
                ("[3]a", 5, "mine"),
                ("[3]a", 6, &report()),
                ("[3]a", 7, other),
                ("[3]a", 7, "another's"),
            ],
            Some("more"),
        ),
    ])
    .await;
    let mut one = query();
    one.request_id = Some(ID.to_owned());
    assert_eq!(texts(&aws, one).await.unwrap(), ["mine"]);
    let sent = aws.operations();
    assert_eq!(sent[1].1["filterPattern"], format!("\"{ID}\""));
    assert_eq!(sent[2].1["logStreamNames"], json!(["2026/11/23/[3]a"]));
    assert_eq!(sent.len(), 3, "what is after the invocation is not read");

    let aws = scripted([reply(200, FUNCTION)]).await;
    let mut odd = query();
    odd.request_id = Some("\" OR x".to_owned());
    assert!(texts(&aws, odd).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_newest_lines_are_asked_for_from_the_end() {
    let aws = scripted([
        reply(200, FUNCTION),
        page(&[("[3]a", 9, "four"), ("[4]b", 8, "three")], Some("older")),
        page(
            &[("[3]a", 7, "two"), ("[3]a", 6, "one")],
            Some("older still"),
        ),
    ])
    .await;
    let mut tail = query();
    tail.tail = Some(2);
    tail.version = Some(VersionId::new("3"));
    assert_eq!(texts(&aws, tail).await.unwrap(), ["two", "four"]);
    let sent = aws.operations();
    assert_eq!(sent[1].1["startFromHead"], false);
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn one_who_answers_oldest_first_all_the_same_is_read_to_the_end() {
    let aws = scripted([
        reply(200, FUNCTION),
        page(&[("[3]a", 6, "one"), ("[3]a", 7, "two")], Some("newer")),
        page(&[("[3]a", 8, "three")], None),
    ])
    .await;
    let mut tail = query();
    tail.tail = Some(2);
    assert_eq!(texts(&aws, tail).await.unwrap(), ["two", "three"]);
}

#[tokio::test]
async fn a_follower_gets_each_line_once_and_ends_with_the_group() {
    let gone = || {
        reply(
            400,
            "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no group\"}",
        )
    };
    let aws = scripted([
        reply(200, FUNCTION),
        gone(),
        page(&[("[3]a", 20_001, "one")], None),
        page(
            &[
                ("[3]a", 20_001, "one"),
                ("[3]a", 15_000, "late"),
                ("[3]a", 20_001, "one more"),
            ],
            None,
        ),
        page(&[], None),
        gone(),
    ])
    .await;
    let mut follow = query();
    follow.follow = true;
    assert_eq!(
        texts(&aws, follow).await.unwrap(),
        ["one", "late", "one more"]
    );
    let sent = aws.operations();
    assert_eq!(sent[2].1.get("startTime"), None);
    assert_eq!(sent[3].1["startTime"], 10_001);
}

#[tokio::test]
async fn a_follower_with_a_tail_begins_after_it() {
    let aws = scripted([
        reply(200, FUNCTION),
        page(&[("[3]a", 20_000, "two"), ("[3]a", 19_000, "one")], None),
        page(&[("[3]a", 20_000, "two"), ("[3]a", 20_500, "three")], None),
        reply(400, "{\"__type\":\"ResourceNotFoundException\"}"),
    ])
    .await;
    let mut follow = query();
    follow.follow = true;
    follow.tail = Some(1);
    assert_eq!(texts(&aws, follow).await.unwrap(), ["two", "three"]);
    assert_eq!(aws.operations()[2].1["startTime"], 20_000);
}
