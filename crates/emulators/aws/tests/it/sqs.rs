//! Queues over HTTP, on a clock that the test moves.

use std::time::{Duration, SystemTime};

use anyport_emulator_aws::{Clock, Emulator};
use serde_json::{Value, json};

use crate::client::{Client, Reply, quick, start};

fn code(reply: &Reply) -> &str {
    reply
        .header("x-amzn-query-error")
        .split(';')
        .next()
        .unwrap()
}

async fn queue(client: &Client, name: &str, attributes: Value) -> String {
    let made = client
        .sqs(
            "CreateQueue",
            json!({ "QueueName": name, "Attributes": attributes }),
        )
        .await
        .expect(200);
    made.json()["QueueUrl"].as_str().unwrap().to_owned()
}

async fn receive(client: &Client, url: &str, more: Value) -> Vec<Value> {
    let mut input =
        json!({ "QueueUrl": url, "AttributeNames": ["All"], "MessageAttributeNames": ["All"] });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    let reply = client.sqs("ReceiveMessage", input).await.expect(200).json();
    reply["Messages"].as_array().cloned().unwrap_or_default()
}

async fn send(client: &Client, url: &str, body: &str) -> Value {
    let input = json!({ "QueueUrl": url, "MessageBody": body });
    client.sqs("SendMessage", input).await.expect(200).json()
}

/// An AWS whose time stands still, and its clock.
async fn standing() -> (Emulator, Client, Clock) {
    let clock = Clock::manual(SystemTime::now());
    let aws = Emulator::start(quick().clock(clock.clone())).await.unwrap();
    let client = Client::of(&aws);
    (aws, client, clock)
}

#[tokio::test]
async fn messages_are_hidden_while_received_and_gone_when_deleted() {
    let (aws, client, clock) = standing().await;
    let url = queue(&client, "q", json!({ "VisibilityTimeout": "30" })).await;
    let sent = send(&client, &url, "hello").await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let first = receive(&client, &url, json!({})).await;
    assert_eq!(first[0]["Body"], "hello");
    assert_eq!(first[0]["MessageId"], sent["MessageId"]);
    assert_eq!(first[0]["Attributes"]["ApproximateReceiveCount"], "1");
    assert!(receive(&client, &url, json!({})).await.is_empty());
    clock.advance(Duration::from_secs(31));
    let second = receive(&client, &url, json!({})).await;
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    let delete = |handle: &Value| json!({ "QueueUrl": url, "ReceiptHandle": handle });
    // Received again since: accepted, and without effect.
    client
        .sqs("DeleteMessage", delete(&first[0]["ReceiptHandle"]))
        .await
        .expect(200);
    clock.advance(Duration::from_secs(31));
    let third = receive(&client, &url, json!({})).await;
    client
        .sqs("DeleteMessage", delete(&third[0]["ReceiptHandle"]))
        .await
        .expect(200);
    clock.advance(Duration::from_secs(31));
    assert!(receive(&client, &url, json!({})).await.is_empty());
    let bad = client.sqs("DeleteMessage", delete(&json!("none"))).await;
    assert_eq!(code(&bad), "ReceiptHandleIsInvalid");
    aws.shutdown().await;
}

#[tokio::test]
async fn a_receiver_waits_for_what_comes_and_no_longer() {
    let (aws, client, clock) = standing().await;
    let url = queue(&client, "q", json!({})).await;
    let wait = json!({ "WaitTimeSeconds": 20 });
    // What is delayed comes when its time has come.
    let delayed = json!({ "QueueUrl": url, "MessageBody": "delayed", "DelaySeconds": 5 });
    client.sqs("SendMessage", delayed).await.expect(200);
    let advance = async {
        // The clock stands, so the receiver waits however late this is.
        clock.advance(Duration::from_secs(5));
    };
    let (received, ()) = tokio::join!(receive(&client, &url, wait.clone()), advance);
    assert_eq!(received[0]["Body"], "delayed");
    let (received, _) = tokio::join!(receive(&client, &url, wait), send(&client, &url, "sent"));
    assert_eq!(received[0]["Body"], "sent");
    aws.shutdown().await;
    // On a clock on which nobody waits, twenty seconds are over at once.
    let aws = Emulator::start(quick().clock(Clock::eager()))
        .await
        .unwrap();
    let client = Client::of(&aws);
    let url = queue(&client, "q", json!({})).await;
    assert!(
        receive(&client, &url, json!({ "WaitTimeSeconds": 20 }))
            .await
            .is_empty()
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letter_queue() {
    let (aws, client, _) = standing().await;
    let dead = queue(&client, "dead", json!({})).await;
    let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 2 }).to_string();
    let attributes = json!({ "RedrivePolicy": redrive, "VisibilityTimeout": "0" });
    let url = queue(&client, "q", attributes).await;
    send(&client, &url, "poison").await;
    for _ in 0..2 {
        assert_eq!(receive(&client, &url, json!({})).await[0]["Body"], "poison");
    }
    assert!(receive(&client, &url, json!({})).await.is_empty());
    let buried = receive(&client, &dead, json!({})).await;
    assert_eq!(buried[0]["Body"], "poison");
    assert_eq!(
        buried[0]["Attributes"]["DeadLetterQueueSourceArn"],
        "arn:aws:sqs:us-east-1:000000000000:q"
    );
    let bad =
        json!({ "deadLetterTargetArn": format!("{arn}-none"), "maxReceiveCount": 2 }).to_string();
    let bad = json!({ "QueueName": "q2", "Attributes": { "RedrivePolicy": bad } });
    let refused = client.sqs("CreateQueue", bad).await.expect(400);
    assert_eq!(code(&refused), "InvalidParameterValue");
    aws.shutdown().await;
}

#[tokio::test]
async fn attributes_come_back_with_the_digest_that_clients_verify() {
    let (aws, client, _) = standing().await;
    let url = queue(&client, "q", json!({})).await;
    let attributes = json!({
        "text": { "DataType": "String", "StringValue": "v" },
        "bytes": { "DataType": "Binary.png", "BinaryValue": "AAE=" },
    });
    let sent = client
        .sqs(
            "SendMessage",
            json!({ "QueueUrl": url, "MessageBody": "b", "MessageAttributes": attributes }),
        )
        .await
        .expect(200)
        .json();
    let received = receive(&client, &url, json!({})).await;
    assert_eq!(received[0]["MessageAttributes"], attributes);
    assert_eq!(
        received[0]["MD5OfMessageAttributes"],
        sent["MD5OfMessageAttributes"]
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn fifo_queues_keep_order_and_drop_duplicates() {
    let (aws, client, clock) = standing().await;
    let url = queue(&client, "q.fifo", json!({ "FifoQueue": "true" })).await;
    let send = async |body: &str, group: &str, id: &str| {
        let input = json!({
            "QueueUrl": url, "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": id,
        });
        client.sqs("SendMessage", input).await.expect(200).json()
    };
    let first = send("a1", "a", "1").await;
    assert_eq!(
        send("again", "a", "1").await["MessageId"],
        first["MessageId"]
    );
    send("a2", "a", "2").await;
    send("b1", "b", "3").await;
    let one = receive(&client, &url, json!({})).await;
    assert_eq!(one[0]["Body"], "a1");
    let others = receive(&client, &url, json!({ "MaxNumberOfMessages": 10 })).await;
    assert_eq!(others.len(), 1, "group a waits");
    assert_eq!(others[0]["Body"], "b1");
    let delete = json!({ "QueueUrl": url, "ReceiptHandle": one[0]["ReceiptHandle"] });
    client.sqs("DeleteMessage", delete).await.expect(200);
    assert_eq!(receive(&client, &url, json!({})).await[0]["Body"], "a2");
    clock.advance(Duration::from_secs(301));
    assert_ne!(
        send("later", "c", "1").await["MessageId"],
        first["MessageId"]
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn queues_are_made_once_and_not_again_too_soon() {
    let clock = Clock::manual(SystemTime::now());
    let mut config = quick().clock(clock.clone());
    config.delays.queue_deletion = Duration::from_secs(60);
    let aws = Emulator::start(config).await.unwrap();
    let client = Client::of(&aws);
    let url = queue(&client, "q", json!({ "DelaySeconds": "1" })).await;
    assert_eq!(
        queue(&client, "q", json!({ "DelaySeconds": "1" })).await,
        url
    );
    let create = |name: &str, attributes: Value| {
        let input = json!({ "QueueName": name, "Attributes": attributes });
        let client = client.clone();
        async move { client.sqs("CreateQueue", input).await }
    };
    let other = create("q", json!({ "DelaySeconds": "2" }))
        .await
        .expect(400);
    assert_eq!(code(&other), "QueueAlreadyExists");
    assert_eq!(other.json()["__type"], "com.amazonaws.sqs#QueueNameExists");
    assert_eq!(
        code(&create("a b", json!({})).await),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(&create("b", json!({ "DelaySeconds": "901" })).await),
        "InvalidAttributeValue"
    );
    client
        .sqs("DeleteQueue", json!({ "QueueUrl": url }))
        .await
        .expect(200);
    let gone = client.sqs("GetQueueUrl", json!({ "QueueName": "q" })).await;
    assert_eq!(code(&gone), "AWS.SimpleQueueService.NonExistentQueue");
    let soon = create("q", json!({})).await;
    assert_eq!(code(&soon), "AWS.SimpleQueueService.QueueDeletedRecently");
    clock.advance(Duration::from_secs(60));
    create("q", json!({})).await.expect(200);
    aws.shutdown().await;
}

#[tokio::test]
async fn batches_succeed_and_fail_by_entry() {
    let aws = start().await;
    let client = Client::of(&aws);
    let url = queue(&client, "q", json!({})).await;
    let entries = json!([
        { "Id": "good", "MessageBody": "x" },
        { "Id": "bad", "MessageBody": "x", "DelaySeconds": 901 },
    ]);
    let batch = |entries: Value| json!({ "QueueUrl": url, "Entries": entries });
    let sent = client
        .sqs("SendMessageBatch", batch(entries))
        .await
        .expect(200)
        .json();
    assert_eq!(sent["Successful"][0]["Id"], "good");
    assert_eq!(sent["Failed"][0]["Id"], "bad");
    assert_eq!(sent["Failed"][0]["Code"], "InvalidParameterValue");
    let one = json!({ "Id": "a", "MessageBody": "x" });
    for (entries, error) in [
        (json!([]), "AWS.SimpleQueueService.EmptyBatchRequest"),
        (
            json!([one, one]),
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        ),
        (
            json!(vec![one; 11]),
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        (
            json!([{ "Id": "a.b", "MessageBody": "x" }]),
            "AWS.SimpleQueueService.InvalidBatchEntryId",
        ),
    ] {
        let refused = client
            .sqs("SendMessageBatch", batch(entries))
            .await
            .expect(400);
        assert_eq!(code(&refused), error);
    }
    aws.shutdown().await;
}

#[tokio::test]
async fn the_query_protocol_reaches_the_same_queues() {
    let aws = start().await;
    let client = Client::of(&aws);
    let made = client
        .query("sqs", "CreateQueue", &[("QueueName", "q")])
        .await
        .expect(200);
    let url = made.element("QueueUrl").unwrap();
    let sent = client
        .query(
            "sqs",
            "SendMessage",
            &[("QueueUrl", url), ("MessageBody", "a&b")],
        )
        .await
        .expect(200);
    assert!(sent.element("MessageId").is_some());
    assert_eq!(receive(&client, url, json!({})).await[0]["Body"], "a&b");
    let gone = client
        .query("sqs", "GetQueueUrl", &[("QueueName", "none")])
        .await
        .expect(400);
    assert_eq!(
        gone.element("Code"),
        Some("AWS.SimpleQueueService.NonExistentQueue")
    );
    aws.shutdown().await;
}
