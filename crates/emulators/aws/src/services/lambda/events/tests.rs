//! Events of real functions on a virtual clock.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::Clock;
use crate::services::lambda::function::EventInvoke;
use crate::services::lambda::invoke;
use crate::services::lambda::invoke::tests::{ACCOUNT, REGION, Stage};

/// Fails with the event, and keeps what it was called with.
const FAILING: &str = r#"
import json
def handler(event, context):
    print("EVENT " + json.dumps([context.aws_request_id, event]))
    if "error" in event:
        raise RuntimeError(event["error"])
    return {"done": True}
"#;

async fn send(stage: &Stage, name: &str, payload: &str) -> String {
    let input = json!({ "FunctionName": name, "InvocationType": "Event" });
    let call = stage.call("Invoke", input, payload);
    let id = call.cx.request_id.clone();
    let answer = invoke::call(call).await.unwrap();
    assert_eq!(answer.status, Some(202));
    id
}

/// Waits on the machine's clock for something that surely comes.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !done().await {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "did not come: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn runs(stage: &Stage, name: &str) -> Vec<Value> {
    let group = format!("/aws/lambda/{name}");
    let known = stage.cloud().logs.inventory();
    if !known.keys().any(|key| key.ends_with(&format!(":{group}"))) {
        return Vec::new();
    }
    let log = stage.log(name).await;
    log.iter()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("EVENT ")?).ok())
        .collect()
}

fn configure(stage: &Stage, name: &str, change: impl FnOnce(&mut EventInvoke)) {
    stage
        .cloud()
        .lambda
        .functions
        .region(ACCOUNT, REGION, |region| {
            let function = region.functions.get_mut(name).unwrap();
            change(
                function
                    .event_invoke
                    .entry("$LATEST".to_owned())
                    .or_default(),
            );
        });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_retried_with_its_id_and_told_to_a_function() {
    let clock = Clock::manual(SystemTime::now());
    let stage = Stage::over(clock.clone()).await;
    if !stage.has_python() {
        return;
    }
    stage.python("f", FAILING, |_| {});
    stage.python("told", FAILING, |_| {});
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:told");
    configure(&stage, "f", |config| config.on_failure = Some(arn.clone()));
    let id = send(&stage, "f", r#"{"error":"no"}"#).await;
    let expected = json!([id, { "error": "no" }]);
    for (count, minutes) in [(1, 1), (2, 2), (3, 0)] {
        until("an attempt", async || {
            let reported = stage.cloud().lambda.events.waiting() == 0
                || stage.cloud().lambda.events.save()[0]["attempts"] == count;
            runs(&stage, "f").await.len() == count && reported
        })
        .await;
        clock.advance(Duration::from_secs(minutes * 60));
    }
    assert!(runs(&stage, "f").await.iter().all(|run| *run == expected));
    until("the record", async || runs(&stage, "told").await.len() == 1).await;
    let record = runs(&stage, "told").await.remove(0)[1].clone();
    assert_eq!(record["requestContext"]["requestId"], id);
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestPayload"], json!({ "error": "no" }));
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["responsePayload"]["errorType"], "RuntimeError");
    until("the end", async || {
        stage.cloud().lambda.events.waiting() == 0
    })
    .await;
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn successes_are_told_and_throttles_wait() {
    let clock = Clock::manual(SystemTime::now());
    let stage = Stage::over(clock.clone()).await;
    if !stage.has_python() {
        return;
    }
    stage.python("f", FAILING, |_| {});
    stage.python("told", FAILING, |_| {});
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:told");
    configure(&stage, "f", |config| {
        config.on_success = Some(arn.clone());
        config.on_failure = Some(arn.clone());
    });
    let reserve = |reserved| {
        stage
            .cloud()
            .lambda
            .functions
            .region(ACCOUNT, REGION, |region| {
                region.functions.get_mut("f").unwrap().reserved = reserved;
            });
    };
    // All of the account's concurrency is another's.
    stage
        .cloud()
        .lambda
        .functions
        .region(ACCOUNT, REGION, |region| {
            region.functions.get_mut("told").unwrap().reserved = Some(20);
        });
    send(&stage, "f", r#"{"n":1}"#).await;
    let events = &stage.cloud().lambda.events;
    until("a refusal", async || events.save()[0]["refusals"] == 1).await;
    reserve(Some(1));
    clock.advance(Duration::from_secs(1));
    until("the record", async || runs(&stage, "told").await.len() == 1).await;
    let record = runs(&stage, "told").await.remove(0)[1].clone();
    assert_eq!(record["requestContext"]["condition"], "Success");
    assert_eq!(record["responsePayload"], json!({ "done": true }));
    // Shut off: straight to the destination.
    reserve(Some(0));
    send(&stage, "f", r#"{"n":2}"#).await;
    until("the record", async || runs(&stage, "told").await.len() == 2).await;
    let record = runs(&stage, "told").await.remove(1)[1].clone();
    assert_eq!(
        record["requestContext"]["condition"],
        "ZeroReservedConcurrency"
    );
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(runs(&stage, "f").await.len(), 1);
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_old_is_given_up() {
    let clock = Clock::manual(SystemTime::now());
    let stage = Stage::over(clock.clone()).await;
    if !stage.has_python() {
        return;
    }
    stage.python("f", FAILING, |_| {});
    stage.python("told", FAILING, |_| {});
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:told");
    configure(&stage, "f", |config| {
        config.on_failure = Some(arn.clone());
        config.max_age = Some(60);
    });
    send(&stage, "f", r#"{"error":"no"}"#).await;
    // The first retry would be due in time, the second not.
    let events = &stage.cloud().lambda.events;
    until("an attempt", async || events.save()[0]["attempts"] == 1).await;
    clock.advance(Duration::from_secs(60));
    until("the record", async || runs(&stage, "told").await.len() == 1).await;
    let record = runs(&stage, "told").await.remove(0)[1].clone();
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    stage.aws.shutdown().await;
}
