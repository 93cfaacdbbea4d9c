//! The seam under every provider call: time, admission and reporting come from outside, so that core has none of its own.

use std::time::Duration;

use futures_core::future::BoxFuture;

use crate::error::{Error, Result};

/// What a provider call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Reads; may always be repeated.
    Read,
    /// Changes something.
    Write {
        /// Whether doing it twice is the same as doing it once.
        repeatable: bool,
    },
    /// Runs the user's code, which may have any effect.
    RunsUserCode {
        /// Whether the caller asked for retries or gave an idempotency key.
        repeatable: bool,
    },
}

/// One attempt of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The vendor's own name of the operation.
    pub operation: &'static str,
    /// What it is made for, in words: the caller's verb.
    pub verb: &'static str,
    /// What it does.
    pub effect: Effect,
    /// What it is done to.
    pub resource: &'a str,
    /// 1 for the first.
    pub number: u32,
    /// The planned step it belongs to, if it is in one.
    pub step: Option<u32>,
}

/// Whether an attempt may start.
#[derive(Debug)]
pub enum Admission {
    /// It may.
    Go,
    /// Not yet: ask again after this long.
    Wait(Duration),
    /// It may not.
    Refuse(Error),
}

/// Why work stopped before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interrupt {
    /// The deadline passed.
    Deadline,
    /// The caller asked to stop.
    Cancelled,
}

/// What core needs from outside: a clock, pauses, and a say before and after every call.
///
/// The client implements it for real use; tests implement it with a virtual clock, faults and counters.
pub trait Seam: Send + Sync {
    /// Monotonic time since an arbitrary start.
    fn now(&self) -> Duration;

    /// Resolves after `time`.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// Resolves when `deadline` (on [`now`](Self::now)'s clock) passes or the caller asks to stop; otherwise never.
    fn interrupted(&self, deadline: Option<Duration>) -> BoxFuture<'_, Interrupt>;

    /// A number from 0 (included) to 1 (excluded) that spreads retries.
    fn jitter(&self) -> f64;

    /// Asked before every attempt.
    fn before(&self, attempt: &Attempt<'_>) -> Admission;

    /// Told after every attempt that was sent and answered.
    ///
    /// # Errors
    /// An error here replaces the answer, as if the reply had been lost.
    fn after(&self, attempt: &Attempt<'_>, took: Duration, error: Option<&Error>) -> Result<()>;
}
