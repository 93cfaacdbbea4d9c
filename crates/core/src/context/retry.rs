//! When a failed call is tried again.

use std::time::Duration;

use super::seam::Effect;
use crate::error::{Error, Retry};

/// How often and after which pauses calls are repeated.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all; 1 means no retry.
    pub attempts: u32,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(10),
        }
    }
}

/// What to do with a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Return the error as it is.
    Stop,
    /// It would be tried again, but it was tried often enough.
    GiveUp,
    /// Try again after this pause.
    Again(Duration),
}

impl RetryPolicy {
    /// No retries.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            attempts: 1,
            first: Duration::ZERO,
            longest: Duration::ZERO,
        }
    }

    /// At most this many attempts in all.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Decides about attempt `number` of a call with this effect.
    ///
    /// A call that may have run user code, or a write that may have happened and must not happen twice, is never repeated.
    #[must_use]
    pub fn decide(&self, effect: Effect, number: u32, error: &Error, jitter: f64) -> Decision {
        let repeatable = match effect {
            Effect::Read => true,
            Effect::Write { repeatable } | Effect::RunsUserCode { repeatable } => {
                repeatable || !error.user_code_may_have_run()
            }
        };
        let asked = match error.retry() {
            Retry::Safe => None,
            Retry::After(wait) => Some(wait),
            Retry::No | Retry::GaveUp { .. } => return Decision::Stop,
        };
        if !repeatable {
            return Decision::Stop;
        }
        if number >= self.attempts {
            return Decision::GiveUp;
        }
        let doubled = self
            .first
            .saturating_mul(1u32.checked_shl(number - 1).unwrap_or(u32::MAX))
            .min(self.longest);
        let spread = doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        Decision::Again(asked.map_or(spread, |asked| asked.max(spread)))
    }
}
