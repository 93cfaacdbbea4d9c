//! Errors as functions report them over the Runtime API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;

use crate::error::{FunctionError, InvokeError};
use crate::instance::Instance;

/// An error as functions report it.
pub(super) struct Report {
    pub(super) kind: String,
    pub(super) message: String,
}

impl Report {
    pub(super) fn read(header: Option<String>, payload: &[u8]) -> Self {
        let json: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
        let field = |name: &str| {
            json.get(name)
                .and_then(|value| value.as_str())
                .map(str::to_owned)
        };
        Self {
            kind: field("errorType")
                .filter(|kind| !kind.is_empty())
                .or(header)
                .unwrap_or_else(|| "Runtime.Unknown".to_owned()),
            message: field("errorMessage").unwrap_or_default(),
        }
    }
}

/// Runtimes send "Unhandled" with every error a handler lets through, so the word says nothing. Types
/// that runtimes give to a handler that went down itself do.
pub(super) fn function_error(
    instance: &Instance,
    request: &str,
    header: Option<String>,
    payload: Bytes,
) -> InvokeError {
    let down = |kind: &str| {
        matches!(
            kind,
            "Runtime.Panic" | "Runtime.UnhandledPromiseRejection" | "Runtime.ExitError"
        )
    };
    let by_header = header.as_deref().is_some_and(down);
    let report = Report::read(header, &payload);
    InvokeError::Function(Box::new(FunctionError {
        handled: !by_header && !down(&report.kind),
        error_type: report.kind,
        message: report.message,
        payload,
        content_type: Some("application/json".to_owned()),
        status: None,
        exit: None,
        log_tail: instance.log.tail(Some(request)),
    }))
}

pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The error that a streaming function reports after its first byte.
pub(super) fn trailers(
    instance: &Instance,
    request: &str,
    trailers: &HeaderMap,
) -> Option<InvokeError> {
    let kind = header(trailers, "lambda-runtime-function-error-type")?;
    let body = header(trailers, "lambda-runtime-function-error-body").unwrap_or_default();
    let payload = STANDARD.decode(body.as_bytes()).unwrap_or_default();
    instance.drain_logs();
    Some(function_error(
        instance,
        request,
        Some(kind),
        payload.into(),
    ))
}
