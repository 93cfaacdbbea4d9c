//! Stopping everything that is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A handle that stops every verb of the targets it was given to. Clones are the same handle.
///
/// A verb that is stopped returns `Cancelled`, or `Incomplete` when some of its steps were done; no call is started afterwards.
/// Cancelling is for good: later verbs of the same targets are refused as well. To stop one verb only, drop its future.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    told: Notify,
}

impl Cancel {
    /// A handle that nobody has used yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops everything. A second time changes nothing.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        self.0.told.notify_waiters();
    }

    /// Whether it was used.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Resolves once it is used.
    pub async fn cancelled(&self) {
        let mut told = std::pin::pin!(self.0.told.notified());
        // Listening before looking: a cancellation in between is not missed.
        told.as_mut().enable();
        if !self.is_cancelled() {
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn all_who_wait_are_told_and_late_ones_at_once() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let mut early = [
            other.cancelled().boxed_local(),
            other.cancelled().boxed_local(),
        ];
        assert!(
            early
                .iter_mut()
                .all(|waiting| waiting.now_or_never().is_none())
        );
        cancel.cancel();
        assert!(early.into_iter().all(|told| told.now_or_never().is_some()));
        assert!(other.cancelled().now_or_never().is_some() && other.is_cancelled());
    }
}
