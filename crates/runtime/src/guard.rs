//! Small futures: a panic as an error, and whichever of two is done first.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::Error;

/// Runs a handler's future; a panic in it becomes an unhandled error and the process goes on.
///
/// The panic itself is printed by the panic hook, with its place in the code. A function built
/// with `panic = "abort"` dies instead, which every platform reports as a crash.
pub(crate) async fn catch<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // After a panic the future is never polled again, so what it left half-done is not seen.
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Error::panicked(message(&*panic)))))
    })
    .await
}

/// The text a panic was raised with.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "the handler panicked with a value that is no text".to_owned()
    }
}

pub(crate) enum Either<A, B> {
    Left(A),
    Right(B),
}

/// Waits for the first of two futures; the left one wins a tie.
pub(crate) async fn race<A: Future, B: Future>(
    mut left: Pin<&mut A>,
    mut right: Pin<&mut B>,
) -> Either<A::Output, B::Output> {
    poll_fn(|cx| {
        if let Poll::Ready(value) = left.as_mut().poll(cx) {
            return Poll::Ready(Either::Left(value));
        }
        right.as_mut().poll(cx).map(Either::Right)
    })
    .await
}
