//! What accompanies every provider call: the deadline, the trace, the planned step, and the one seam that all calls go through.

mod retry;
mod seam;
mod trace;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

pub use retry::{Decision, RetryPolicy};
pub use seam::{Admission, Attempt, Effect, Interrupt, Seam};
pub use trace::{InvalidTraceparent, TraceContext};

use crate::error::{Error, ErrorKind, Result, Retry, TimedOut};

/// What was tried, as long as nobody says for what: see [`Ctx::for_verb`].
const NO_VERB: &str = "ask the provider about";

/// The context of one verb. Cheap to clone.
#[derive(Clone)]
pub struct Ctx {
    seam: Arc<dyn Seam>,
    verb: &'static str,
    deadline: Option<Duration>,
    trace: Option<TraceContext>,
    step: Option<u32>,
    retry: RetryPolicy,
    repeats_user_code: bool,
}

impl Ctx {
    /// A context over a seam: no deadline, no trace, outside any step, default retries.
    #[must_use]
    pub fn new(seam: Arc<dyn Seam>) -> Self {
        Self {
            seam,
            verb: NO_VERB,
            deadline: None,
            trace: None,
            step: None,
            retry: RetryPolicy::default(),
            repeats_user_code: false,
        }
    }

    /// Says what the work is for, in words such as `deploy`: what is interrupted is reported in them.
    #[must_use]
    pub const fn for_verb(mut self, verb: &'static str) -> Self {
        self.verb = verb;
        self
    }

    /// Ends the work `after` this long from now, or at the deadline it already has, whichever is sooner.
    #[must_use]
    pub fn with_timeout(mut self, after: Duration) -> Self {
        let at = self.seam.now().saturating_add(after);
        self.deadline = Some(self.deadline.map_or(at, |old| old.min(at)));
        self
    }

    /// The same without an end: for streams that live longer than the verb that began them, and are ended from outside.
    #[must_use]
    pub const fn without_deadline(mut self) -> Self {
        self.deadline = None;
        self
    }

    /// Continues this trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }

    /// Sets how calls are retried.
    #[must_use]
    pub const fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Allows calls that may have run user code to be repeated: the caller asked for it, or an idempotency key makes it safe.
    #[must_use]
    pub const fn repeating_user_code(mut self, repeat: bool) -> Self {
        self.repeats_user_code = repeat;
        self
    }

    /// The same context inside a planned step: writes are allowed there and counted to it.
    #[must_use]
    pub fn in_step(&self, number: u32) -> Self {
        Self {
            step: Some(number),
            ..self.clone()
        }
    }

    /// What the work is for, in words.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        self.verb
    }

    /// Time left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|at| at.saturating_sub(self.seam.now()))
    }

    /// The trace that is continued.
    #[must_use]
    pub const fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }

    /// The seam's monotonic time, for measuring and for pauses that a virtual clock can skip.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.seam.now()
    }

    /// Pauses, at most until the deadline or a cancellation. `operation` says for what, in words.
    ///
    /// # Errors
    /// `Timeout` or `Cancelled` when that comes first.
    pub async fn pause(&self, operation: &'static str, time: Duration) -> Result<()> {
        self.unless_interrupted(operation, false, async {
            self.seam.sleep(time).await;
            Ok(())
        })
        .await
    }

    /// Makes one vendor call: the only way to a provider. Admits, times, retries, cuts off at the deadline and reports it.
    ///
    /// `operation` is the vendor's own name for it. `send` is called once for each attempt.
    ///
    /// # Errors
    /// What `send` failed with, marked as given up after the last attempt; `Timeout` at the deadline; `Cancelled`; or the seam's refusal.
    /// A write outside a planned step is refused: it would not be in any plan.
    pub async fn call<T, F, Fut>(
        &self,
        operation: &'static str,
        effect: Effect,
        resource: &str,
        mut send: F,
    ) -> Result<T>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T>> + Send,
        T: Send,
    {
        if matches!(effect, Effect::Write { .. }) && self.step.is_none() {
            return Err(Error::new(ErrorKind::Forbidden, self.verb)
                .on(resource)
                .because(format_args!(
                    "the adapter tried the write {operation} outside any planned step"
                ))
                .in_call(operation)
                .hint("this is a defect of the adapter; report it"));
        }
        let effect = match effect {
            Effect::RunsUserCode { repeatable } => Effect::RunsUserCode {
                repeatable: repeatable || self.repeats_user_code,
            },
            other => other,
        };
        let mut number = 1;
        loop {
            let attempt = Attempt {
                operation,
                verb: self.verb,
                effect,
                resource,
                number,
                step: self.step,
            };
            let error = match self.attempt(&attempt, &mut send).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match self
                .retry
                .decide(effect, number, &error, self.seam.jitter())
            {
                Decision::Stop => return Err(error),
                Decision::GiveUp => {
                    return Err(error.with_retry(Retry::GaveUp { attempts: number }));
                }
                Decision::Again(wait) => {
                    if self.remaining().is_some_and(|left| left <= wait) {
                        return Err(error.with_retry(Retry::GaveUp { attempts: number }));
                    }
                    self.pause(self.verb, wait)
                        .await
                        .map_err(|error| about(error, &attempt))?;
                    number += 1;
                }
            }
        }
    }

    async fn attempt<T, F, Fut>(&self, attempt: &Attempt<'_>, send: &mut F) -> Result<T>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T>> + Send,
        T: Send,
    {
        loop {
            match self.seam.before(attempt) {
                Admission::Go => break,
                Admission::Wait(time) => self
                    .pause(attempt.verb, time)
                    .await
                    .map_err(|error| about(error, attempt))?,
                Admission::Refuse(error) => return Err(about(error, attempt)),
            }
        }
        let started = self.seam.now();
        let may_have_run = !matches!(attempt.effect, Effect::Read);
        let result = self
            .unless_interrupted(attempt.verb, may_have_run, send())
            .await
            .map_err(|error| about(error, attempt));
        let took = self.seam.now().saturating_sub(started);
        self.seam
            .after(attempt, took, result.as_ref().err())
            .map_err(|error| about(error, attempt))?;
        result
    }

    async fn unless_interrupted<T>(
        &self,
        operation: &'static str,
        may_have_run: bool,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let interrupted = self.seam.interrupted(self.deadline);
        match select(pin!(work), interrupted).await {
            Either::Left((result, _)) => result,
            Either::Right((interrupt, _)) => {
                let kind = match interrupt {
                    Interrupt::Deadline => ErrorKind::Timeout(TimedOut::Caller),
                    Interrupt::Cancelled => ErrorKind::Cancelled,
                };
                Err(Error::new(kind, operation).may_have_run(may_have_run))
            }
        }
    }
}

/// Names the call that an error is from, and what it was made on, unless the error says so itself.
fn about(error: Error, attempt: &Attempt<'_>) -> Error {
    let error = match error.call() {
        Some(_) => error,
        None => error.in_call(attempt.operation),
    };
    match error.resource() {
        Some(_) => error,
        None => error.on(attempt.resource),
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("verb", &self.verb)
            .field("deadline", &self.deadline)
            .field("trace", &self.trace)
            .field("step", &self.step)
            .field("retry", &self.retry)
            .field("repeats_user_code", &self.repeats_user_code)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
