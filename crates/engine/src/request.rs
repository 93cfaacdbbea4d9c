//! A call, its answer, and their bodies.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::error::InvokeError;

type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The payload of a call.
pub struct Payload(pub(crate) PayloadKind);

pub(crate) enum PayloadKind {
    Bytes(Bytes),
    Stream(ByteStream),
}

impl Payload {
    /// A payload that arrives piece by piece. An error of the stream breaks the call off.
    pub fn stream(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self(PayloadKind::Stream(Box::pin(stream)))
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Self(PayloadKind::Bytes(bytes.into()))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            PayloadKind::Bytes(bytes) => write!(f, "Payload({} bytes)", bytes.len()),
            PayloadKind::Stream(_) => f.write_str("Payload(stream)"),
        }
    }
}

/// One call of a function.
#[derive(Debug)]
#[non_exhaustive]
pub struct Request {
    /// The id of this call: what the function sees and what its log lines carry. Visible ASCII
    /// without a slash; unique among the calls in flight.
    pub request_id: String,
    /// What the function is given.
    pub payload: Payload,
    /// The payload's media type; reaches the function where the pool allows any media, and over HTTP.
    pub content_type: Option<String>,
    /// When the caller stops waiting. The function's own time limit holds as well.
    pub deadline: Option<Instant>,
    /// A time limit for this call, instead of the pool's where it is shorter.
    pub timeout: Option<Duration>,
    /// W3C trace context of the caller's span.
    pub traceparent: Option<String>,
    /// Amazon's trace header as the function is to see it, instead of one made of `traceparent`.
    pub trace_id: Option<String>,
    /// The caller's key for making a repeat harmless.
    pub idempotency_key: Option<String>,
    /// Lambda's client context: JSON, not base64.
    pub client_context: Option<String>,
    /// The ARN by which the function was called, if not the pool's.
    pub invoked_arn: Option<String>,
}

impl Request {
    /// A call with a payload and nothing else.
    pub fn new(request_id: impl Into<String>, payload: impl Into<Payload>) -> Self {
        Self {
            request_id: request_id.into(),
            payload: payload.into(),
            content_type: None,
            deadline: None,
            timeout: None,
            traceparent: None,
            trace_id: None,
            idempotency_key: None,
            client_context: None,
            invoked_arn: None,
        }
    }

    /// A call with a JSON payload.
    pub fn json(request_id: impl Into<String>, json: impl Into<Bytes>) -> Self {
        let mut request = Self::new(request_id, json.into());
        request.content_type = Some("application/json".to_owned());
        request
    }
}

/// What a call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// From the hand-over to the function until its answer began.
    pub duration: Duration,
    /// How long the instance took to get ready; only for the call that waited for it.
    pub init_duration: Option<Duration>,
    /// The most memory the process tree was seen to use, in bytes, since its start.
    pub max_memory_bytes: u64,
}

/// A function's answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Response {
    /// The answer's media type, if the function named one.
    pub content_type: Option<String>,
    /// 200 for the Runtime API; over HTTP the status of the function's server (never a 5xx).
    pub status: u16,
    /// The answer.
    pub body: Body,
    /// Whether the function streams its answer: the body may end in an error.
    pub streaming: bool,
    /// The version that answered.
    pub version: String,
    /// Whether the call had to wait for its instance to start.
    pub cold: bool,
    /// The instance that answered.
    pub instance: String,
    /// What the call cost.
    pub metrics: Metrics,
}

/// The body of an answer: whole, or piece by piece with backpressure (one piece is read ahead).
///
/// Dropping it tells the function nothing: the rest of its answer is read and thrown away until the
/// call's time limit.
pub struct Body(pub(crate) BodyKind);

pub(crate) enum BodyKind {
    Full(Option<Bytes>),
    Stream(mpsc::Receiver<Piece>),
    Done,
}

/// A message of a streamed body. The end is said, so that a sender that vanishes is not taken for it.
pub(crate) enum Piece {
    Data(Bytes),
    Failed(InvokeError),
    End,
}

impl Body {
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self(BodyKind::Full(Some(bytes)))
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// What broke the function's stream: its own error, a crash, the time limit or the size limit.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, InvokeError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The whole body, without a copy where it is whole already.
    ///
    /// # Errors
    /// [`InvokeError::TooLarge`] above `limit` bytes; otherwise as [`Body::chunk`].
    pub async fn collect(mut self, limit: u64) -> Result<Bytes, InvokeError> {
        let mut all = BytesMut::new();
        let mut first = None;
        while let Some(piece) = self.chunk().await {
            let piece = piece?;
            let size = (all.len() + first.as_ref().map_or(0, Bytes::len) + piece.len()) as u64;
            if size > limit {
                return Err(InvokeError::TooLarge { limit });
            }
            if all.is_empty() && first.is_none() {
                first = Some(piece);
                continue;
            }
            if let Some(first) = first.take() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&piece);
        }
        Ok(first.unwrap_or_else(|| all.freeze()))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, InvokeError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = match &mut self.0 {
            BodyKind::Full(bytes) => {
                return Poll::Ready(bytes.take().filter(|b| !b.is_empty()).map(Ok));
            }
            BodyKind::Stream(pieces) => ready!(pieces.poll_recv(cx)),
            BodyKind::Done => return Poll::Ready(None),
        };
        Poll::Ready(match piece {
            Some(Piece::Data(bytes)) => Some(Ok(bytes)),
            last => {
                self.0 = BodyKind::Done;
                match last {
                    Some(Piece::Failed(error)) => Some(Err(error)),
                    Some(_) => None,
                    None => Some(Err(InvokeError::Shutdown { may_have_run: true })),
                }
            }
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BodyKind::Full(bytes) => {
                write!(f, "Body({} bytes)", bytes.as_ref().map_or(0, Bytes::len))
            }
            BodyKind::Stream(_) => f.write_str("Body(stream)"),
            BodyKind::Done => f.write_str("Body(read)"),
        }
    }
}
