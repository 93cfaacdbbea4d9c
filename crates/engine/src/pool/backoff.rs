//! Telling a crash loop from a hiccup.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{StartFailure, StartFailureKind};

/// Failures in a row that are followed by another try at once.
const FREE: u32 = 2;
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Holds a version back that keeps failing to start. A bad artifact is not held back: finding it bad
/// again costs nothing, and no process is started.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Instant>,
    last: Option<StartFailure>,
}

impl Backoff {
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn failed(&mut self, failure: &StartFailure, now: Instant) {
        if failure.kind.is_bad_artifact() || failure.kind == StartFailureKind::Closed {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = Some(failure.clone());
        if let Some(over) = self.failures.checked_sub(FREE + 1) {
            let pause = FIRST.saturating_mul(1 << over.min(10)).min(LONGEST);
            self.until = Some(now + pause);
        }
    }

    /// The last failure, while no new try is due.
    pub(crate) fn blocked(&self, now: Instant) -> Option<StartFailure> {
        let until = self.until.filter(|&until| until > now)?;
        let mut failure = self.last.clone()?;
        failure.retry_in = Some(until - now);
        Some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    fn failure(kind: StartFailureKind) -> StartFailure {
        StartFailure {
            function: "f".to_owned(),
            version: "1".to_owned(),
            kind,
            log_tail: Vec::new(),
            retry_in: None,
        }
    }

    #[test]
    fn a_crash_loop_is_held_back_longer_each_time() {
        let crash = failure(StartFailureKind::Crash {
            exit: Exit::Code(1),
        });
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..12 {
            backoff.failed(&crash, now);
            pauses.push(backoff.blocked(now).and_then(|failure| failure.retry_in));
        }
        assert_eq!(pauses[..4], [None, None, Some(FIRST), Some(FIRST * 2)]);
        assert_eq!(pauses[11], Some(LONGEST));
        assert_eq!(backoff.blocked(now + LONGEST).map(|f| f.kind), None);
        backoff.succeeded();
        assert!(backoff.blocked(now).is_none());
    }

    #[test]
    fn a_bad_artifact_is_no_crash_loop() {
        let missing = failure(StartFailureKind::Missing {
            path: "/code/bootstrap".into(),
        });
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        for _ in 0..12 {
            backoff.failed(&missing, now);
        }
        assert!(backoff.blocked(now).is_none());
    }
}
