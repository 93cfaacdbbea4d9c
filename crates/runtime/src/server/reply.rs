//! The body of an HTTP answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};

use crate::Error;
use crate::body::Chunks;
use crate::log::log;

pub(super) enum ReplyBody {
    /// Taken when it is sent; never empty.
    Whole(Option<Bytes>),
    Stream(Box<Streamed>),
}

/// Chunks up to a deadline, after which the stream is aborted.
pub(super) struct Streamed {
    first: Option<Bytes>,
    rest: Chunks,
    deadline: Option<Pin<Box<Sleep>>>,
    request_id: Arc<str>,
    failed: bool,
}

impl ReplyBody {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }

    pub(super) fn stream(
        first: Bytes,
        rest: Chunks,
        deadline: Option<tokio::time::Instant>,
        request_id: Arc<str>,
    ) -> Self {
        let deadline = deadline.map(|at| Box::pin(sleep_until(at)));
        Self::Stream(Box::new(Streamed {
            first: Some(first),
            rest,
            deadline,
            request_id,
            failed: false,
        }))
    }
}

/// The end of a body that has failed; the connection is closed without the last chunk, which is how
/// a reader of HTTP knows that something is missing.
#[derive(Debug)]
pub(super) struct Aborted;

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler failed while its answer was being sent")
    }
}

impl std::error::Error for Aborted {}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(streamed) if streamed.failed => Poll::Ready(Some(Err(Aborted))),
            Self::Stream(streamed) => match streamed.poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some(Ok(bytes))) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Poll::Ready(Some(Err(error))) => {
                    // This log line is the only place where the reason is kept.
                    log!(
                        "request {} failed while streaming: {error}",
                        streamed.request_id
                    );
                    // The server drops what it has not written when a body fails. One turn later
                    // it has written the chunks before.
                    streamed.failed = true;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

impl Streamed {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        // The deadline first: a stream that is always ready must end too.
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(Error::timeout())));
        }
        self.rest.poll_chunk(cx)
    }
}
