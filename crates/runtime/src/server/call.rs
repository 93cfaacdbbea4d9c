//! One HTTP request: from its headers and body to the handler, and from its result to an answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use super::Gate;
use super::reply::ReplyBody;
use crate::body::Body;
use crate::context::{Call, instant_of};
use crate::environment::Environment;
use crate::error::Fault;
use crate::guard::{Either, catch, race};
use crate::handler::Service;
use crate::log::log;
use crate::response::JSON;
use crate::runtime::Setup;
use crate::{Context, Error, Request, Response};

const HEALTH: &str = "/_anyport/health";
const REQUEST_ID: &str = "x-anyport-request-id";
const DEADLINE: &str = "x-anyport-deadline-ms";
const VERSION: HeaderName = HeaderName::from_static("x-anyport-version");
const ERROR: HeaderName = HeaderName::from_static("x-anyport-error");
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const TRACEPARENT: &str = "traceparent";
/// Longest request id and idempotency key that is taken over from a caller, in bytes.
const MAX_ID: usize = 256;

type Answer = http::Response<ReplyBody>;

/// Everything that requests share.
pub(super) struct Calls<S> {
    gate: Gate<S>,
    environment: Arc<Environment>,
    version: Option<HeaderValue>,
    max_payload: usize,
}

impl<S: Service> Calls<S> {
    pub(super) fn new(gate: Gate<S>, setup: &Setup) -> Self {
        let version = setup.environment.version.as_deref();
        Self {
            gate,
            environment: Arc::clone(&setup.environment),
            version: version.and_then(|version| HeaderValue::from_str(version).ok()),
            max_payload: setup.max_payload,
        }
    }

    pub(super) fn gate(&self) -> &Gate<S> {
        &self.gate
    }

    pub(super) async fn answer(&self, request: hyper::Request<Incoming>) -> Answer {
        if request.uri().path() == HEALTH {
            return self.health();
        }
        if request.method() != Method::POST {
            return not_a_call();
        }
        let (mut parts, body) = request.into_parts();
        let (call, deadline) = self.call(&parts.headers);
        let context = Context::from_call(call, &self.environment);
        let request_id = context.shared_request_id();
        let content_type = parts.headers.remove(CONTENT_TYPE);

        let work = async {
            let body = collect(body, self.max_payload).await?;
            let service = self.gate.service().await?;
            let request = Request::from_parts(body, content_type);
            let response = catch(service.call(request, context)).await?;
            begin(response, deadline, &request_id).await
        };
        let mut answer = match within(deadline, work).await {
            Ok(answer) => answer,
            Err(error) => {
                // The message goes to the caller; the log, which others read, gets the type.
                log!("request {request_id} failed: {}", error.error_type());
                failure(&error)
            }
        };
        let headers = answer.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert(HeaderName::from_static(REQUEST_ID), id);
        }
        if let Some(version) = &self.version {
            headers.insert(VERSION, version.clone());
        }
        answer
    }

    fn health(&self) -> Answer {
        let mut answer = http::Response::new(ReplyBody::whole(""));
        if !self.gate.is_ready() {
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        answer
    }

    /// What the headers say of the call, read in one pass, and when it ends: the caller's deadline or the function's own limit, whichever is
    /// first.
    fn call(&self, headers: &HeaderMap) -> (Call, Option<Instant>) {
        let mut call = Call::default();
        let own = self.environment.timeout;
        call.deadline = own.map(|limit| std::time::Instant::now() + limit);
        for (name, value) in headers {
            let Ok(text) = value.to_str() else { continue };
            let id = || Some(text).filter(|id| !id.is_empty() && id.len() <= MAX_ID);
            match name.as_str() {
                REQUEST_ID => call.request_id = id().map(str::to_owned),
                IDEMPOTENCY_KEY => call.idempotency_key = id().map(str::to_owned),
                TRACEPARENT => call.trace = text.parse().ok(),
                DEADLINE => {
                    if let Some(caller) = text.parse().ok().map(instant_of) {
                        call.deadline = Some(call.deadline.map_or(caller, |own| own.min(caller)));
                    }
                }
                _ => {}
            }
        }
        let deadline = call.deadline.map(Instant::from_std);
        (call, deadline)
    }
}

/// The whole body, up to the limit. A body that arrives in one piece is not copied.
async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Error> {
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(Error::too_large(limit));
    }
    let Some(first) = next_data(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() <= limit && body.is_end_stream() {
        return Ok(first);
    }
    // What is announced is within the limit, so it is safe to make room for it.
    let expected = usize::try_from(announced.lower())
        .unwrap_or(0)
        .max(first.len());
    let mut all = BytesMut::with_capacity(expected.min(limit));
    let mut next = Some(first);
    while let Some(data) = next {
        if data.len() > limit - all.len() {
            return Err(Error::too_large(limit));
        }
        all.extend_from_slice(&data);
        next = next_data(&mut body).await?;
    }
    Ok(all.freeze())
}

async fn next_data(body: &mut Incoming) -> Result<Option<Bytes>, Error> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // Anything else is trailers, which mean nothing here.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                return Err(Error::new(
                    "IncompleteRequest",
                    "the payload ended before all of it was there",
                ));
            }
        }
    }
}

/// The head of the answer, once it is sure that there is one: a stream that fails before its first
/// chunk is an ordinary error.
async fn begin(
    response: Response,
    deadline: Option<Instant>,
    request_id: &Arc<str>,
) -> Result<Answer, Error> {
    let (content_type, body) = response.into_parts();
    let body = match body {
        Body::Whole(bytes) => ReplyBody::whole(bytes),
        Body::Stream(mut chunks) => match chunks.next().await.transpose()? {
            Some(first) => ReplyBody::stream(first, chunks, deadline, Arc::clone(request_id)),
            None => ReplyBody::whole(""),
        },
    };
    let mut answer = http::Response::new(body);
    if let Some(content_type) = content_type {
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    Ok(answer)
}

/// Drops the work at the deadline: platforms answer their caller then, but let the code run on.
async fn within<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(deadline) = deadline else {
        return work.await;
    };
    match race(pin!(work), pin!(tokio::time::sleep_until(deadline))).await {
        Either::Left(done) => done,
        Either::Right(()) => Err(Error::timeout()),
    }
}

fn failure(error: &Error) -> Answer {
    let (status, fault) = match error.fault() {
        Fault::Handled => (StatusCode::INTERNAL_SERVER_ERROR, Some("handled")),
        Fault::Unhandled => (StatusCode::INTERNAL_SERVER_ERROR, Some("unhandled")),
        Fault::Timeout => (StatusCode::GATEWAY_TIMEOUT, Some("unhandled")),
        // The handler has seen nothing of this.
        Fault::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
    };
    let mut answer = http::Response::new(ReplyBody::whole(error.to_json()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    if let Some(fault) = fault {
        answer
            .headers_mut()
            .insert(ERROR, HeaderValue::from_static(fault));
    }
    answer
}

fn not_a_call() -> Answer {
    let error = Error::new("MethodNotAllowed", "a call of this function is a POST");
    let mut answer = http::Response::new(ReplyBody::whole(error.to_json()));
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}
