//! How calls travel between the engine and a function's process.

mod body;
mod http;
mod report;
mod runtime_api;
mod server;
mod stream;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::{Exit, InvokeError};
use crate::instance::Instance;
use crate::request::{Body, PayloadKind, Request};
use crate::spec::PoolSpec;

pub(crate) use http::Http;
pub(crate) use runtime_api::RuntimeApi;
pub(crate) use server::serve;

/// A call on its way to an instance.
pub(crate) struct Call {
    pub(crate) id: Arc<str>,
    pub(crate) payload: PayloadKind,
    pub(crate) head: HeaderMap,
    pub(crate) deadline: Instant,
    pub(crate) limit: Duration,
    pub(crate) reply: Reply,
}

pub(crate) type Reply = oneshot::Sender<Result<Answer, InvokeError>>;

/// A function's answer.
pub(crate) struct Answer {
    pub(crate) content_type: Option<String>,
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) streaming: bool,
}

/// How an instance is spoken to.
pub(crate) enum Wire {
    /// It asks for work (Lambda Runtime API).
    Runtime(RuntimeApi),
    /// It listens.
    Http(Http),
}

impl Wire {
    pub(crate) fn deliver(&self, instance: &Arc<Instance>, call: Call) {
        match self {
            Self::Runtime(api) => api.deliver(instance, call),
            Self::Http(http) => http.deliver(instance, call),
        }
    }

    /// Stops waiting for a process that has ended.
    pub(crate) fn dismiss(&self) {
        if let Self::Runtime(api) = self {
            api.dismiss();
        }
    }

    /// Answers every call in flight after the process has ended.
    pub(crate) fn fail(&self, instance: &Instance, exit: Exit) {
        match self {
            Self::Runtime(api) => api.fail(instance, exit),
            // Exchanges notice the end by themselves: their connection breaks.
            Self::Http(_) => {}
        }
    }

    /// A slot is leased for a call.
    pub(crate) fn leased(&self) {
        if let Self::Runtime(api) = self {
            api.leased();
        }
    }

    /// When it answered its last call, if no other call has been given to it since.
    pub(crate) fn returning_since(&self) -> Option<Instant> {
        match self {
            Self::Runtime(api) => api.returning_since(),
            Self::Http(_) => None,
        }
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const INVOKED_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const MEDIA: HeaderName = HeaderName::from_static("anyport-media");
const ANYPORT_KEY: HeaderName = HeaderName::from_static("anyport-idempotency-key");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const HTTP_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const HTTP_REQUEST_ID: HeaderName = HeaderName::from_static("x-anyport-request-id");
const HTTP_DEADLINE: HeaderName = HeaderName::from_static("x-anyport-deadline-ms");
const HTTP_FUNCTION: HeaderName = HeaderName::from_static("x-anyport-function");
const HTTP_VERSION: HeaderName = HeaderName::from_static("x-anyport-version");

/// The headers that go with a call; refuses what can't be one before anything is started.
pub(crate) fn head(spec: &PoolSpec, request: &Request) -> Result<HeaderMap, InvokeError> {
    let id = &request.request_id;
    if id.is_empty()
        || !id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'/')
    {
        return Err(InvokeError::Request {
            field: "request id",
            reason: "it must be visible ASCII characters without a slash, at least one".to_owned(),
        });
    }
    let mut head = Head(HeaderMap::with_capacity(10));
    let http = spec.launch.is_http();
    let content_type = request.content_type.as_deref();
    if http {
        head.put(HTTP_REQUEST_ID, "request id", id)?;
        head.put(HTTP_FUNCTION, "function name", &spec.function)?;
        head.put(HTTP_VERSION, "version", &spec.version)?;
        head.maybe(
            HTTP_KEY,
            "idempotency key",
            request.idempotency_key.as_deref(),
        )?;
        head.maybe(TRACEPARENT, "traceparent", request.traceparent.as_deref())?;
        head.maybe(::http::header::CONTENT_TYPE, "content type", content_type)?;
        return Ok(head.0);
    }
    let arn = request.invoked_arn.as_deref().unwrap_or(&spec.invoked_arn);
    head.put(REQUEST_ID, "request id", id)?;
    head.put(INVOKED_ARN, "invoked ARN", arn)?;
    head.maybe(
        CLIENT_CONTEXT,
        "client context",
        request.client_context.as_deref(),
    )?;
    let translated = request.traceparent.as_deref().and_then(amazon_trace);
    let trace = request.trace_id.as_deref().or(translated.as_deref());
    head.maybe(TRACE_ID, "trace id", trace)?;
    if spec.media_any {
        head.put(MEDIA, "media", "any")?;
        head.maybe(
            ANYPORT_KEY,
            "idempotency key",
            request.idempotency_key.as_deref(),
        )?;
        head.maybe(TRACEPARENT, "traceparent", request.traceparent.as_deref())?;
        head.maybe(::http::header::CONTENT_TYPE, "content type", content_type)?;
    } else {
        head.put(
            ::http::header::CONTENT_TYPE,
            "content type",
            "application/json",
        )?;
    }
    Ok(head.0)
}

struct Head(HeaderMap);

impl Head {
    fn put(
        &mut self,
        name: HeaderName,
        field: &'static str,
        value: &str,
    ) -> Result<(), InvokeError> {
        let value = HeaderValue::from_str(value)
            // Lambda's client context is UTF-8 and may hold more than ASCII.
            .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
            .map_err(|_| InvokeError::Request {
                field,
                reason: "it holds a line break or another control character".to_owned(),
            })?;
        self.0.insert(name, value);
        Ok(())
    }

    fn maybe(
        &mut self,
        name: HeaderName,
        field: &'static str,
        value: Option<&str>,
    ) -> Result<(), InvokeError> {
        value.map_or(Ok(()), |value| self.put(name, field, value))
    }
}

/// Says when the call's time is up, by the clock that functions read.
pub(crate) fn set_deadline(head: &mut HeaderMap, spec: &PoolSpec, limit: Duration) {
    let at = SystemTime::now() + limit;
    let ms = at
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let name = if spec.launch.is_http() {
        HTTP_DEADLINE
    } else {
        DEADLINE
    };
    let ms = u64::try_from(ms).unwrap_or(u64::MAX);
    head.insert(name, HeaderValue::from(ms));
}

/// W3C `00-TRACE-SPAN-FLAGS` as Amazon writes it.
fn amazon_trace(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (_version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, size| text.len() == size && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !(hex(trace, 32) && hex(span, 16) && hex(flags, 2)) {
        return None;
    }
    let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
    Some(format!(
        "Root=1-{}-{};Parent={span};Sampled={sampled}",
        &trace[..8],
        &trace[8..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Launch;

    fn spec(launch: Launch) -> PoolSpec {
        PoolSpec::new("f", "1", "/code", launch)
    }

    #[test]
    fn trace_context_is_translated() {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(
            amazon_trace(traceparent).unwrap(),
            "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
        );
        assert_eq!(amazon_trace("00-short-b7ad6b7169203331-01"), None);
        assert_eq!(amazon_trace(""), None);
    }

    #[test]
    fn what_can_not_be_a_header_is_refused() {
        for id in ["", "a b", "a/b", "a\nb", "é"] {
            let error = head(&spec(Launch::Bootstrap), &Request::json(id, "{}")).unwrap_err();
            assert!(matches!(
                error,
                InvokeError::Request {
                    field: "request id",
                    ..
                }
            ));
        }
        let mut request = Request::json("r", "{}");
        request.client_context = Some("{\"a\":\"\r\nLambda-Runtime-Deadline-Ms: 1\"}".to_owned());
        let error = head(&spec(Launch::Bootstrap), &request).unwrap_err();
        assert!(!error.may_have_run());
        assert!(matches!(
            error,
            InvokeError::Request {
                field: "client context",
                ..
            }
        ));
    }

    #[test]
    fn media_headers_appear_only_where_any_media_is_allowed() {
        let mut spec = spec(Launch::Bootstrap);
        let mut request = Request::new("r", "x");
        request.content_type = Some("image/png".to_owned());
        request.idempotency_key = Some("k".to_owned());
        let plain = head(&spec, &request).unwrap();
        assert_eq!(plain["content-type"], "application/json");
        assert!(!plain.contains_key(&ANYPORT_KEY) && !plain.contains_key(&MEDIA));
        spec.media_any = true;
        let any = head(&spec, &request).unwrap();
        assert_eq!(any["content-type"], "image/png");
        assert_eq!(any[&MEDIA], "any");
        assert_eq!(any[&ANYPORT_KEY], "k");
    }
}
