//! Streams that end when the caller gives up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyport_core::context::{Interrupt, Seam};
use anyport_core::error::{Error, ErrorKind, Result, TimedOut};
use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;

use crate::target::Target;

impl Target {
    /// `stream`, until it ends, `deadline` (on the seam's clock) passes or everything is cancelled; the last two are its last item.
    pub(crate) fn until_interrupted<T: Send + 'static>(
        &self,
        operation: &'static str,
        resource: &str,
        deadline: Option<Duration>,
        stream: BoxStream<'static, Result<T>>,
    ) -> BoxStream<'static, Result<T>> {
        let seam: Arc<dyn Seam> = Arc::clone(self.seam());
        let interrupted = async move { seam.interrupted(deadline).await }.boxed();
        Interruptible {
            operation,
            resource: resource.to_owned(),
            interrupted,
            stream: Some(stream),
        }
        .boxed()
    }
}

struct Interruptible<T> {
    operation: &'static str,
    resource: String,
    interrupted: BoxFuture<'static, Interrupt>,
    stream: Option<BoxStream<'static, Result<T>>>,
}

impl<T> Stream for Interruptible<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(interrupt) = this.interrupted.poll_unpin(cx) {
            // Dropping the stream frees what it holds open.
            this.stream = None;
            let kind = match interrupt {
                Interrupt::Deadline => ErrorKind::Timeout(TimedOut::Caller),
                _ => ErrorKind::Cancelled,
            };
            return Poll::Ready(Some(Err(
                Error::new(kind, this.operation).on(&this.resource)
            )));
        }
        let next = stream.poll_next_unpin(cx);
        if matches!(next, Poll::Ready(None)) {
            this.stream = None;
        }
        next
    }
}
