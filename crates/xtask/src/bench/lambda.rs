//! The least platform that speaks Lambda's Runtime API: one process, one call at a time.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::commands::Failure;

/// How long a function may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

type Job = (Bytes, oneshot::Sender<Bytes>);

/// A running function. Ends with the value.
pub(super) struct Platform {
    jobs: mpsc::Sender<Job>,
    process: Child,
    _serving: JoinSet<()>,
}

struct Desk {
    waiting: Mutex<mpsc::Receiver<Job>>,
    answer: Mutex<Option<oneshot::Sender<Bytes>>>,
}

impl Platform {
    /// Starts `program` and answers its requests.
    pub(super) async fn start(program: &Path) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (jobs, waiting) = mpsc::channel(1);
        let desk = Arc::new(Desk {
            waiting: Mutex::new(waiting),
            answer: Mutex::new(None),
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    let service = service_fn(move |request| handle(Arc::clone(&desk), request));
                    // A connection that breaks is the function's; it opens another.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        let process = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("GREETING", "good day")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self {
            jobs,
            process,
            _serving: serving,
        })
    }

    /// The function's process.
    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    /// From handing the event over until the answer is here.
    pub(super) async fn call(&self, event: &'static str) -> Result<Duration, Failure> {
        let (answer, answered) = oneshot::channel();
        let began = Instant::now();
        let job = (Bytes::from_static(event.as_bytes()), answer);
        self.jobs
            .send(job)
            .await
            .map_err(|_| "the platform is gone")?;
        let answer = tokio::time::timeout(PATIENCE, answered)
            .await
            .map_err(|_| "the function does not answer")??;
        let took = began.elapsed();
        if answer.starts_with(br#"{"message":"good day, Ada""#) {
            Ok(took)
        } else {
            Err(format!("the function answered {}", String::from_utf8_lossy(&answer)).into())
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn handle(
    desk: Arc<Desk>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        return Ok(next(&desk).await);
    }
    let is_answer = request.uri().path().ends_with("/response");
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    // An error report is an answer that the caller will not accept.
    if let Some(answer) = desk.answer.lock().await.take() {
        let _ = answer.send(if is_answer {
            body
        } else {
            Bytes::from_static(b"an error")
        });
    }
    let mut accepted = Response::new(Full::default());
    *accepted.status_mut() = StatusCode::ACCEPTED;
    Ok(accepted)
}

async fn next(desk: &Desk) -> Response<Full<Bytes>> {
    let Some((event, answer)) = desk.waiting.lock().await.recv().await else {
        let mut gone = Response::new(Full::default());
        *gone.status_mut() = StatusCode::GONE;
        return gone;
    };
    *desk.answer.lock().await = Some(answer);
    let deadline = SystemTime::now() + PATIENCE;
    let deadline = deadline
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let mut response = Response::new(Full::new(event));
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-type", "application/json"),
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:measured",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        ),
    ] {
        headers.insert(name, hyper::header::HeaderValue::from_static(value));
    }
    if let Ok(deadline) = deadline.to_string().parse() {
        headers.insert("lambda-runtime-deadline-ms", deadline);
    }
    response
}
