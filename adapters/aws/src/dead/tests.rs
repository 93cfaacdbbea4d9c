use anyport_core::ErrorKind;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Scripted, hello, reply, scripted};

const URL: &str = "{\"QueueUrl\":\"http://q/anyport-hello-dead\"}";

fn depth(visible: u32) -> String {
    json!({"Attributes": {"ApproximateNumberOfMessages": visible.to_string(), "ApproximateNumberOfMessagesNotVisible": "0"}})
        .to_string()
}

fn messages(sent: &[u64]) -> String {
    let messages: Vec<Value> = sent
        .iter()
        .map(|sent| {
            let record = json!({
                "requestContext": {"requestId": format!("r-{sent}"), "condition": "RetriesExhausted", "approximateInvokeCount": 2},
                "requestPayload": {"n": sent},
            });
            json!({"MessageId": format!("m-{sent}"), "ReceiptHandle": format!("h-{sent}"), "Body": record.to_string(),
                   "Attributes": {"SentTimestamp": sent.to_string()}})
        })
        .collect();
    json!({ "Messages": messages }).to_string()
}

async fn ids(aws: &Scripted) -> Result<Vec<String>> {
    let letters = letters(&aws.session, &aws.cx, &hello()).await?;
    letters.map_ok(|letter| letter.id).try_collect().await
}

#[tokio::test]
async fn letters_are_read_in_order_and_shown_again() {
    let aws = scripted([
        reply(200, URL),
        reply(200, depth(3)),
        reply(200, messages(&[3, 1])),
        reply(200, messages(&[2, 1])),
        reply(200, "{}"),
        reply(200, "{\"Successful\":[],\"Failed\":[]}"),
    ])
    .await;
    assert_eq!(ids(&aws).await.unwrap(), ["r-1", "r-2", "r-3"]);
    let sent = aws.operations();
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "GetQueueUrl",
            "GetQueueAttributes",
            "ReceiveMessage",
            "ReceiveMessage",
            "ReceiveMessage",
            "ChangeMessageVisibilityBatch"
        ]
    );
    assert_eq!(sent[0].1, json!({"QueueName": "anyport-hello-dead"}));
    // Where messages are expected the request waits for them; where all were seen it does not.
    let waits: Vec<&Value> = sent[2..5]
        .iter()
        .map(|(_, json)| &json["WaitTimeSeconds"])
        .collect();
    assert_eq!(waits, [&json!(1), &json!(1), &json!(0)]);
    let shown: Vec<&Value> = sent[5].1["Entries"].as_array().unwrap().iter().collect();
    assert_eq!(shown.len(), 4);
    assert_eq!(
        shown[0],
        &json!({"Id": "0", "ReceiptHandle": "h-3", "VisibilityTimeout": 0})
    );
}

#[tokio::test]
async fn an_empty_queue_is_asked_once_and_nothing_is_shown_again() {
    let aws = scripted([
        reply(200, URL),
        reply(200, depth(0)),
        reply(200, "{\"Messages\":[]}"),
    ])
    .await;
    assert!(ids(&aws).await.unwrap().is_empty());
    assert_eq!(aws.sent().len(), 3);
}

#[tokio::test]
async fn without_a_queue_the_function_is_looked_for() {
    let no_queue = || {
        reply(
            400,
            "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"x\"}",
        )
    };
    let there = reply(200, "{\"FunctionName\":\"hello\"}");
    let aws = scripted([no_queue(), there]).await;
    assert!(ids(&aws).await.unwrap().is_empty());

    let missing = reply(404, "{}").header("x-amzn-errortype", "ResourceNotFoundException");
    let aws = scripted([no_queue(), missing]).await;
    let error = ids(&aws).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
}

#[tokio::test]
async fn what_was_received_is_shown_again_also_when_reading_fails() {
    let denied = reply(
        403,
        "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}",
    );
    let aws = scripted([
        reply(200, URL),
        reply(200, depth(2)),
        reply(200, messages(&[1])),
        denied,
        reply(200, "{\"Successful\":[],\"Failed\":[]}"),
    ])
    .await;
    let error = ids(&aws).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Forbidden);
    assert_eq!(aws.operations()[4].0, "ChangeMessageVisibilityBatch");
}
