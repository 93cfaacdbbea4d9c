use std::time::Duration;

use anyport_core::ErrorKind;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::http::Headers;
use serde_json::{Value, json};

use super::*;
use crate::wire::{logs, sqs};

fn body<O: Operate>(operation: &O) -> Value {
    serde_json::from_slice(&Request::of(operation).body).unwrap()
}

fn answer(status: u16, body: &'static str) -> Answer {
    Answer {
        status,
        headers: Headers::new(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

#[test]
fn requests_are_as_the_models_say() {
    let receive = sqs::ReceiveMessage {
        queue_url: "http://q",
        max_number_of_messages: 10,
        visibility_timeout: 60,
        wait_time_seconds: 1,
        message_system_attribute_names: &["SentTimestamp"],
    };
    let request = Request::of(&receive);
    assert_eq!(request.target, "AmazonSQS.ReceiveMessage");
    assert_eq!(request.content_type, "application/x-amz-json-1.0");
    assert_eq!(
        body(&receive),
        json!({"QueueUrl": "http://q", "MaxNumberOfMessages": 10, "VisibilityTimeout": 60, "WaitTimeSeconds": 1,
               "MessageSystemAttributeNames": ["SentTimestamp"]})
    );
    let create = sqs::CreateQueue {
        queue_name: "q",
        attributes: [("MessageRetentionPeriod", "1209600".to_owned())].into(),
        tags: [("owner".to_owned(), "shop/dev".to_owned())].into(),
    };
    assert_eq!(
        body(&create),
        json!({"QueueName": "q", "Attributes": {"MessageRetentionPeriod": "1209600"}, "tags": {"owner": "shop/dev"}})
    );
    let filter = logs::FilterLogEvents {
        log_group_name: "/aws/lambda/f",
        start_time: Some(5),
        next_token: Some("n".to_owned()),
        ..logs::FilterLogEvents::default()
    };
    let request = Request::of(&filter);
    assert_eq!(request.target, "Logs_20140328.FilterLogEvents");
    assert_eq!(request.content_type, "application/x-amz-json-1.1");
    assert_eq!(
        body(&filter),
        json!({"logGroupName": "/aws/lambda/f", "startTime": 5, "nextToken": "n"})
    );
}

#[test]
fn answers_are_read_and_errors_are_lifted() {
    type Find<'a> = sqs::GetQueueUrl<'a>;
    let read = |answer: Answer| answer.read::<Find<'_>>("find the queue", Effect::Read);
    let found = read(answer(200, r#"{"QueueUrl":"http://q","New":1}"#)).unwrap();
    assert_eq!(found.queue_url, "http://q");

    let missing = read(answer(
        400,
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#,
    ))
    .unwrap_err();
    assert_eq!(missing.kind(), &ErrorKind::NotFound);
    assert_eq!(missing.code(), Some("QueueDoesNotExist"));
    assert_eq!(
        missing.to_string(),
        "cannot find the queue: not found: The specified queue does not exist (lambda says QueueDoesNotExist)"
    );

    let garbled = read(answer(200, "<html>secret")).unwrap_err();
    assert_eq!(garbled.kind(), &ErrorKind::Unavailable);
    assert!(!format!("{garbled:?}").contains("secret"));

    let effect = Effect::Write { repeatable: true };
    answer(200, "")
        .read::<sqs::DeleteQueue<'_>>("delete the queue", effect)
        .unwrap();
    let broken = answer(503, "")
        .read::<sqs::DeleteQueue<'_>>("delete the queue", effect)
        .unwrap_err();
    assert!(broken.user_code_may_have_run());
}

#[test]
fn depth_counts_what_is_received_as_well() {
    let attributes = [
        ("ApproximateNumberOfMessages".to_owned(), "2".to_owned()),
        (
            "ApproximateNumberOfMessagesNotVisible".to_owned(),
            "3".to_owned(),
        ),
    ]
    .into();
    let depth = sqs::Depth::read(&attributes);
    assert_eq!((depth.visible, depth.hidden, depth.total()), (2, 3, 5));
}

fn sdk(client: StaticReplayClient) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKIDEXAMPLE",
            "secret",
            Some("session".to_owned()),
            None,
            "test",
        )))
        .timeout_config(
            TimeoutConfig::builder()
                .read_timeout(Duration::from_secs(5))
                .build(),
        )
        .http_client(client)
        .build()
}

#[tokio::test]
async fn what_is_sent_is_signed_for_the_service() {
    let replies = ["{\"QueueUrl\":\"http://q\"}", "{\"logGroups\":[]}"];
    let client = StaticReplayClient::new(
        replies
            .map(|reply| {
                ReplayEvent::new(
                    http::Request::builder().body(SdkBody::empty()).unwrap(),
                    http::Response::builder()
                        .status(200)
                        .body(SdkBody::from(reply))
                        .unwrap(),
                )
            })
            .into(),
    );
    let wire = Wire::new(&sdk(client.clone()), "eu-west-1");
    let queue = sqs::GetQueueUrl { queue_name: "q" };
    let found = wire.send("find the queue", Effect::Read, &queue).await;
    assert_eq!(found.unwrap().queue_url, "http://q");
    let groups = logs::DescribeLogGroups {
        log_group_name_prefix: "/aws/lambda/f",
    };
    let found = wire.send("look for", Effect::Read, &groups).await.unwrap();
    assert!(found.log_groups.is_empty());

    let sent: Vec<_> = client.actual_requests().collect();
    for (request, service) in sent.iter().zip(["sqs", "logs"]) {
        let header = |name: &str| request.headers().get(name).unwrap_or_default();
        assert_eq!(
            request.uri(),
            format!("https://{service}.eu-west-1.amazonaws.com/")
        );
        assert_eq!(request.method(), "POST");
        let signed = header("authorization");
        assert!(
            signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
            "{signed}"
        );
        assert!(
            signed.contains(&format!("/eu-west-1/{service}/aws4_request")),
            "{signed}"
        );
        assert!(signed.contains("x-amz-target"), "{signed}");
        assert_eq!(header("x-amz-security-token"), "session");
        assert!(!header("x-amz-date").is_empty());
        assert_eq!(
            header("content-length"),
            request.body().bytes().unwrap().len().to_string()
        );
    }
}

#[tokio::test]
async fn without_an_answer_the_error_says_whether_anything_was_sent() {
    let mut builder = sdk(StaticReplayClient::new(Vec::new())).into_builder();
    builder.set_http_client(None);
    // Port 1 of loopback: nobody listens there.
    let sdk = builder.endpoint_url("http://127.0.0.1:1").build();
    let wire = Wire::new(&sdk, "eu-west-1");
    let effect = Effect::Write { repeatable: false };
    let request = sqs::DeleteQueue { queue_url: "q" };
    let error = wire
        .send("delete the queue", effect, &request)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Unavailable);
    assert!(!error.user_code_may_have_run(), "{error:?}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        error.to_string().contains("no connection could be made"),
        "{error}: {source}"
    );
    assert!(!error.to_string().contains(&source), "{error}: {source}");
}
