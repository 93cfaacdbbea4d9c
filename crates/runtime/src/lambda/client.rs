//! The Runtime API's five calls.

use std::fmt;
use std::io::{self, Write as _};
use std::pin::pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;

use super::connection::{Connection, Payload, WireError};
use super::invocation::{Headers, Invocation};
use crate::Error;
use crate::body::Chunks;
use crate::guard::{Either, race};
use crate::log::log;

const API: &str = "/2018-06-01/runtime";
const AGENT: &str = concat!("anyport-runtime/", env!("CARGO_PKG_VERSION"));
/// Nothing that this client is told beyond a status is longer than this.
const MAX_ANSWER: usize = 64 * 1024;
/// How often one call is tried when the connection fails under it.
const ATTEMPTS: u32 = 4;
/// Longest message in a trailer: servers keep less room for these than for bodies.
const MAX_TRAILER_MESSAGE: usize = 1024;

/// Why the loop can't go on.
#[derive(Debug)]
pub(super) enum ApiError {
    Unreachable {
        address: String,
        source: io::Error,
    },
    Broken {
        call: &'static str,
        cause: WireError,
    },
    Refused {
        call: &'static str,
        status: u16,
    },
    Invalid {
        what: &'static str,
    },
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { address, source } => write!(
                f,
                "the Runtime API at {address} (from AWS_LAMBDA_RUNTIME_API) can't be reached: {source}"
            ),
            Self::Broken {
                call,
                cause: WireError::Closed,
            } => {
                write!(
                    f,
                    "the Runtime API closed the connection of {call} without an answer"
                )
            }
            Self::Broken {
                call,
                cause: WireError::Io(source),
            } => {
                write!(
                    f,
                    "the connection to the Runtime API broke during {call}: {source}"
                )
            }
            Self::Broken {
                call,
                cause: WireError::Malformed(what),
            } => {
                write!(
                    f,
                    "the Runtime API's answer to {call} can't be read: {what}"
                )
            }
            Self::Refused { call, status } => {
                write!(
                    f,
                    "the Runtime API answered {call} with status {status}, after which a runtime must end"
                )
            }
            Self::Invalid { what } => write!(f, "the Runtime API handed over an invocation {what}"),
        }
    }
}

/// What the next call is.
#[allow(
    clippy::large_enum_variant,
    reason = "moved once, and nearly always the large one"
)]
pub(super) enum Next {
    Invocation(Invocation),
    TooLarge { request_id: String },
}

pub(super) struct Client {
    address: String,
    connection: Option<Connection>,
    max_payload: usize,
    /// The request for the next invocation, always the same bytes.
    next: Vec<u8>,
    /// The head of the request being sent, kept for its memory.
    head: Vec<u8>,
}

impl Client {
    pub(super) fn new(address: &str, max_payload: usize) -> Self {
        let next = format!(
            "GET {API}/invocation/next HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {AGENT}\r\n\r\n"
        );
        Self {
            address: address.to_owned(),
            connection: None,
            max_payload,
            next: next.into_bytes(),
            head: Vec::with_capacity(512),
        }
    }

    /// Waits for the next invocation, for as long as it takes: the platform may freeze the process here.
    pub(super) async fn next(&mut self) -> Result<Next, ApiError> {
        const CALL: &str = "GET next";
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut headers = Headers::default();
            let mut connection = self.connect().await?;
            let received = match connection.send([&self.next]).await {
                Ok(_) => {
                    connection
                        .receive(self.max_payload, |name, value| headers.read(name, value))
                        .await
                }
                Err(error) => Err(error.into()),
            };
            let (status, payload) = match received {
                Ok(received) => received,
                Err(WireError::Closed) if attempt < ATTEMPTS => {
                    back_off(attempt).await;
                    continue;
                }
                Err(cause) => return Err(ApiError::Broken { call: CALL, cause }),
            };
            self.keep(connection);
            if status != 200 {
                return Err(ApiError::Refused { call: CALL, status });
            }
            let request_id = headers
                .request_id()
                .map_err(|what| ApiError::Invalid { what })?;
            return Ok(match payload {
                Payload::Whole(body) => {
                    Next::Invocation(Invocation::new(request_id, headers, body))
                }
                Payload::TooLarge => Next::TooLarge { request_id },
            });
        }
    }

    /// Answers an invocation.
    pub(super) async fn respond(
        &mut self,
        request_id: &str,
        content_type: Option<&HeaderValue>,
        body: &Bytes,
    ) -> Result<(), ApiError> {
        self.begin(
            format_args!("/invocation/{request_id}/response"),
            content_type,
        );
        self.finish_head(body.len());
        self.post("POST response", body).await
    }

    /// Reports that an invocation failed.
    pub(super) async fn fail(&mut self, request_id: &str, error: &Error) -> Result<(), ApiError> {
        self.begin(
            format_args!("/invocation/{request_id}/error"),
            Some(&crate::response::JSON),
        );
        self.report("POST error", error).await
    }

    /// Reports that the function can't start.
    pub(super) async fn init_error(&mut self, error: &Error) -> Result<(), ApiError> {
        self.begin(format_args!("/init/error"), Some(&crate::response::JSON));
        self.report("POST init/error", error).await
    }

    /// Answers an invocation with chunks as they come. The first one is there already: before it, a
    /// failure is an ordinary error. Afterwards it goes into the trailers.
    pub(super) async fn respond_streaming(
        &mut self,
        request_id: &str,
        content_type: Option<&HeaderValue>,
        first: Bytes,
        rest: &mut Chunks,
    ) -> Result<(), ApiError> {
        const CALL: &str = "POST response (streaming)";
        let broken = |cause| ApiError::Broken { call: CALL, cause };
        self.begin(
            format_args!("/invocation/{request_id}/response"),
            content_type,
        );
        self.head.extend_from_slice(
            b"Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\
              Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n",
        );
        let mut connection = self.connect().await?;
        let mut next = Some(first);
        // The head goes out with the first chunk; a kept connection that turns out to be closed
        // is noticed here or never, because the chunks can't be produced again.
        let mut head = std::mem::take(&mut self.head);
        let trailers = loop {
            let Some(chunk) = next.take() else {
                break Some(b"0\r\n\r\n".to_vec());
            };
            let size = format!("{:x}\r\n", chunk.len());
            let sent = connection
                .send([&head, size.as_bytes(), &chunk, b"\r\n"])
                .await;
            head.clear();
            if !sent.map_err(|error| broken(error.into()))? {
                break None;
            }
            match race(pin!(rest.next()), pin!(connection.interrupted())).await {
                Either::Left(Some(Ok(chunk))) => next = Some(chunk),
                Either::Left(None) => {}
                Either::Left(Some(Err(error))) => {
                    log!("request {request_id} failed while streaming: {error}");
                    break Some(trailers(&error.shortened(MAX_TRAILER_MESSAGE)));
                }
                // The platform has given this invocation up; so does the handler's stream.
                Either::Right(()) => break None,
            }
        };
        self.head = head;
        if let Some(end) = trailers {
            connection
                .send([&end])
                .await
                .map_err(|error| broken(error.into()))?;
        }
        let (status, _) = connection
            .receive(MAX_ANSWER, |_, _| {})
            .await
            .map_err(broken)?;
        // The protocol asks that this connection is closed now.
        drop(connection);
        accepted(CALL, status, false)
    }

    async fn report(&mut self, call: &'static str, error: &Error) -> Result<(), ApiError> {
        let body = error.to_json();
        // The type was cleaned of everything that could end the header.
        let _ = write!(
            self.head,
            "Lambda-Runtime-Function-Error-Type: {}\r\n",
            error.header_type()
        );
        self.finish_head(body.len());
        self.post(call, &body).await
    }

    fn begin(&mut self, path: fmt::Arguments<'_>, content_type: Option<&HeaderValue>) {
        self.head.clear();
        // Writing to memory does not fail.
        let _ = write!(
            self.head,
            "POST {API}{path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\n",
            self.address
        );
        if let Some(content_type) = content_type {
            self.head.extend_from_slice(b"Content-Type: ");
            self.head.extend_from_slice(content_type.as_bytes());
            self.head.extend_from_slice(b"\r\n");
        }
    }

    fn finish_head(&mut self, length: usize) {
        let _ = write!(self.head, "Content-Length: {length}\r\n\r\n");
    }

    /// Sends the prepared head and a body, again on a new connection where the kept one has died.
    async fn post(&mut self, call: &'static str, body: &[u8]) -> Result<(), ApiError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut connection = self.connect().await?;
            let received = match connection.send([&self.head, body]).await {
                Ok(_) => connection.receive(MAX_ANSWER, |_, _| {}).await,
                Err(error) => Err(error.into()),
            };
            match received {
                Ok((status, _)) => {
                    self.keep(connection);
                    return accepted(call, status, attempt > 1);
                }
                Err(WireError::Closed) if attempt < ATTEMPTS => back_off(attempt).await,
                Err(cause) => return Err(ApiError::Broken { call, cause }),
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, ApiError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match Connection::open(&self.address).await {
                Ok(connection) => return Ok(connection),
                Err(_) if attempt < ATTEMPTS => back_off(attempt).await,
                Err(source) => {
                    return Err(ApiError::Unreachable {
                        address: self.address.clone(),
                        source,
                    });
                }
            }
        }
    }

    fn keep(&mut self, connection: Connection) {
        self.connection = connection.is_reusable().then_some(connection);
    }
}

/// At once after the first failure, which a kept connection that died explains; then with a pause.
async fn back_off(attempt: u32) {
    if attempt > 1 {
        tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
    }
}

/// Whether the platform took what was posted, and whether the loop may go on if not.
fn accepted(call: &'static str, status: u16, again: bool) -> Result<(), ApiError> {
    match status {
        200..300 => Ok(()),
        // A second delivery of what had arrived the first time.
        400 | 403 if again => Ok(()),
        400 | 413 => {
            log!(
                "the Runtime API refused {call} with status {status}; the next invocation is not affected"
            );
            Ok(())
        }
        status => Err(ApiError::Refused { call, status }),
    }
}

fn trailers(error: &Error) -> Vec<u8> {
    format!(
        "0\r\nLambda-Runtime-Function-Error-Type: {}\r\nLambda-Runtime-Function-Error-Body: {}\r\n\r\n",
        error.header_type(),
        STANDARD.encode(error.to_json())
    )
    .into_bytes()
}
