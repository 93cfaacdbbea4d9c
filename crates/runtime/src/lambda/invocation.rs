//! One invocation as the Runtime API hands it over.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;

use crate::context::{Call, instant_of};
use crate::environment::Environment;
use crate::response::JSON;
use crate::{Context, Error, Request, TraceContext, envelope};

/// Longest request id, in bytes; real ones have 36.
const MAX_ID: usize = 256;

/// The headers of an invocation that mean something here, each `None` where it is absent or no text.
#[derive(Default)]
pub(super) struct Headers {
    request_id: Option<String>,
    deadline_ms: Option<u64>,
    trace: Option<TraceContext>,
    xray: Option<TraceContext>,
    arn: Option<String>,
    client_context: Option<String>,
    content_type: Option<HeaderValue>,
    idempotency_key: Option<String>,
    /// Whether the platform carries any media, and not only JSON.
    any_media: bool,
}

impl Headers {
    pub(super) fn read(&mut self, name: &str, value: &[u8]) {
        let text = || std::str::from_utf8(value).ok().map(str::trim);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("lambda-runtime-aws-request-id") {
            self.request_id = text().map(str::to_owned);
        } else if is("lambda-runtime-deadline-ms") {
            self.deadline_ms = text().and_then(|text| text.parse().ok());
        } else if is("lambda-runtime-trace-id") {
            self.xray = text().and_then(TraceContext::from_xray);
        } else if is("lambda-runtime-invoked-function-arn") {
            self.arn = text().map(str::to_owned);
        } else if is("lambda-runtime-client-context") {
            self.client_context = text().map(str::to_owned);
        } else if is("content-type") {
            self.content_type = HeaderValue::from_bytes(value).ok();
        } else if is("anyport-media") {
            self.any_media = value == b"any";
        } else if is("anyport-idempotency-key") {
            self.idempotency_key = text().map(str::to_owned);
        } else if is("traceparent") {
            self.trace = text().and_then(|text| text.parse().ok());
        }
    }

    /// The id, which becomes part of a path and so must be nothing else.
    pub(super) fn request_id(&mut self) -> Result<String, &'static str> {
        let id = self.request_id.take().ok_or("without a request id")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(plain) {
            return Err("whose request id is not made of letters, digits and hyphens");
        }
        Ok(id)
    }
}

/// What callers put into the client context for functions of ours, where no header can carry it.
#[derive(Default, Deserialize)]
struct ClientContext {
    #[serde(default)]
    custom: Custom,
}

#[derive(Default, Deserialize)]
struct Custom {
    #[serde(rename = "anyport-idempotency-key")]
    idempotency_key: Option<String>,
    /// The type of a payload that is JSON, and more than that.
    #[serde(rename = "anyport-content-type")]
    content_type: Option<String>,
    traceparent: Option<String>,
}

pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) any_media: bool,
    headers: Headers,
    body: Bytes,
}

impl Invocation {
    pub(super) fn new(request_id: String, headers: Headers, body: Bytes) -> Self {
        Self {
            request_id,
            any_media: headers.any_media,
            headers,
            body,
        }
    }

    /// What the handler is given.
    ///
    /// # Errors
    /// Where the payload is in an envelope that can't be opened.
    pub(super) fn open(self, environment: &Arc<Environment>) -> Result<(Request, Context), Error> {
        let headers = self.headers;
        // A client context that is not ours, or not even JSON, is the caller's own business.
        let custom = headers
            .client_context
            .and_then(|text| serde_json::from_str::<ClientContext>(&text).ok())
            .unwrap_or_default()
            .custom;
        let mut call = Call {
            request_id: Some(self.request_id),
            deadline: headers.deadline_ms.map(instant_of),
            trace: headers
                .trace
                .or_else(|| custom.traceparent.and_then(|text| text.parse().ok())),
            idempotency_key: headers.idempotency_key.or(custom.idempotency_key),
            invoked_arn: headers.arn,
        };
        let (body, content_type) = if self.any_media {
            (self.body, headers.content_type)
        } else {
            let opened = envelope::open(self.body)?;
            call.trace = call.trace.or(opened.trace);
            call.idempotency_key = call.idempotency_key.or(opened.idempotency_key);
            let named = custom
                .content_type
                .and_then(|ct| HeaderValue::try_from(ct).ok());
            let content_type = match opened.sealed {
                true => opened.content_type,
                false => Some(named.unwrap_or(JSON)),
            };
            (opened.body, content_type)
        };
        call.trace = call.trace.or(headers.xray);
        let context = Context::from_call(call, environment);
        Ok((Request::from_parts(body, content_type), context))
    }
}
