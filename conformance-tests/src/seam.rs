//! The suite's own seam: it records every call with its step, loses calls and replies on request, and shortens pauses.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyport_core::context::{Admission, Attempt, Effect, Interrupt, Seam};
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use futures_core::future::BoxFuture;
use tokio::sync::Notify;

/// The longest real pause: what waits between attempts is not what the suite measures.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// One attempt that was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The vendor's name of the operation.
    pub operation: &'static str,
    /// What it does.
    pub effect: Effect,
    /// What it is done to.
    pub resource: String,
    /// 1 for the first attempt.
    pub number: u32,
    /// The planned step it belongs to.
    pub step: Option<u32>,
    /// Whether it was answered, and with success.
    pub answered: Option<bool>,
}

impl Recorded {
    /// Whether it changes something.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        matches!(self.effect, Effect::Write { .. })
    }

    /// Whether it runs user code.
    #[must_use]
    pub const fn is_run(&self) -> bool {
        matches!(self.effect, Effect::RunsUserCode { .. })
    }
}

/// What the seam does to calls. Counting starts when it is set, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disturbance {
    /// Nothing.
    None,
    /// The client dies before it sends call k: that call and all later ones are not sent.
    CutBefore(usize),
    /// The client dies before it reads the reply of call k: later calls are not sent.
    CutAfter(usize),
    /// Every write is refused.
    RefuseWrites,
    /// The replies of the first n calls that run user code are lost; the client lives on.
    LoseRunReplies(usize),
    /// The client is told to stop while call k is under way.
    CancelAt(usize),
}

struct State {
    calls: Vec<Recorded>,
    disturbance: Disturbance,
    counted: usize,
    runs: usize,
    struck: bool,
    dead: bool,
    cancelled: bool,
}

/// The suite's seam. Clones of its `Arc` see the same calls.
pub struct Script {
    start: Instant,
    state: Mutex<State>,
    changed: Notify,
}

impl Script {
    /// A seam that disturbs nothing.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            state: Mutex::new(State {
                calls: Vec::new(),
                disturbance: Disturbance::None,
                counted: 0,
                runs: 0,
                struck: false,
                dead: false,
                cancelled: false,
            }),
            changed: Notify::new(),
        })
    }

    /// Disturbs calls from now on; forgets what it did before.
    pub fn disturb(&self, disturbance: Disturbance) {
        let mut state = self.state();
        state.disturbance = disturbance;
        state.counted = 0;
        state.runs = 0;
        state.struck = false;
        state.dead = false;
        state.cancelled = false;
    }

    /// Every call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        self.state().calls.clone()
    }

    /// How many calls there were so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().calls.len()
    }

    /// The calls since there were `from` of them.
    #[must_use]
    pub fn since(&self, from: usize) -> Vec<Recorded> {
        let state = self.state();
        state.calls.get(from..).unwrap_or_default().to_vec()
    }

    /// Whether the disturbance has happened.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        self.state().struck
    }

    /// Resolves when call number `k`, counted since the disturbance was set, has been admitted.
    pub async fn reached(&self, k: usize) {
        loop {
            let changed = self.changed.notified();
            if self.state().counted >= k {
                return;
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Records are valid after any panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No retry: a client that was cut off does not try again.
fn cut(attempt: &Attempt<'_>, when: &str) -> Error {
    Error::new(ErrorKind::Unavailable, attempt.operation)
        .on(attempt.resource)
        .because(format!("the suite cut the connection {when}"))
        .with_retry(Retry::No)
}

impl Seam for Script {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time.min(LONGEST_PAUSE)))
    }

    fn interrupted(&self, deadline: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        Box::pin(async move {
            let at = deadline.and_then(|deadline| self.start.checked_add(deadline));
            let passed = async {
                match at {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let cancelled = async {
                loop {
                    let mut changed = std::pin::pin!(self.changed.notified());
                    changed.as_mut().enable();
                    if self.state().cancelled {
                        return;
                    }
                    changed.await;
                }
            };
            tokio::select! {
                () = cancelled => Interrupt::Cancelled,
                () = passed => Interrupt::Deadline,
            }
        })
    }

    fn jitter(&self) -> f64 {
        0.5
    }

    fn before(&self, attempt: &Attempt<'_>) -> Admission {
        let mut state = self.state();
        if state.cancelled {
            return Admission::Refuse(
                Error::new(ErrorKind::Cancelled, attempt.operation).on(attempt.resource),
            );
        }
        if state.dead {
            return Admission::Refuse(cut(attempt, "earlier"));
        }
        state.counted += 1;
        let count = state.counted;
        match state.disturbance {
            Disturbance::CutBefore(k) if count == k => {
                state.dead = true;
                state.struck = true;
                return Admission::Refuse(cut(attempt, "before this call"));
            }
            Disturbance::RefuseWrites if matches!(attempt.effect, Effect::Write { .. }) => {
                return Admission::Refuse(cut(attempt, "before every write"));
            }
            Disturbance::CancelAt(k) if count == k => {
                state.cancelled = true;
                state.struck = true;
            }
            _ => {}
        }
        state.runs += usize::from(matches!(attempt.effect, Effect::RunsUserCode { .. }));
        state.calls.push(Recorded {
            operation: attempt.operation,
            effect: attempt.effect,
            resource: attempt.resource.to_owned(),
            number: attempt.number,
            step: attempt.step,
            answered: None,
        });
        drop(state);
        self.changed.notify_waiters();
        Admission::Go
    }

    fn after(&self, attempt: &Attempt<'_>, _: Duration, error: Option<&Error>) -> Result<()> {
        let mut state = self.state();
        let open = state.calls.iter_mut().rev().find(|call| {
            call.answered.is_none()
                && call.operation == attempt.operation
                && call.number == attempt.number
        });
        if let Some(call) = open {
            call.answered = Some(error.is_none());
        }
        match state.disturbance {
            Disturbance::CutAfter(k) if state.counted == k && !state.dead => {
                state.dead = true;
                state.struck = true;
                Err(cut(attempt, "before the reply").may_have_run(true))
            }
            Disturbance::LoseRunReplies(n)
                if matches!(attempt.effect, Effect::RunsUserCode { .. }) && state.runs <= n =>
            {
                // This client lives on, so whether it tries again is the contract's to say.
                Err(cut(attempt, "before the reply")
                    .may_have_run(true)
                    .with_retry(Retry::Safe))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyport_core::context::Ctx;

    async fn three_calls(script: &Arc<Script>) -> Vec<bool> {
        let cx = Ctx::new(script.clone()).in_step(1);
        let mut done = Vec::new();
        for operation in ["Get", "Put", "Publish"] {
            let effect = Effect::Write { repeatable: false };
            let result = cx.call(operation, effect, "f", || async { Ok(()) }).await;
            done.push(result.is_ok());
        }
        done
    }

    #[tokio::test]
    async fn a_cut_strikes_once_and_for_all_later_calls() {
        let script = Script::new();
        assert_eq!(three_calls(&script).await, [true, true, true]);
        script.disturb(Disturbance::CutBefore(2));
        assert_eq!(three_calls(&script).await, [true, false, false]);
        assert_eq!(script.since(3).len(), 1, "what was cut was not sent");
        script.disturb(Disturbance::CutAfter(2));
        assert_eq!(three_calls(&script).await, [true, false, false]);
        assert_eq!(script.since(4).len(), 2, "what was answered was sent");
        assert!(script.has_struck());
        script.disturb(Disturbance::None);
        assert_eq!(three_calls(&script).await, [true, true, true]);
    }

    #[tokio::test]
    async fn a_cancelled_client_sends_nothing_more() {
        let script = Script::new();
        script.disturb(Disturbance::CancelAt(2));
        let cx = Ctx::new(script.clone());
        let first = cx.call("Get", Effect::Read, "f", || async { Ok(()) }).await;
        assert!(first.is_ok());
        let second = cx
            .call("Get", Effect::Read, "f", || {
                std::future::pending::<Result<()>>()
            })
            .await;
        assert_eq!(second.unwrap_err().kind(), &ErrorKind::Cancelled);
        let third = cx.call("Get", Effect::Read, "f", || async { Ok(()) }).await;
        assert_eq!(third.unwrap_err().kind(), &ErrorKind::Cancelled);
        assert_eq!(script.count(), 2);
    }
}
