//! The Lambda Runtime API of one instance, on its own loopback port.
//!
//! Routes, statuses and bodies are those of the vendor's published interface. The port serves this
//! instance alone, so whoever connects to it can only disturb the instance it belongs to.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::Answer;
use super::body::OutBody;
use super::report::{Report, function_error, header, trailers};
use super::runtime_api::{Claim, Handout, InHand, Next, RuntimeApi};
use super::stream::{Broken, Flow, channel, collect};
use crate::error::{InvokeError, StartFailureKind};
use crate::instance::Instance;
use crate::request::Body;

/// Connections one function may hold at a time; its own client needs one or two.
const CONNECTIONS: usize = 64;
/// Largest error report that is read.
const ERROR_BYTES: u64 = 1 << 20;

/// Serves the Runtime API until the process has ended, as `ended` says; then reads what the process
/// sent last, and returns when every connection is closed.
pub(crate) async fn serve(
    instance: Arc<Instance>,
    listener: TcpListener,
    mut ended: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => accepted,
            Some(_) = connections.join_next() => continue,
            _ = &mut ended => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(Arc::clone(&instance), stream));
            }
            // No descriptors left, most likely: others may become free.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    let waiting = |cx: &mut Context<'_>| match listener.poll_accept(cx) {
        Poll::Ready(Ok((stream, _))) => Poll::Ready(Some(stream)),
        _ => Poll::Ready(None),
    };
    while let Some(stream) = poll_fn(waiting).await {
        connections.spawn(serve_connection(Arc::clone(&instance), stream));
    }
    while connections.join_next().await.is_some() {}
}

async fn serve_connection(instance: Arc<Instance>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let instance = Arc::clone(&instance);
        async move { Ok::<_, Infallible>(handle(&instance, request).await) }
    });
    // A broken connection is the function's affair: its process is watched on its own.
    let _ = http1::Builder::new()
        .title_case_headers(true)
        // An answer counts even if its sender closes the connection right after it.
        .half_close(true)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn handle(instance: &Arc<Instance>, request: Request<Incoming>) -> Response<OutBody> {
    let super::Wire::Runtime(api) = &instance.wire else {
        return text(StatusCode::NOT_FOUND, "404 page not found");
    };
    if !local_host(request.headers()) {
        return error(
            StatusCode::FORBIDDEN,
            "Forbidden",
            "the Host header is not this address",
        );
    }
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/") else {
        return text(StatusCode::NOT_FOUND, "404 page not found");
    };
    let get = request.method() == Method::GET;
    let post = request.method() == Method::POST;
    let call = path
        .strip_prefix("runtime/invocation/")
        .and_then(|rest| rest.split_once('/'));
    match (path, call) {
        ("runtime/invocation/next", _) if get => next(instance, api).await,
        ("runtime/init/error", _) if post => init_error(instance, api, request).await,
        ("ping", _) if get => text(StatusCode::OK, "pong"),
        (_, Some((id, "response"))) if post => respond(instance, api, id, request).await,
        (_, Some((id, "error"))) if post => fail(instance, api, id, request).await,
        ("runtime/invocation/next" | "runtime/init/error" | "ping", _)
        | (_, Some((_, "response" | "error"))) => {
            text(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed")
        }
        _ => text(StatusCode::NOT_FOUND, "404 page not found"),
    }
}

/// A page in a browser must not reach this port under a name of its own.
fn local_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else {
        return true;
    };
    let host = host.to_str().unwrap_or("-");
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    matches!(name, "127.0.0.1" | "localhost" | "")
}

async fn next(instance: &Arc<Instance>, api: &RuntimeApi) -> Response<OutBody> {
    // What was written since the answer belongs to the call that is over.
    instance.drain_logs();
    let (next, freed) = api.next();
    if freed {
        instance.log.set_request(None);
        instance.memory.set_working(false);
        instance.release();
    } else if matches!(next, Next::Wait(_)) {
        instance.ready();
    }
    let handout = match next {
        Next::Now(handout) => Ok(handout),
        Next::Wait(waiting) => waiting.await.map_err(|_| Next::Gone),
        other => Err(other),
    };
    match handout {
        Ok(handout) => hand_out(handout),
        Err(Next::Forbidden) => invalid_state("ask for work"),
        Err(_) => error(
            StatusCode::GONE,
            "Runtime.Ended",
            "this instance is being stopped",
        ),
    }
}

fn hand_out(handout: Handout) -> Response<OutBody> {
    let mut response = Response::new(OutBody::from(handout.payload));
    *response.headers_mut() = handout.head;
    response
}

async fn respond(
    instance: &Arc<Instance>,
    api: &RuntimeApi,
    id: &str,
    request: Request<Incoming>,
) -> Response<OutBody> {
    let hand = match api.claim(id) {
        Claim::Taken(hand) => hand,
        refused => return refuse(&refused, "answer"),
    };
    let content_type = header(request.headers(), "content-type");
    let streaming = request
        .headers()
        .get("lambda-runtime-function-response-mode")
        .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
    if streaming {
        return stream(instance, api, hand, content_type, request.into_body()).await;
    }
    let limit = instance.spec.max_response_bytes;
    let (answer, response) = match collect(request.into_body(), limit).await {
        Ok(bytes) => {
            let answer = Answer {
                content_type,
                status: 200,
                body: Body::full(bytes),
                streaming: false,
            };
            (Ok(answer), accepted())
        }
        Err(Broken::TooLarge) => {
            let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
            let response = error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &message,
            );
            (Err(InvokeError::TooLarge { limit }), response)
        }
        Err(Broken::Connection) => (Err(instance.broken(id).await), accepted()),
    };
    finish(instance, api, hand, answer);
    response
}

/// Files what was written, frees the state, and only then lets the caller go on.
fn finish(
    instance: &Arc<Instance>,
    api: &RuntimeApi,
    hand: InHand,
    answer: Result<Answer, InvokeError>,
) {
    instance.drain_logs();
    api.answered();
    // A caller that has gone does not want it.
    let _ = hand.reply.send(answer);
}

async fn stream(
    instance: &Arc<Instance>,
    api: &RuntimeApi,
    hand: InHand,
    content_type: Option<String>,
    body: Incoming,
) -> Response<OutBody> {
    let (pieces, out) = channel();
    let _ = hand.reply.send(Ok(Answer {
        content_type,
        status: 200,
        body: out,
        streaming: true,
    }));
    let flow = Flow {
        instance,
        request: &hand.id,
        deadline: hand.deadline,
        limit: hand.limit,
        done: &|| api.answered(),
        trailers,
    };
    flow.pump(body, pieces).await;
    accepted()
}

async fn fail(
    instance: &Arc<Instance>,
    api: &RuntimeApi,
    id: &str,
    request: Request<Incoming>,
) -> Response<OutBody> {
    let hand = match api.claim(id) {
        Claim::Taken(hand) => hand,
        refused => return refuse(&refused, "report an error"),
    };
    let kind = header(request.headers(), "lambda-runtime-function-error-type");
    let failure = match collect(request.into_body(), ERROR_BYTES).await {
        Ok(payload) => {
            instance.drain_logs();
            function_error(instance, id, kind, payload)
        }
        Err(Broken::TooLarge) => InvokeError::TooLarge { limit: ERROR_BYTES },
        Err(Broken::Connection) => instance.broken(id).await,
    };
    finish(instance, api, hand, Err(failure));
    accepted()
}

async fn init_error(
    instance: &Arc<Instance>,
    api: &RuntimeApi,
    request: Request<Incoming>,
) -> Response<OutBody> {
    if !api.is_starting() {
        return invalid_state("report a failed initialisation");
    }
    let kind = header(request.headers(), "lambda-runtime-function-error-type");
    let payload = collect(request.into_body(), ERROR_BYTES)
        .await
        .unwrap_or_default();
    let report = Report::read(kind, &payload);
    instance.drain_logs();
    instance.init_failed(StartFailureKind::InitError {
        error_type: report.kind,
        message: report.message,
        payload,
    });
    accepted()
}

fn refuse(claim: &Claim, act: &str) -> Response<OutBody> {
    match claim {
        Claim::UnknownId => error(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "Invalid request ID",
        ),
        _ => invalid_state(act),
    }
}

fn invalid_state(act: &str) -> Response<OutBody> {
    let message = format!("State transition is not allowed: this is not the time to {act}");
    error(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
}

fn accepted() -> Response<OutBody> {
    json(
        StatusCode::ACCEPTED,
        Bytes::from_static(b"{\"status\":\"OK\"}\n"),
    )
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response<OutBody> {
    let body = serde_json::json!({ "errorMessage": message, "errorType": kind });
    json(status, Bytes::from(body.to_string()))
}

fn json(status: StatusCode, body: Bytes) -> Response<OutBody> {
    let mut response = Response::new(OutBody::Full(Some(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn text(status: StatusCode, body: &'static str) -> Response<OutBody> {
    let mut response = Response::new(OutBody::Full(Some(Bytes::from_static(body.as_bytes()))));
    *response.status_mut() = status;
    response
}
