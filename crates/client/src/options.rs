//! How a target is used: for whom, how patiently, and who watches.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyport_core::context::{RetryPolicy, Seam};
use anyport_core::mark::Owner;

use crate::progress::Progress;
use crate::seam::{Cancel, Observer};

/// How a [`Target`](crate::Target) is used.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// In whose name things are changed. What carries another mark, or none, is left alone.
    pub owner: Owner,
    /// How calls that may be repeated are repeated.
    pub retry: RetryPolicy,
    /// How long verbs may take.
    pub timeouts: Timeouts,
    /// Told what happens to a plan while it is applied.
    pub progress: Option<Arc<dyn Progress>>,
    /// Told of every call; calls are also traced and counted without it. Unused when [`seam`](Self::seam) is set.
    pub observer: Option<Arc<dyn Observer>>,
    /// Stops everything under way. Unused when [`seam`](Self::seam) is set.
    pub cancel: Cancel,
    /// Replaces the clock, cancellation and admission of every call: for tests.
    pub seam: Option<Arc<dyn Seam>>,
    /// A deliberate defect, for the conformance suite's own test.
    #[cfg(feature = "mutants")]
    pub mutation: Option<crate::mutation::Mutation>,
}

impl Options {
    /// The defaults, in the name of `owner`.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        Self {
            owner,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            progress: None,
            observer: None,
            cancel: Cancel::new(),
            seam: None,
            #[cfg(feature = "mutants")]
            mutation: None,
        }
    }

    /// Sets how calls are repeated.
    #[must_use]
    pub const fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how long verbs may take.
    #[must_use]
    pub const fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets who is told what happens to a plan.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Sets who is told of every call.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Shares a handle that stops everything under way.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Replaces the clock, cancellation and admission of every call.
    #[must_use]
    pub fn with_seam(mut self, seam: Arc<dyn Seam>) -> Self {
        self.seam = Some(seam);
        self
    }
}

#[cfg(feature = "mutants")]
impl Options {
    /// Puts a deliberate defect into the client.
    #[must_use]
    pub const fn with_mutation(mut self, mutation: crate::mutation::Mutation) -> Self {
        self.mutation = Some(mutation);
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("owner", &self.owner)
            .field("retry", &self.retry)
            .field("timeouts", &self.timeouts)
            .field("progress", &self.progress.is_some())
            .field("observer", &self.observer.is_some())
            .field("seam", &self.seam.is_some())
            .finish_non_exhaustive()
    }
}

/// How long verbs may take, all attempts and pauses included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// A verb that only reads; for a listing, each page. Default 60 seconds.
    pub read: Duration,
    /// A verb that changes something. Default 15 minutes.
    pub change: Duration,
    /// An invocation, unless it says so itself. When absent, the longest time limit a function can have on the target, and a minute more.
    pub invoke: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(60),
            change: Duration::from_secs(15 * 60),
            invoke: None,
        }
    }
}

impl Timeouts {
    /// Sets the limit of verbs that only read.
    #[must_use]
    pub const fn read(mut self, limit: Duration) -> Self {
        self.read = limit;
        self
    }

    /// Sets the limit of verbs that change something.
    #[must_use]
    pub const fn change(mut self, limit: Duration) -> Self {
        self.change = limit;
        self
    }

    /// Sets the limit of invocations.
    #[must_use]
    pub const fn invoke(mut self, limit: Duration) -> Self {
        self.invoke = Some(limit);
        self
    }
}
