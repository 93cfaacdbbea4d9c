//! The seam for real use: Tokio's clock, cancellation, counting and traces.

mod calls;
mod cancel;
mod observer;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyport_core::context::{Admission, Attempt, Interrupt, Seam};
use anyport_core::error::{Error, ErrorKind, Result};
use futures_core::future::BoxFuture;
use futures_util::future::{Either, select};
use tokio::time::Instant;

pub use calls::{Calls, Counts};
pub use cancel::Cancel;
pub use observer::Observer;

/// The [`Seam`] that a [`Target`](crate::Target) uses unless its options bring another: Tokio's clock, a [`Cancel`] handle, [`Calls`] and an
/// optional [`Observer`].
pub struct LiveSeam {
    start: Instant,
    random: AtomicU64,
    cancel: Cancel,
    calls: Calls,
    observer: Option<Arc<dyn Observer>>,
}

impl LiveSeam {
    /// A seam that stops with `cancel`, counts into `calls` and tells `observer`. Its clock starts now.
    #[must_use]
    pub fn new(cancel: Cancel, calls: Calls, observer: Option<Arc<dyn Observer>>) -> Self {
        Self {
            start: Instant::now(),
            // Keyed by the process's own random state: enough to spread retries of many clients.
            random: AtomicU64::new(RandomState::new().hash_one(0u8)),
            cancel,
            calls,
            observer,
        }
    }
}

impl Seam for LiveSeam {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn interrupted(&self, deadline: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        // A deadline too far away for the clock is none.
        let Some(at) = deadline.and_then(|deadline| self.start.checked_add(deadline)) else {
            return Box::pin(async {
                self.cancel.cancelled().await;
                Interrupt::Cancelled
            });
        };
        Box::pin(async move {
            let cancelled = std::pin::pin!(self.cancel.cancelled());
            let passed = std::pin::pin!(tokio::time::sleep_until(at));
            match select(cancelled, passed).await {
                Either::Left(_) => Interrupt::Cancelled,
                Either::Right(_) => Interrupt::Deadline,
            }
        })
    }

    fn jitter(&self) -> f64 {
        // SplitMix64: a fixed increment, then mixing; the top 53 bits fill a double's mantissa.
        let mut z = self
            .random
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }

    fn before(&self, attempt: &Attempt<'_>) -> Admission {
        if self.cancel.is_cancelled() {
            return Admission::Refuse(
                Error::new(ErrorKind::Cancelled, attempt.verb).on(attempt.resource),
            );
        }
        self.calls.sent(attempt);
        tracing::trace!(
            target: "anyport",
            operation = attempt.operation,
            resource = attempt.resource,
            attempt = attempt.number,
            step = attempt.step,
            "call"
        );
        if let Some(observer) = &self.observer {
            observer.sent(attempt);
        }
        Admission::Go
    }

    fn after(&self, attempt: &Attempt<'_>, took: Duration, error: Option<&Error>) -> Result<()> {
        self.calls.answered(attempt, error.is_some());
        tracing::debug!(
            target: "anyport",
            operation = attempt.operation,
            resource = attempt.resource,
            attempt = attempt.number,
            step = attempt.step,
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            error = error.map(|error| error.kind().name()),
            "called"
        );
        if let Some(observer) = &self.observer {
            observer.answered(attempt, took, error);
        }
        Ok(())
    }
}

impl std::fmt::Debug for LiveSeam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveSeam")
            .field("cancel", &self.cancel)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seam(cancel: &Cancel) -> LiveSeam {
        LiveSeam::new(cancel.clone(), Calls::default(), None)
    }

    #[tokio::test(start_paused = true)]
    async fn whichever_comes_first_interrupts() {
        let cancel = Cancel::new();
        let seam = seam(&cancel);
        let deadline = seam.now() + Duration::from_secs(5);
        assert_eq!(seam.interrupted(Some(deadline)).await, Interrupt::Deadline);
        assert!(seam.now() >= deadline);
        let later = seam.now() + Duration::from_secs(5);
        let (interrupt, ()) = tokio::join!(seam.interrupted(Some(later)), async {
            cancel.cancel();
        });
        assert_eq!(interrupt, Interrupt::Cancelled);
        assert_eq!(
            seam.interrupted(Some(Duration::MAX)).await,
            Interrupt::Cancelled
        );
    }

    #[tokio::test]
    async fn jitter_stays_in_range_and_spreads() {
        let seam = seam(&Cancel::new());
        let drawn: Vec<f64> = (0..1000).map(|_| seam.jitter()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        assert!(drawn.iter().any(|x| *x < 0.1) && drawn.iter().any(|x| *x > 0.9));
    }
}
