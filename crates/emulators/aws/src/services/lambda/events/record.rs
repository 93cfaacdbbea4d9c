//! What destinations and dead letter queues are told.
//!
//! Source: Lambda developer guide, asynchronous invocation records; their members' order and presence
//! are those of records of the real one.

use bytes::Bytes;
use serde_json::{Value, json};

use super::deliver::Condition;
use super::queue::Event;
use crate::services::lambda::run;

/// Characters of the error in a dead letter's attribute. Source: Lambda developer guide.
const MESSAGE: usize = 1024;

/// The record of an event's end. The payloads are in it as they are, not written anew.
pub(super) fn record(event: &Event, condition: Condition, now: u64) -> String {
    let arn = event.target.qualified(event.target.or_latest()).arn();
    let context = json!({
        "requestId": event.request,
        "functionArn": arn,
        "condition": condition.name(),
        "approximateInvokeCount": event.attempts,
    });
    let mut text = format!(
        "{{\"version\":\"1.0\",\"timestamp\":\"{}\",\"requestContext\":{context},\"requestPayload\":{}",
        run::time(now),
        inserted(&event.payload)
    );
    if let Some(last) = &event.last {
        let mut context = json!({ "statusCode": last.status });
        if let Some(version) = &last.version {
            context["executedVersion"] = version.as_str().into();
            if last.failed {
                context["functionError"] = "Unhandled".into();
            }
        }
        text.push_str(&format!(",\"responseContext\":{context}"));
        if let Some(payload) = &last.payload {
            text.push_str(&format!(",\"responsePayload\":{}", inserted(payload)));
        }
    }
    text.push('}');
    text
}

/// JSON as it is, anything else as a text.
fn inserted(payload: &Bytes) -> String {
    let text = String::from_utf8_lossy(payload);
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => text.into_owned(),
        Err(_) => Value::from(text).to_string(),
    }
}

/// Code and message of an event's end, for a dead letter's attributes.
pub(super) fn error(event: &Event, condition: Condition) -> (u16, String) {
    if condition == Condition::ZeroReservedConcurrency {
        // Guessed: the wording.
        let message =
            "Function not invoked. Function is configured with zero reserved concurrent executions";
        return (429, message.to_owned());
    }
    let Some(last) = &event.last else {
        // Guessed: the wording.
        return (500, "The event exceeded its maximum age.".to_owned());
    };
    let told = last.payload.as_ref().and_then(|payload| {
        let value: Value = serde_json::from_slice(payload).ok()?;
        value["errorMessage"].as_str().map(str::to_owned)
    });
    let message = told.unwrap_or_else(|| match last.status {
        429 => "Rate Exceeded.".to_owned(),
        _ => "The function could not be invoked.".to_owned(),
    });
    (last.status, message.chars().take(MESSAGE).collect())
}

#[cfg(test)]
mod tests {
    use super::super::queue::Last;
    use super::*;
    use crate::services::lambda::names::Target;

    #[test]
    fn a_record_tells_all_and_keeps_the_payloads() {
        let target = Target::of_arn("arn:aws:lambda:us-east-1:000000000000:function:f").unwrap();
        let payload = Bytes::from_static(b"{\"n\": 1.50}");
        let mut event = Event::new("r-1", target, payload, String::new(), 0);
        event.attempts = 3;
        event.last = Some(Last {
            status: 200,
            version: Some("$LATEST".to_owned()),
            failed: true,
            payload: Some(Bytes::from_static(b"{\"errorMessage\":\"no\"}")),
        });
        let text = record(&event, Condition::RetriesExhausted, 0);
        assert!(text.contains("\"requestPayload\":{\"n\": 1.50},"), "{text}");
        let told: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "version": "1.0",
            "timestamp": "1970-01-01T00:00:00.000Z",
            "requestContext": {
                "requestId": "r-1",
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": { "n": 1.5 },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": { "errorMessage": "no" },
        });
        assert_eq!(told, expected);
        assert_eq!(
            error(&event, Condition::RetriesExhausted),
            (200, "no".to_owned())
        );
    }
}
