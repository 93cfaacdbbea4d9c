//! A call from its place on an instance to its answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::error::InvokeError;
use crate::instance::Instance;
use crate::wire::{Answer, Call};

/// A slot of an instance, given back when dropped unless a call was handed over.
pub(crate) struct Lease {
    instance: Arc<Instance>,
    armed: bool,
}

impl Lease {
    pub(super) fn new(instance: Arc<Instance>) -> Self {
        Self {
            instance,
            armed: true,
        }
    }

    /// Takes the instance out: whoever calls this gives the slot back.
    pub(super) fn disarm(mut self) -> Arc<Instance> {
        self.armed = false;
        Arc::clone(&self.instance)
    }

    pub(super) fn instance_id(&self) -> &str {
        &self.instance.id
    }

    /// Hands the call over; from here on the wire gives the slot back.
    pub(super) fn hand_over(self, call: Call) -> Arc<Instance> {
        let instance = self.disarm();
        instance.deliver(call);
        instance
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.armed {
            self.instance.release();
        }
    }
}

/// A call in flight. Dropped before it has landed, it goes on in the background.
pub(super) struct Flight {
    pub(super) answer: Option<oneshot::Receiver<Result<Answer, InvokeError>>>,
    pub(super) instance: Arc<Instance>,
    pub(super) id: Arc<str>,
    pub(super) deadline: Instant,
    pub(super) limit: Duration,
    /// Whether it goes on without its caller.
    pub(super) background: bool,
}

impl Flight {
    /// Waits for the answer, at most until the time limit; then the code is stopped.
    pub(super) async fn land(&mut self) -> Result<Answer, InvokeError> {
        let Some(answer) = self.answer.as_mut() else {
            return Err(InvokeError::Shutdown { may_have_run: true });
        };
        let landed = match timeout_at(self.deadline, answer).await {
            Ok(Ok(answer)) => answer,
            // The wire says goodbye to every call; silence means that the engine is gone.
            Ok(Err(_)) => Err(InvokeError::Shutdown { may_have_run: true }),
            Err(_) => Err(self.instance.time_out(&self.id, self.limit)),
        };
        self.answer = None;
        landed
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // In the background it is dropped early only when the runtime goes down.
        let (Some(answer), false) = (self.answer.take(), self.background) else {
            return;
        };
        let mut flight = Self {
            answer: Some(answer),
            instance: Arc::clone(&self.instance),
            id: Arc::clone(&self.id),
            deadline: self.deadline,
            limit: self.limit,
            background: true,
        };
        if let Some(pool) = self.instance.pool.upgrade() {
            pool.engine.runtime.spawn(async move {
                let _ = flight.land().await;
            });
        }
    }
}
