//! `InvokeWithResponseStream`, and what it shares with streaming URLs.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyport_engine::{Body, InvokeError, Trail};
use bytes::Bytes;
use data_encoding::BASE64;
use futures_core::Stream;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::buffered::{self, Begun};
use super::failure::Failure;
use super::{Done, Invocation, Trace, admit, authorize, request};
use crate::answer::{Answer, AnswerBody, ApiError, Event};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::services::lambda::run::{Run, Slot, Status};
use crate::services::lambda::state::Resolved;

/// What a function answers with.
#[derive(Debug)]
pub(crate) enum Opened {
    /// All of it, or its failure.
    Whole(Done),
    /// Piece by piece.
    Stream(Streaming),
}

/// An answer that comes piece by piece. The function is not told when nobody listens any more; it runs
/// to its end.
#[derive(Debug)]
pub(crate) struct Streaming {
    /// The media type that the function named.
    pub(crate) content_type: Option<String>,
    /// The version that runs.
    pub(crate) version: String,
    pieces: mpsc::Receiver<Piece>,
}

/// A part of a streamed answer.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Some bytes.
    Data(Bytes),
    /// The end: how it failed, if it did, and the end of the log.
    End {
        /// The error's body.
        failure: Option<Bytes>,
        /// The end of the call's log.
        log: String,
    },
}

impl Streaming {
    /// The next part; `None` after the end.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        self.pieces.recv().await
    }

    /// As [`Self::next`], for streams.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.pieces.poll_recv(cx)
    }
}

/// Calls the function, and returns when its answer begins.
///
/// # Errors
/// The service's.
pub(crate) async fn open(
    cloud: &Arc<Cloud>,
    resolved: Resolved,
    slot: Slot,
    invocation: Invocation,
) -> Result<Opened, ApiError> {
    let own = Arc::clone(cloud);
    super::detached(cloud, async move {
        let begun = buffered::begin(&own, &resolved, &invocation).await?;
        match begun.result {
            Ok(response) if response.streaming => {
                let (send, pieces) = mpsc::channel(1);
                let streaming = Streaming {
                    content_type: response.content_type,
                    version: begun.run.config().version.clone(),
                    pieces,
                };
                let pump = Pump {
                    run: begun.run,
                    trail: begun.trail,
                    invocation,
                    _slot: slot,
                };
                tokio::spawn(pump.run(response.body, send));
                Ok(Opened::Stream(streaming))
            }
            result => {
                let begun = Begun { result, ..begun };
                let done = buffered::finish(begun, &invocation).await;
                drop(slot);
                done.map(Opened::Whole)
            }
        }
    })
    .await
}

/// Passes an answer on and reports its end.
struct Pump {
    run: Arc<Run>,
    trail: Option<Trail>,
    invocation: Invocation,
    _slot: Slot,
}

impl Pump {
    async fn run(self, mut body: Body, pieces: mpsc::Sender<Piece>) {
        let mut failure: Option<Result<Failure, InvokeError>> = None;
        while let Some(piece) = body.chunk().await {
            match piece {
                // Nobody to read it: the rest is read all the same, so that the function may finish.
                Ok(data) => drop(pieces.send(Piece::Data(data)).await),
                Err(error) => {
                    let judged = buffered::judge(&self.run, &self.invocation, &error);
                    failure = Some(judged.map_err(|_| error));
                }
            }
        }
        let status = match &failure {
            None => Status::Answered,
            Some(Ok(failure)) => failure.status.clone(),
            Some(Err(_)) => Status::Failed {
                kind: "Platform.Unknown".to_owned(),
                message: None,
            },
        };
        let log = buffered::report(&self.run, &self.invocation, self.trail.as_ref(), status);
        let failure = failure.map(|failure| match failure {
            Ok(failure) => failure.payload,
            Err(error) => Bytes::from(Value::from(error.to_string()).to_string()),
        });
        let _ = pieces.send(Piece::End { failure, log }).await;
    }
}

/// `InvokeWithResponseStream`.
pub(super) async fn invoke(call: Call) -> Result<Answer, ApiError> {
    if call.payload.len() > request::sync_limit() {
        return Err(request::too_large());
    }
    let target = request::target(&call)?;
    authorize(&call.cx, &target)?;
    let mut output = Map::new();
    if call.text("InvocationType") == Some("DryRun") {
        request::dry_run(&call, &target)?;
        output.insert("StatusCode".to_owned(), 204.into());
        return Ok(Answer::json(output.into()).status(204));
    }
    let tail = call.text("LogType") == Some("Tail");
    let payload = request::payload(&call.payload)?;
    let client_context = request::client_context(&call)?;
    let cloud = &call.cx.cloud;
    let (resolved, slot) = admit(cloud, &target)?;
    let mut trace = Trace::of(&call.headers, cloud.clock.epoch_millis() / 1000);
    trace.pass(&resolved)?;
    let invocation = Invocation {
        request: call.cx.request_id.clone(),
        payload,
        client_context,
        trace,
    };
    let opened = open(cloud, resolved, slot, invocation).await?;
    let (version, parts) = match opened {
        Opened::Whole(done) => (done.version.clone(), Parts::Whole(whole(done))),
        Opened::Stream(streaming) => (streaming.version.clone(), Parts::Stream(streaming)),
    };
    output.insert("StatusCode".to_owned(), 200.into());
    output.insert("ExecutedVersion".to_owned(), version.into());
    let events = Events { parts, tail };
    Ok(Answer::json(output.into()).payload(AnswerBody::Events(Box::pin(events))))
}

/// A whole answer as parts. An error is told by the last message alone: *guessed*.
fn whole(done: Done) -> std::vec::IntoIter<Piece> {
    let (log, payload) = (done.log, done.payload);
    let end = |failure| Piece::End { failure, log };
    let parts = if done.failed {
        vec![end(Some(payload))]
    } else if payload.is_empty() {
        vec![end(None)]
    } else {
        vec![Piece::Data(payload), end(None)]
    };
    parts.into_iter()
}

enum Parts {
    Whole(std::vec::IntoIter<Piece>),
    Stream(Streaming),
}

/// The messages of the event stream.
struct Events {
    parts: Parts,
    tail: bool,
}

impl Stream for Events {
    type Item = Result<Event, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let tail = self.tail;
        let part = match &mut self.parts {
            Parts::Whole(parts) => parts.next(),
            Parts::Stream(streaming) => std::task::ready!(streaming.poll_next(cx)),
        };
        Poll::Ready(part.map(|part| Ok(message(part, tail))))
    }
}

/// Source: Lambda API model, `InvokeWithResponseStreamResponseEvent`. *Guessed*: the error's code is the
/// word that `Invoke` has in its header.
fn message(part: Piece, tail: bool) -> Event {
    match part {
        Piece::Data(payload) => Event {
            name: "PayloadChunk",
            content_type: "application/octet-stream",
            payload,
        },
        Piece::End { failure, log } => {
            let mut complete = Map::new();
            if let Some(failure) = failure {
                let details = String::from_utf8_lossy(&failure).into_owned();
                complete.insert("ErrorCode".to_owned(), "Unhandled".into());
                complete.insert("ErrorDetails".to_owned(), details.into());
            }
            if tail {
                let log = BASE64.encode(log.as_bytes());
                complete.insert("LogResult".to_owned(), log.into());
            }
            Event {
                name: "InvokeComplete",
                content_type: "application/json",
                payload: Bytes::from(Value::Object(complete).to_string()),
            }
        }
    }
}
