//! Sending what became of an event, as the function's execution role.
//!
//! Queues and functions are served; topics, event buses and buckets are not, and what is sent to them is
//! lost, as is what the role may not send. AWS counts both in metrics.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::deliver::Condition;
use super::queue::Event;
use super::record;
use crate::answer::ApiError;
use crate::call::{Call, Service};
use crate::cloud::Cloud;
use crate::services::lambda::ids;
use crate::services::lambda::invoke::Trace;
use crate::services::lambda::names::Target;
use crate::services::lambda::run;
use crate::services::lambda::version::VersionConfig;
use crate::services::sqs;

/// Sends the record of an event's end to a destination.
pub(super) async fn record(
    cloud: &Arc<Cloud>,
    config: &VersionConfig,
    destination: &str,
    text: &str,
    trace: &str,
) {
    let sent = match destination.split(':').nth(2) {
        Some("sqs") => to_queue(cloud, config, destination, text, Map::new()).await,
        Some("lambda") => to_function(cloud, config, destination, text, trace).await,
        _ => return,
    };
    // Lost, as on AWS.
    drop(sent);
}

/// Sends the event to a dead letter queue.
pub(super) async fn dead_letter(
    cloud: &Arc<Cloud>,
    config: &VersionConfig,
    queue: &str,
    event: &Event,
    condition: Condition,
) {
    if queue.split(':').nth(2) != Some("sqs") {
        return;
    }
    let (code, message) = record::error(event, condition);
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let mut attributes = Map::new();
    attributes.insert("RequestID".to_owned(), text(&event.request));
    let code = json!({ "DataType": "Number", "StringValue": code.to_string() });
    attributes.insert("ErrorCode".to_owned(), code);
    if !message.is_empty() {
        attributes.insert("ErrorMessage".to_owned(), text(&message));
    }
    let body = String::from_utf8_lossy(&event.payload);
    // Lost, as on AWS.
    drop(to_queue(cloud, config, queue, &body, attributes).await);
}

/// `SendMessage`, as the role.
async fn to_queue(
    cloud: &Arc<Cloud>,
    config: &VersionConfig,
    queue: &str,
    body: &str,
    attributes: Map<String, Value>,
) -> Result<(), ApiError> {
    let mut parts = queue.split(':').skip(3);
    let (region, account, name) = (parts.next(), parts.next(), parts.next());
    let (Some(region), Some(account), Some(name)) = (region, account, name) else {
        return Ok(());
    };
    let mut input = Map::new();
    let url = format!("{}/{account}/{name}", cloud.endpoint);
    input.insert("QueueUrl".to_owned(), url.into());
    input.insert("MessageBody".to_owned(), body.into());
    if !attributes.is_empty() {
        input.insert("MessageAttributes".to_owned(), attributes.into());
    }
    let mut cx = run::role_cx(cloud, config);
    cx.region = region.to_owned();
    let call = Call {
        service: Service::Sqs,
        operation: "SendMessage",
        input,
        payload: Bytes::new(),
        headers: http::HeaderMap::new(),
        cx,
    };
    sqs::call(call).await.map(drop)
}

/// An asynchronous invocation, as the role.
async fn to_function(
    cloud: &Arc<Cloud>,
    config: &VersionConfig,
    arn: &str,
    text: &str,
    trace: &str,
) -> Result<(), ApiError> {
    let Some(target) = Target::of_arn(arn) else {
        return Ok(());
    };
    let resolved = cloud.lambda.functions.resolve(&target)?;
    run::role_cx(cloud, config).authorize_with(
        "lambda:InvokeFunction",
        &target.arn(),
        &[],
        resolved.policy.as_deref(),
    )?;
    let trace = Trace::parse(trace, cloud.clock.epoch_millis() / 1000);
    let payload = Bytes::from(text.to_owned());
    cloud
        .lambda
        .events
        .accept(cloud, &ids::uuid(), &target, payload, &trace)
        .await
}
