//! Rate limits, as token buckets on the cloud's clock.
//!
//! Source of the rates: the Lambda developer guide's quotas of API requests. How much may come at once is
//! guessed: what comes in two seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::answer::ApiError;
use crate::call::Service;
use crate::clock::Clock;
use crate::config::Limits;

/// How many seconds' worth may come at once. Guessed.
const BURST: f64 = 2.0;

/// The buckets of all accounts and regions.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Bucket>>);

type Key = (Family, String, String);

/// Operations that share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    GetFunction,
    GetPolicy,
    Control,
    Invoke,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: SystemTime,
}

impl Throttle {
    /// Lets a call go on if its limit is not reached.
    ///
    /// # Errors
    /// `TooManyRequestsException` with a `Retry-After`.
    pub(crate) fn pass(
        &self,
        limits: &Limits,
        clock: &Clock,
        (service, operation): (Service, &str),
        account: &str,
        region: &str,
    ) -> Result<(), ApiError> {
        if service != Service::Lambda {
            return Ok(());
        }
        let (family, rate) = match operation {
            "GetFunction" => (Family::GetFunction, limits.get_function_rate),
            "GetPolicy" => (Family::GetPolicy, limits.get_policy_rate),
            "Invoke" | "InvokeAsync" | "InvokeWithResponseStream" => (
                Family::Invoke,
                limits
                    .invokes_per_concurrency
                    .map(|rate| rate * f64::from(limits.concurrency)),
            ),
            _ => (Family::Control, limits.control_rate),
        };
        let Some(rate) = rate.filter(|rate| *rate > 0.0) else {
            return Ok(());
        };
        let now = clock.now();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((family, account.to_owned(), region.to_owned()))
            .or_insert(Bucket {
                tokens: rate * BURST,
                filled: now,
            });
        if let Ok(since) = now.duration_since(bucket.filled) {
            bucket.tokens = (bucket.tokens + since.as_secs_f64() * rate).min(rate * BURST);
        }
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(too_many(family))
    }
}

fn too_many(family: Family) -> ApiError {
    let (message, reason) = match family {
        Family::Invoke => ("Rate Exceeded.", "FunctionInvocationRateLimitExceeded"),
        _ => ("Rate exceeded", "CallerRateLimitExceeded"),
    };
    ApiError::new("TooManyRequestsException", message)
        .status(429)
        .with("Type", "User")
        .with("Reason", reason)
        .with("retryAfterSeconds", "1")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_runs_out_and_is_filled_again() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let (throttle, limits) = (Throttle::default(), Limits::default());
        let pass = |operation, account| {
            throttle
                .pass(&limits, &clock, (Service::Lambda, operation), account, "r")
                .is_ok()
        };
        let passed = (0..100).filter(|_| pass("CreateFunction", "a")).count();
        assert_eq!(passed, 30);
        assert!(pass("CreateFunction", "b"), "another account has its own");
        assert!(pass("GetFunction", "a"), "another family has its own");
        clock.advance(Duration::from_millis(200));
        assert_eq!((0..100).filter(|_| pass("DeleteFunction", "a")).count(), 3);
    }

    #[test]
    fn without_limits_nothing_is_refused() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let throttle = Throttle::default();
        for _ in 0..1000 {
            throttle
                .pass(
                    &Limits::off(),
                    &clock,
                    (Service::Lambda, "GetPolicy"),
                    "a",
                    "r",
                )
                .unwrap();
        }
    }
}
