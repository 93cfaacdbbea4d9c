//! Functions that listen: one call is one `POST /`.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::body::OutBody;
use super::report::header;
use super::stream::{Broken, Flow, channel, collect};
use super::{Answer, Call, Reply};
use crate::error::{FunctionError, InvokeError};
use crate::instance::Instance;
use crate::instance::start::LOOK;
use crate::request::{Body, PayloadKind};

/// A connection unused for this long is not used again: servers close theirs, some after 5 s, and a
/// request that crosses the closing can't be repeated.
const KEEP: Duration = Duration::from_secs(2);
/// How long a server that listens may take to answer the health question.
const HEALTH: Duration = Duration::from_secs(1);
/// Largest error answer that is read.
const ERROR_BYTES: u64 = 1 << 20;

type Connection = SendRequest<OutBody>;

/// The engine's end of a function that listens.
pub(crate) struct Http {
    port: u16,
    idle: Mutex<VecDeque<(Connection, Instant)>>,
}

impl Http {
    pub(crate) fn new(port: u16) -> Self {
        Self {
            port,
            idle: Mutex::default(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the function listens and does not call itself unready.
    pub(crate) async fn answers(&self) {
        let mut pause = LOOK.0;
        loop {
            if let Ok(mut connection) = self.connect().await {
                match timeout(HEALTH, health(&mut connection, self.port)).await {
                    Ok(Ok(StatusCode::SERVICE_UNAVAILABLE)) => {}
                    // A server that knows nothing of the question listens, which is enough.
                    _ => return,
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK.1);
        }
    }

    async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // Ends when the sender is dropped or the function closes its end.
        tokio::spawn(connection);
        Ok(sender)
    }

    /// A connection that was used a moment ago and is still open, or a new one.
    async fn connection(&self) -> io::Result<Connection> {
        loop {
            let Some((mut connection, since)) = self.lock().pop_back() else {
                return self.connect().await;
            };
            if since.elapsed() < KEEP && connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.lock();
        idle.push_back((connection, Instant::now()));
        while idle
            .front()
            .is_some_and(|(_, since)| since.elapsed() >= KEEP)
        {
            idle.pop_front();
        }
    }

    /// Starts the exchange; its task gives the slot back.
    pub(crate) fn deliver(&self, instance: &Arc<Instance>, call: Call) {
        let instance = Arc::clone(instance);
        if instance.spec.slots() == 1 {
            instance.log.set_request(Some(Arc::clone(&call.id)));
        }
        tokio::spawn(async move { exchange(&instance, call).await });
    }
}

/// Gives the slot back: before the caller learns of the end, as it may call again at once.
fn free(instance: &Arc<Instance>) {
    instance.drain_logs();
    instance.log.set_request(None);
    instance.memory.set_working(false);
    instance.release();
}

async fn health(connection: &mut Connection, port: u16) -> hyper::Result<StatusCode> {
    let mut request = Request::new(OutBody::Full(None));
    *request.uri_mut() = http::Uri::from_static("/_anyport/health");
    request.headers_mut().insert(HOST, host(port));
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    Ok(response.status())
}

fn host(port: u16) -> HeaderValue {
    HeaderValue::try_from(format!("127.0.0.1:{port}"))
        .unwrap_or(HeaderValue::from_static("localhost"))
}

async fn exchange(instance: &Arc<Instance>, call: Call) {
    let super::Wire::Http(http) = &instance.wire else {
        return;
    };
    let Call {
        id,
        payload,
        head,
        deadline,
        limit,
        reply,
    } = call;
    let asked = timeout_at(deadline, ask(http, instance, &id, payload, head)).await;
    let (response, connection) = match asked {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => return give(instance, reply, Err(error)),
        Err(_) => return give(instance, reply, Err(instance.time_out(&id, limit))),
    };
    let flow = Flow {
        instance,
        request: &id,
        deadline,
        limit,
        done: &|| free(instance),
        trailers: |_, _, _| None,
    };
    answer(flow, response, reply).await;
    http.keep(connection);
}

fn give(instance: &Arc<Instance>, reply: Reply, answer: Result<Answer, InvokeError>) {
    free(instance);
    // A caller that has gone does not want it.
    let _ = reply.send(answer);
}

async fn ask(
    http: &Http,
    instance: &Arc<Instance>,
    id: &str,
    payload: PayloadKind,
    head: HeaderMap,
) -> Result<(Response<Incoming>, Connection), InvokeError> {
    let mut request = Request::new(OutBody::from(payload));
    *request.method_mut() = Method::POST;
    *request.headers_mut() = head;
    request.headers_mut().insert(HOST, host(http.port));
    let Ok(mut connection) = http.connection().await else {
        return Err(instance.broken(id).await);
    };
    match connection.send_request(request).await {
        Ok(response) => Ok((response, connection)),
        Err(_) => Err(instance.broken(id).await),
    }
}

async fn answer(flow: Flow<'_>, response: Response<Incoming>, reply: Reply) {
    let (parts, body) = response.into_parts();
    let content_type = header(&parts.headers, CONTENT_TYPE.as_str());
    let status = parts.status;
    if status.is_server_error() {
        let collected = timeout_at(flow.deadline, collect(body, ERROR_BYTES)).await;
        let payload = collected.ok().and_then(Result::ok).unwrap_or_default();
        let said = header(&parts.headers, "x-anyport-error");
        flow.instance.drain_logs();
        let error = function_error(&flow, status, said.as_deref(), content_type, payload);
        return give(flow.instance, reply, Err(error));
    }
    let sized = http_body::Body::size_hint(&body).exact();
    let limit = flow.instance.spec.max_response_bytes;
    if sized.is_none_or(|size| size > limit) {
        // Larger than a buffered answer may be, or of unknown size: as it comes.
        let (pieces, out) = channel();
        let _ = reply.send(Ok(Answer {
            content_type,
            status: status.as_u16(),
            body: out,
            streaming: true,
        }));
        return flow.pump(body, pieces).await;
    }
    let answer = match timeout_at(flow.deadline, collect(body, limit)).await {
        Ok(Ok(bytes)) => Ok(Answer {
            content_type,
            status: status.as_u16(),
            body: Body::full(bytes),
            streaming: false,
        }),
        Ok(Err(Broken::TooLarge)) => Err(InvokeError::TooLarge { limit }),
        Ok(Err(Broken::Connection)) => Err(flow.instance.broken(flow.request).await),
        Err(_) => Err(flow.instance.time_out(flow.request, flow.limit)),
    };
    give(flow.instance, reply, answer);
}

fn function_error(
    flow: &Flow<'_>,
    status: StatusCode,
    said: Option<&str>,
    content_type: Option<String>,
    payload: Bytes,
) -> InvokeError {
    let json: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
    let field = |name: &str| {
        json.get(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    InvokeError::Function(Box::new(FunctionError {
        handled: said != Some("unhandled"),
        error_type: field("errorType").unwrap_or_else(|| format!("Http.{}", status.as_u16())),
        message: field("errorMessage")
            .unwrap_or_else(|| format!("the function's server answered with status {status}")),
        payload,
        content_type,
        status: Some(status.as_u16()),
        exit: None,
        log_tail: flow.instance.log.tail(Some(flow.request)),
    }))
}
