//! Counting calls, so that tests and benchmarks assert on numbers instead of times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyport_core::context::{Attempt, Effect};

/// Every attempt that was sent, by operation. Clones share the same counters.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<&'static str, Counts>>>);

/// The attempts of one operation, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Attempts that only read.
    pub reads: u64,
    /// Attempts that change something.
    pub writes: u64,
    /// Attempts that run user code.
    pub runs: u64,
    /// Attempts that were answered, with a failure or not. The rest was cut off or is under way.
    pub answered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts after the first of their call.
    pub retries: u64,
}

impl Counts {
    /// Attempts in all.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.reads + self.writes + self.runs
    }

    fn add(&mut self, other: &Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        self.runs += other.runs;
        self.answered += other.answered;
        self.failed += other.failed;
        self.retries += other.retries;
    }
}

impl Calls {
    /// The counts of every operation that was sent, by its vendor's name.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<&'static str, Counts> {
        self.counters().clone()
    }

    /// The counts of all operations together.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.counters().values() {
            total.add(counts);
        }
        total
    }

    /// Starts again from zero.
    pub fn reset(&self) {
        self.counters().clear();
    }

    pub(super) fn sent(&self, attempt: &Attempt<'_>) {
        let mut counters = self.counters();
        let counts = counters.entry(attempt.operation).or_default();
        match attempt.effect {
            Effect::Read => counts.reads += 1,
            Effect::Write { .. } => counts.writes += 1,
            Effect::RunsUserCode { .. } => counts.runs += 1,
        }
        counts.retries += u64::from(attempt.number > 1);
    }

    pub(super) fn answered(&self, attempt: &Attempt<'_>, failed: bool) {
        let mut counters = self.counters();
        let counts = counters.entry(attempt.operation).or_default();
        counts.answered += 1;
        counts.failed += u64::from(failed);
    }

    fn counters(&self) -> MutexGuard<'_, BTreeMap<&'static str, Counts>> {
        // Counters are valid after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
