//! Lambda's control plane takes few requests a second from an account. Once it said so, this target's requests go out one after the other,
//! a little slower than that, so that many deploys at a time all come through.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyport_core::context::Ctx;
use anyport_core::error::Result;

/// What Lambda counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// `GetFunction`: 100 a second. Source: Lambda developer guide.
    Functions,
    /// Everything else of the control plane: 15 a second in all. Source: Lambda developer guide.
    Control,
}

impl Lane {
    /// The distance between two requests: somewhat more than Lambda asks, for others are there too.
    const fn distance(self) -> Duration {
        match self {
            Self::Functions => Duration::from_micros(12_500),
            Self::Control => Duration::from_millis(83),
        }
    }
}

/// After this long without a request, they may go out at once again.
const FORGET: Duration = Duration::from_secs(10);

/// When the next request of each lane may go out; none while nobody was refused.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    lanes: Mutex<[Option<Duration>; 2]>,
}

impl Pace {
    /// Waits for this request's turn.
    ///
    /// # Errors
    /// When the context's work ends before.
    pub(crate) async fn turn(&self, cx: &Ctx, lane: Lane) -> Result<()> {
        match self.take(cx.now(), lane) {
            Some(wait) if !wait.is_zero() => cx.pause(cx.verb(), wait).await,
            _ => Ok(()),
        }
    }

    /// Takes the next turn, and says how long it is until then.
    fn take(&self, now: Duration, lane: Lane) -> Option<Duration> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let next = &mut lanes[lane as usize];
        let at = (*next)?;
        if now > at.saturating_add(FORGET) {
            *next = None;
            return None;
        }
        let at = at.max(now);
        *next = Some(at.saturating_add(lane.distance()));
        Some(at.saturating_sub(now))
    }

    /// Lambda refused a request because there were too many.
    pub(crate) fn refused(&self, now: Duration, lane: Lane) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let next = &mut lanes[lane as usize];
        if next.is_none() {
            *next = Some(now.saturating_add(lane.distance()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_queue_up_once_one_was_refused_and_only_then() {
        let pace = Pace::default();
        let now = Duration::from_secs(100);
        assert_eq!(pace.take(now, Lane::Control), None);
        pace.refused(now, Lane::Control);
        let waits: Vec<_> = (0..3)
            .filter_map(|_| pace.take(now, Lane::Control))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [83, 166, 249]);
        assert_eq!(pace.take(now, Lane::Functions), None);
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.take(later, Lane::Control), None);
    }
}
