//! The bytes of an answer: whole, or a stream.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;

use crate::{Error, guard};

pub(crate) enum Body {
    Whole(Bytes),
    Stream(Chunks),
}

type BoxStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// The chunks of a streamed answer. Empty chunks are skipped (in chunked coding an empty one is the
/// end), a panic ends the stream with an error, and nothing comes after an error.
pub(crate) struct Chunks {
    source: Option<BoxStream>,
}

impl Chunks {
    pub(crate) fn new(source: BoxStream) -> Self {
        Self {
            source: Some(source),
        }
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            let Some(source) = &mut self.source else {
                return Poll::Ready(None);
            };
            let polled = catch_unwind(AssertUnwindSafe(|| source.as_mut().poll_next(cx)))
                .unwrap_or_else(|panic| {
                    Poll::Ready(Some(Err(Error::panicked(guard::message(&*panic)))))
                });
            match polled {
                Poll::Ready(Some(Ok(chunk))) if chunk.is_empty() => {}
                Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(Some(Ok(chunk))),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(end) => {
                    self.source = None;
                    return Poll::Ready(end);
                }
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }
}

pin_project_lite::pin_project! {
    /// A stream of anything that is bytes, as a stream of bytes.
    pub(crate) struct IntoBytes<S> {
        #[pin]
        source: S,
    }
}

impl<S> IntoBytes<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source }
    }
}

impl<S, B> Stream for IntoBytes<S>
where
    S: Stream<Item = Result<B, Error>>,
    B: Into<Bytes>,
{
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project()
            .source
            .poll_next(cx)
            .map(|item| item.map(|chunk| chunk.map(Into::into)))
    }
}

/// Where a [`Response::streaming`](crate::Response::streaming) writer puts its bytes.
#[derive(Debug)]
pub struct Sink {
    slot: Arc<Mutex<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    chunk: Option<Bytes>,
    /// Whoever waits for the slot to become free, or full: the writer may have moved its sink to
    /// another task, so each wakes the other.
    waiting: Option<Waker>,
}

impl Slot {
    fn wait(&mut self, cx: &Context<'_>) {
        self.waiting = Some(cx.waker().clone());
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> std::sync::MutexGuard<'_, Slot> {
    // No foreign code runs under this lock but a waker's, so a poisoned one is still consistent.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink {
    /// Sends the next bytes and waits until the platform has taken them: a slow reader slows the
    /// writer, never more than one chunk is held, and what was sent is out before the code goes on.
    ///
    /// If the reader goes away the writer is dropped at this point, so there is no error to handle.
    pub async fn send(&mut self, chunk: impl Into<Bytes>) {
        let mut chunk = Some(chunk.into());
        std::future::poll_fn(|cx| {
            let mut slot = lock(&self.slot);
            if slot.chunk.is_none() {
                slot.chunk = chunk.take();
                if slot.chunk.is_none() {
                    return Poll::Ready(());
                }
                slot.wake();
            }
            slot.wait(cx);
            Poll::Pending
        })
        .await;
    }
}

/// Drives a writer and yields what it sends.
pub(crate) struct Written<F> {
    writer: Option<Pin<Box<F>>>,
    slot: Arc<Mutex<Slot>>,
    failed: Option<Error>,
}

impl<F: Future<Output = Result<(), Error>>> Written<F> {
    pub(crate) fn new(start: impl FnOnce(Sink) -> F) -> Self {
        let slot = Arc::new(Mutex::new(Slot::default()));
        let writer = start(Sink {
            slot: Arc::clone(&slot),
        });
        Self {
            writer: Some(Box::pin(writer)),
            slot,
            failed: None,
        }
    }

    fn take(&self) -> Option<Bytes> {
        let mut slot = lock(&self.slot);
        let chunk = slot.chunk.take()?;
        slot.wake();
        Some(chunk)
    }
}

impl<F: Future<Output = Result<(), Error>>> Stream for Written<F> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(chunk) = self.take() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        if let Some(writer) = &mut self.writer
            && let Poll::Ready(result) = writer.as_mut().poll(cx)
        {
            self.writer = None;
            self.failed = result.err();
        }
        // What was sent goes out first, also when the writer has failed since.
        if let Some(chunk) = self.take() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        if self.writer.is_some() {
            let mut slot = lock(&self.slot);
            if slot.chunk.is_none() {
                slot.wait(cx);
                return Poll::Pending;
            }
            return Poll::Ready(slot.chunk.take().map(Ok));
        }
        Poll::Ready(self.failed.take().map(Err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Response;

    fn drain(response: Response) -> (Vec<Bytes>, Option<Error>) {
        let Body::Stream(mut chunks) = response.into_parts().1 else {
            panic!("not a stream")
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut seen = Vec::new();
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) => seen.push(chunk),
                    Err(error) => {
                        assert!(
                            chunks.next().await.is_none(),
                            "nothing comes after an error"
                        );
                        return (seen, Some(error));
                    }
                }
            }
            (seen, None)
        })
    }

    #[test]
    fn a_writer_yields_in_order_and_without_empty_chunks() {
        let (seen, error) = drain(Response::streaming("text/plain", |mut out| async move {
            for part in ["a", "", "b", "c"] {
                out.send(part).await;
            }
            Ok(())
        }));
        assert_eq!(seen, ["a", "b", "c"]);
        assert!(error.is_none());
    }

    #[test]
    fn what_was_sent_before_a_failure_is_kept() {
        let (seen, error) = drain(Response::streaming("text/plain", |mut out| async move {
            out.send("a").await;
            Err(Error::new("Gone", "the source went away"))
        }));
        assert_eq!(seen, ["a"]);
        assert_eq!(error.unwrap().error_type(), "Gone");
    }

    #[test]
    fn a_panic_ends_the_stream_with_an_error() {
        let (seen, error) = drain(Response::streaming("text/plain", |mut out| async move {
            out.send("a").await;
            panic!("no more")
        }));
        assert_eq!(seen, ["a"]);
        assert_eq!(error.unwrap().to_string(), "Runtime.Panic: no more");
    }

    #[test]
    fn a_sink_works_from_another_task() {
        let (seen, error) = drain(Response::streaming("text/plain", |mut out| async move {
            let task = tokio::spawn(async move {
                for part in ["a", "b", "c"] {
                    out.send(part).await;
                    tokio::task::yield_now().await;
                }
            });
            Ok(task.await?)
        }));
        assert_eq!(seen, ["a", "b", "c"]);
        assert!(error.is_none());
    }
}
