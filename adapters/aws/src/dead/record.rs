//! A message of the queue as a dead letter.
//!
//! Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations": the invocation record of a failed event.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyport_core::call::DeadLetter;
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope;
use crate::error::PROVIDER;
use crate::wire::sqs::Message;

/// The attribute that says when a message was put into the queue, in milliseconds since 1970.
pub(super) const SENT: &str = "SentTimestamp";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(default)]
    timestamp: Option<String>,
    request_context: Context,
    /// As it stands in the record: parsing and writing it again would change it.
    #[serde(borrow, default)]
    request_payload: Option<&'a RawValue>,
    #[serde(default)]
    response_context: Option<Response>,
    #[serde(default)]
    response_payload: Option<Report>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    request_id: String,
    #[serde(default)]
    condition: Option<String>,
    #[serde(default)]
    approximate_invoke_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    function_error: Option<String>,
    #[serde(default)]
    status_code: Option<u16>,
}

/// What the function, or Lambda in its stead, said last. It may be anything.
#[derive(Deserialize)]
#[serde(untagged)]
enum Report {
    Error(Failure),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    #[serde(default)]
    error_type: Option<String>,
    error_message: String,
}

/// When a message was put into the queue.
pub(super) fn sent(message: &Message) -> u64 {
    let sent = message.attributes.get(SENT);
    sent.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The letter in a message.
///
/// # Errors
/// `Unavailable` for a message that is no record of Lambda: somebody else put it there.
pub(super) fn lift(message: Message) -> Result<DeadLetter> {
    let Ok(record) = serde_json::from_str::<Record<'_>>(&message.body) else {
        return Err(odd(&message, "it is no record of a failed event"));
    };
    let payload = record.request_payload.map_or("", RawValue::get);
    let opened = envelope::open(Bytes::copy_from_slice(payload.as_bytes()))
        .map_err(|_| odd(&message, "the event's envelope cannot be opened"))?;
    let reason = reason(&record);
    // The record says when it was made, which is when the event was given up; when it was accepted is not known any more.
    let at = record.timestamp.as_deref().and_then(time);
    let at = at.unwrap_or_else(|| UNIX_EPOCH + Duration::from_millis(sent(&message)));
    Ok(DeadLetter::new(
        record.request_context.request_id,
        opened.body,
        opened.content_type,
        record.request_context.approximate_invoke_count,
        reason,
        at,
    ))
}

fn time(text: &str) -> Option<SystemTime> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.into())
}

/// Why it was given up, and the last failure.
fn reason(record: &Record<'_>) -> String {
    let condition = match record.request_context.condition.as_deref() {
        Some("RetriesExhausted") => "all attempts failed",
        Some("EventAgeExceeded") => "it became too old",
        Some("ZeroReservedConcurrency") => "the function may not run: it may have no instances",
        Some(other) => other,
        None => "it was given up",
    };
    let response = record.response_context.as_ref();
    let last = match &record.response_payload {
        Some(Report::Error(failure)) => match failure.error_type.as_deref() {
            Some(kind) if !failure.error_message.contains(kind) => {
                format!("{kind}: {}", failure.error_message)
            }
            _ => failure.error_message.clone(),
        },
        _ => match response {
            Some(Response {
                function_error: Some(error),
                ..
            }) => format!("the function failed ({error})"),
            Some(Response {
                status_code: Some(status),
                ..
            }) if *status >= 400 => format!("Lambda answered {status}"),
            _ => return condition.to_owned(),
        },
    };
    format!("{condition}: {last}")
}

fn odd(message: &Message, why: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "read a dead letter")
        .on(&message.message_id)
        .because(why)
        .hint("look at the message in the queue, and remove it if it is of no use")
        .with_retry(Retry::No)
        .from_provider(PROVIDER, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message {
            message_id: "m-1".to_owned(),
            body: body.to_owned(),
            attributes: [(SENT.to_owned(), "1574000000000".to_owned())].into(),
            ..Message::default()
        }
    }

    const RECORD: &str = r#"{
        "version": "1.0",
        "timestamp": "2019-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-4e7a-8880-a18cdf61200e",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:my-function:live",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3
        },
        "requestPayload": PAYLOAD,
        "responseContext": {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Asked", "errorMessage": "as asked"}
    }"#;

    #[test]
    fn a_record_is_a_letter_with_the_event_as_it_was() {
        let odd = r#"{ "b":1,"a" : 1e400 }"#;
        let letter = lift(message(&RECORD.replace("PAYLOAD", odd))).unwrap();
        assert_eq!(letter.id, "e4b46cbf-b738-4e7a-8880-a18cdf61200e");
        assert_eq!(
            (&letter.body[..], letter.content_type.as_str()),
            (odd.as_bytes(), "application/json")
        );
        assert_eq!(letter.attempts, 3);
        assert_eq!(letter.reason, "all attempts failed: Asked: as asked");
        let at = letter.accepted_at.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(at, Duration::from_millis(1_573_755_365_568));
    }

    #[test]
    fn what_travelled_in_an_envelope_comes_out_of_it() {
        let sealed = r#"{"anyport":{"v":1,"ct":"image/png","key":"k","b64":"AP8="}}"#;
        let letter = lift(message(&RECORD.replace("PAYLOAD", sealed))).unwrap();
        assert_eq!(
            (&letter.body[..], letter.content_type.as_str()),
            (&[0, 255][..], "image/png")
        );
    }

    #[test]
    fn records_without_an_answer_still_have_a_reason() {
        let old = r#"{"requestContext":{"requestId":"r","condition":"EventAgeExceeded","approximateInvokeCount":0},"requestPayload":null}"#;
        let letter = lift(message(old)).unwrap();
        assert_eq!(letter.reason, "it became too old");
        assert_eq!(
            letter.accepted_at,
            UNIX_EPOCH + Duration::from_millis(1_574_000_000_000)
        );
        let text = RECORD.replace("PAYLOAD", "1").replace(
            r#"{"errorType": "Asked", "errorMessage": "as asked"}"#,
            "\"gone\"",
        );
        let letter = lift(message(&text)).unwrap();
        assert_eq!(
            letter.reason,
            "all attempts failed: the function failed (Unhandled)"
        );
    }

    #[test]
    fn what_others_put_there_is_named_and_not_quoted() {
        let error = lift(message("hunter2")).unwrap_err();
        assert!(error.to_string().contains("m-1"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
