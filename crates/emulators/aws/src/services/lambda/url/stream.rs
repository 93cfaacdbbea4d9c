//! Streamed replies of function URLs.
//!
//! A function that wants to say status and headers answers with the media type of the integration, a
//! prelude in JSON, eight zero bytes and then the body. Source: AWS's runtime client for Node.js.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde_json::Value;

use super::{Reply, failed, reply};
use crate::answer::AnswerBody;
use crate::services::lambda::invoke::{Done, Piece, Streaming};

/// The media type of answers with a prelude.
pub(super) const INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";
/// What parts the prelude from the body.
const DELIMITER: [u8; 8] = [0; 8];
/// Bytes that a prelude may have. *Guessed*.
const PRELUDE: usize = 64 << 10;

/// An answer that came whole to a URL that streams: it is the body. *Guessed*: that parts of a reply are
/// not looked for in it.
pub(super) fn whole(done: Done) -> Reply {
    if done.content_type.as_deref() == Some(INTEGRATION) {
        return split(&done.payload).unwrap_or_else(failed);
    }
    let mut reply = Response::new(AnswerBody::Bytes(done.payload));
    content_type(&mut reply, done.content_type.as_deref());
    reply
}

/// The reply in an answer with a prelude.
pub(super) fn split(answer: &Bytes) -> Option<Reply> {
    let at = find(answer)?;
    let mut reply = head(&answer[..at])?;
    let body = answer.slice(at + DELIMITER.len()..);
    *reply.body_mut() = AnswerBody::Bytes(body);
    Some(reply)
}

/// The reply of an answer that comes piece by piece; returns when its head is known.
pub(super) async fn begin(mut streaming: Streaming) -> Reply {
    let kind = streaming.content_type.clone();
    if kind.as_deref() != Some(INTEGRATION) {
        // The first piece tells whether there is anything at all.
        return match streaming.next().await {
            Some(Piece::End {
                failure: Some(_), ..
            })
            | None => failed(),
            Some(first) => {
                let mut reply = Response::new(body(Some(first), streaming));
                content_type(&mut reply, kind.as_deref());
                reply
            }
        };
    }
    let mut seen = BytesMut::new();
    while let Some(Piece::Data(data)) = streaming.next().await {
        seen.extend_from_slice(&data);
        if let Some(at) = find(&seen) {
            let Some(mut reply) = head(&seen[..at]) else {
                return failed();
            };
            let rest = seen.split_off(at + DELIMITER.len()).freeze();
            let first = (!rest.is_empty()).then_some(Piece::Data(rest));
            *reply.body_mut() = body(first, streaming);
            return reply;
        }
        if seen.len() > PRELUDE {
            break;
        }
    }
    failed()
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(DELIMITER.len())
        .position(|window| window == DELIMITER)
}

fn head(prelude: &[u8]) -> Option<Reply> {
    let mut made = Response::new(AnswerBody::Empty);
    content_type(&mut made, None);
    match serde_json::from_slice(prelude).ok()? {
        Value::Object(parts) => reply::head(&parts, &mut made)?,
        _ => return None,
    }
    Some(made)
}

fn content_type(reply: &mut Reply, kind: Option<&str>) {
    let kind = kind.and_then(|kind| HeaderValue::from_str(kind).ok());
    let kind = kind.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream"));
    reply.headers_mut().insert(CONTENT_TYPE, kind);
}

fn body(first: Option<Piece>, streaming: Streaming) -> AnswerBody {
    let pieces = Pieces {
        first,
        streaming,
        ended: false,
    };
    AnswerBody::Stream(Box::pin(pieces), None)
}

/// The pieces of a body. A function that fails half-way breaks the connection: nothing else can be said.
struct Pieces {
    first: Option<Piece>,
    streaming: Streaming,
    ended: bool,
}

impl Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = match self.first.take() {
            Some(piece) => Some(piece),
            None => std::task::ready!(self.streaming.poll_next(cx)),
        };
        if let Some(Piece::Data(data)) = piece {
            return Poll::Ready(Some(Ok(data)));
        }
        self.ended = true;
        Poll::Ready(match piece {
            Some(Piece::End { failure: None, .. }) => None,
            _ => Some(Err(io::Error::other("the function failed half-way"))),
        })
    }
}
