//! `Invoke` and `InvokeAsync`.

use bytes::Bytes;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::{Invocation, Trace, admit, authorize, json};
use crate::answer::{Answer, AnswerBody, ApiError};
use crate::call::Call;
use crate::services::lambda::names::Target;

/// Source: Lambda developer guide, quotas.
const SYNC_BYTES: usize = 6_291_456;
/// Source: Lambda API model, `Payload`; the number is that of the service's messages.
const ASYNC_BYTES: usize = 1_048_576;
/// Source: Lambda API model, `InvokeAsync`.
const OLD_ASYNC_BYTES: usize = 262_144;
/// Bytes of the client context in base64. Source: Lambda API model, `ClientContext`.
const CONTEXT_BYTES: usize = 3583;

/// How a function is to be invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sync,
    Event,
    DryRun,
}

/// `Invoke`.
pub(super) async fn invoke(call: Call) -> Result<Answer, ApiError> {
    let kind = match call.text("InvocationType") {
        Some("Event") => Kind::Event,
        Some("DryRun") => Kind::DryRun,
        _ => Kind::Sync,
    };
    check_size(&call.payload, kind)?;
    for member in ["DurableExecutionName", "TenantId"] {
        if call.get(member).is_some() {
            return Err(crate::services::lambda::errors::not_emulated(member));
        }
    }
    let target = target(&call)?;
    authorize(&call.cx, &target)?;
    match kind {
        Kind::Sync => sync(call, target).await,
        Kind::DryRun => {
            dry_run(&call, &target)?;
            Ok(with_status(204))
        }
        Kind::Event => {
            let payload = payload(&call.payload)?;
            event(&call, target, payload).await?;
            Ok(with_status(202))
        }
    }
}

/// `InvokeAsync`, the way before `Invoke`.
pub(super) async fn invoke_async(call: Call) -> Result<Answer, ApiError> {
    if call.payload.len() > OLD_ASYNC_BYTES {
        return Err(too_large_event(call.payload.len(), OLD_ASYNC_BYTES));
    }
    let target = target(&call)?;
    // Source: service authorization reference, `InvokeAsync`.
    call.cx
        .authorize("lambda:InvokeAsync", &target.arn(), &[])
        .or_else(|_| authorize(&call.cx, &target))?;
    let payload = payload(&call.payload)?;
    event(&call, target, payload).await?;
    let mut output = Map::new();
    output.insert("Status".to_owned(), 202.into());
    Ok(Answer::json(output.into()).status(202))
}

/// What the call is for.
pub(super) fn target(call: &Call) -> Result<Target, ApiError> {
    let name = call.text("FunctionName").unwrap_or_default();
    Target::of(&call.cx, name, call.text("Qualifier"))
}

/// Checks that the target is there and could be invoked, without doing it.
pub(super) fn dry_run(call: &Call, target: &Target) -> Result<(), ApiError> {
    payload(&call.payload)?;
    super::resolve(&call.cx.cloud, target).map(drop)
}

async fn sync(call: Call, target: Target) -> Result<Answer, ApiError> {
    let tail = call.text("LogType") == Some("Tail");
    let payload = payload(&call.payload)?;
    let client_context = client_context(&call)?;
    let cloud = &call.cx.cloud;
    let (resolved, slot) = admit(cloud, &target)?;
    let mut trace = Trace::of(&call.headers, cloud.clock.epoch_millis() / 1000);
    trace.pass(&resolved)?;
    let trace_header = trace.header();
    let invocation = Invocation {
        request: call.cx.request_id.clone(),
        payload,
        client_context,
        trace,
    };
    let done = super::run(cloud, resolved, slot, invocation).await?;
    let mut output = Map::new();
    output.insert("StatusCode".to_owned(), 200.into());
    output.insert("ExecutedVersion".to_owned(), done.version.into());
    if done.failed {
        output.insert("FunctionError".to_owned(), "Unhandled".into());
    }
    if tail {
        let log = BASE64.encode(done.log.as_bytes());
        output.insert("LogResult".to_owned(), log.into());
    }
    let mut answer = Answer::json(Value::Object(output)).payload(AnswerBody::Bytes(done.payload));
    if let Ok(value) = HeaderValue::from_str(&trace_header) {
        answer = answer.header(HeaderName::from_static("x-amzn-trace-id"), value);
    }
    Ok(answer)
}

/// Puts an event into the function's queue. It is kept before the call is answered.
async fn event(call: &Call, target: Target, payload: Bytes) -> Result<(), ApiError> {
    let cloud = &call.cx.cloud;
    super::resolve(cloud, &target)?;
    let mut trace = Trace::of(&call.headers, cloud.clock.epoch_millis() / 1000);
    if call.operation == "InvokeAsync" {
        trace = Trace::parse("", cloud.clock.epoch_millis() / 1000);
    }
    cloud
        .lambda
        .events
        .accept(cloud, &call.cx.request_id, &target, payload, &trace)
        .await
}

fn with_status(status: u16) -> Answer {
    let mut output = Map::new();
    output.insert("StatusCode".to_owned(), status.into());
    Answer::json(output.into())
        .status(status)
        .payload(AnswerBody::Empty)
}

fn check_size(payload: &Bytes, kind: Kind) -> Result<(), ApiError> {
    let size = payload.len();
    match kind {
        Kind::Event if size > ASYNC_BYTES => Err(too_large_event(size, ASYNC_BYTES)),
        Kind::Sync | Kind::DryRun if size > SYNC_BYTES => Err(too_large()),
        _ => Ok(()),
    }
}

/// The error for a payload that is too large for a synchronous invocation.
pub(super) fn too_large() -> ApiError {
    too_large_because(format!(
        "Request must be smaller than {SYNC_BYTES} bytes for the InvokeFunction operation"
    ))
}

/// Largest payload of a synchronous invocation in bytes.
pub(super) const fn sync_limit() -> usize {
    SYNC_BYTES
}

fn too_large_event(size: usize, limit: usize) -> ApiError {
    too_large_because(format!(
        "{size} byte payload is too large for the Event invocation type (limit {limit} bytes)"
    ))
}

fn too_large_because(message: String) -> ApiError {
    ApiError::new("RequestTooLargeException", message)
        .with("Type", "User")
        .status(413)
}

/// The payload as the function gets it; nothing is an empty object.
///
/// # Errors
/// It is not JSON.
pub(super) fn payload(given: &Bytes) -> Result<Bytes, ApiError> {
    if given.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    json::check(given)?;
    Ok(given.clone())
}

/// The client context as the function gets it: JSON.
///
/// # Errors
/// It is too long, not base64 or not a JSON object.
pub(super) fn client_context(call: &Call) -> Result<Option<String>, ApiError> {
    let Some(given) = call.text("ClientContext").filter(|given| !given.is_empty()) else {
        return Ok(None);
    };
    let bad = |message: &str| {
        ApiError::new("InvalidRequestContentException", message).with("Type", "User")
    };
    if given.len() > CONTEXT_BYTES {
        // Guessed: the wording.
        return Err(bad(
            "The size of the client context exceeds the limit of 3583 bytes.",
        ));
    }
    let bytes = BASE64
        .decode(given.as_bytes())
        .or_else(|_| BASE64_NOPAD.decode(given.as_bytes()))
        .or_else(|_| BASE64URL_NOPAD.decode(given.as_bytes()));
    let text = bytes
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| matches!(serde_json::from_str(text), Ok(Value::Object(_))));
    let text =
        text.ok_or_else(|| bad("Client context must be a valid Base64-encoded JSON object."))?;
    // It travels in a header, where line breaks between tokens have no place.
    Ok(Some(text.replace(['\r', '\n'], " ")))
}
