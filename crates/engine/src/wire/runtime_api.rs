//! The state of one instance as the Lambda Runtime API sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Call, Reply};
use crate::error::Exit;
use crate::instance::Instance;
use crate::request::PayloadKind;

/// The platform's end of the Runtime API.
#[derive(Default)]
pub(crate) struct RuntimeApi {
    phase: Mutex<Phase>,
    /// When it answered its last call. Kept until its slot is leased again, so that from the answer on
    /// the instance never looks busy.
    answered: Mutex<Option<Instant>>,
}

/// What `/next` is answered with.
pub(crate) struct Handout {
    pub(crate) payload: PayloadKind,
    pub(crate) head: HeaderMap,
}

/// A call that a function is at work on.
pub(crate) struct InHand {
    pub(crate) id: Arc<str>,
    pub(crate) reply: Reply,
    pub(crate) deadline: Instant,
    pub(crate) limit: Duration,
}

#[derive(Default)]
enum Phase {
    /// It has not asked for work yet.
    #[default]
    Starting,
    /// It waits at `/next`.
    Idle(oneshot::Sender<Handout>),
    /// A call waits for the function: its `/next` was being given up when the call came.
    Queued(InHand, Handout),
    /// It works on a call.
    Busy(InHand),
    /// Its answer is being read.
    Answering(Arc<str>),
    /// It has answered, and not asked for more work.
    Returning(Arc<str>),
    Ended,
}

/// What a `/next` leads to.
pub(crate) enum Next {
    /// Wait here for a call.
    Wait(oneshot::Receiver<Handout>),
    /// A call is waiting already.
    Now(Handout),
    /// Not allowed in this state.
    Forbidden,
    /// The instance is ending.
    Gone,
}

/// What an answer leads to.
pub(crate) enum Claim {
    Taken(InHand),
    /// The id is not that of the current call.
    UnknownId,
    /// The current call has an answer already.
    Forbidden,
}

impl RuntimeApi {
    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deliver(&self, instance: &Instance, call: Call) {
        instance.log.set_request(Some(Arc::clone(&call.id)));
        let hand = InHand {
            id: call.id,
            reply: call.reply,
            deadline: call.deadline,
            limit: call.limit,
        };
        let handout = Handout {
            payload: call.payload,
            head: call.head,
        };
        let mut phase = self.lock();
        *phase = match std::mem::take(&mut *phase) {
            Phase::Idle(waiting) => match waiting.send(handout) {
                Ok(()) => Phase::Busy(hand),
                Err(handout) => Phase::Queued(hand, handout),
            },
            Phase::Ended => {
                drop(phase);
                *self.lock() = Phase::Ended;
                let error = instance.failure(Exit::Unknown, Some(&hand.id));
                let _ = hand.reply.send(Err(error));
                return;
            }
            // A slot is leased only while the function waits; nothing else leads here.
            _ => Phase::Queued(hand, handout),
        };
    }

    /// The function asks for work. Also returns whether that made the instance free again.
    pub(crate) fn next(&self) -> (Next, bool) {
        let mut phase = self.lock();
        let wait = |phase: &mut Phase| {
            let (tell, waiting) = oneshot::channel();
            *phase = Phase::Idle(tell);
            Next::Wait(waiting)
        };
        match std::mem::take(&mut *phase) {
            Phase::Starting => (wait(&mut phase), false),
            // It gave up the connection on which it waited, and asks again: the last one counts.
            Phase::Idle(_) => (wait(&mut phase), false),
            Phase::Returning(_) => (wait(&mut phase), true),
            Phase::Queued(hand, handout) => {
                *phase = Phase::Busy(hand);
                (Next::Now(handout), false)
            }
            Phase::Ended => {
                *phase = Phase::Ended;
                (Next::Gone, false)
            }
            other => {
                *phase = other;
                (Next::Forbidden, false)
            }
        }
    }

    /// The function answers the call `id`.
    pub(crate) fn claim(&self, id: &str) -> Claim {
        let mut phase = self.lock();
        match std::mem::take(&mut *phase) {
            Phase::Busy(hand) if *hand.id == *id => {
                *phase = Phase::Answering(Arc::clone(&hand.id));
                Claim::Taken(hand)
            }
            other => {
                let same = match &other {
                    Phase::Answering(current) | Phase::Returning(current) => **current == *id,
                    _ => false,
                };
                *phase = other;
                if same {
                    Claim::Forbidden
                } else {
                    Claim::UnknownId
                }
            }
        }
    }

    /// The answer has been read.
    pub(crate) fn answered(&self) {
        let mut phase = self.lock();
        if let Phase::Answering(id) = &*phase {
            *phase = Phase::Returning(Arc::clone(id));
            *self.returned() = Some(Instant::now());
        }
    }

    /// The slot is leased for another call.
    pub(crate) fn leased(&self) {
        *self.returned() = None;
    }

    fn returned(&self) -> MutexGuard<'_, Option<Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the function has not asked for work yet.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(*self.lock(), Phase::Starting)
    }

    /// When it answered its last call, if no other call has been given to it since.
    pub(crate) fn returning_since(&self) -> Option<Instant> {
        *self.returned()
    }

    /// The process has ended: nobody waits for work any more.
    pub(crate) fn dismiss(&self) {
        let mut phase = self.lock();
        if matches!(*phase, Phase::Idle(_)) {
            *phase = Phase::Ended;
        }
    }

    /// The process has ended, and what it sent last has been read.
    pub(crate) fn fail(&self, instance: &Instance, exit: Exit) {
        let last = std::mem::replace(&mut *self.lock(), Phase::Ended);
        if let Phase::Busy(hand) | Phase::Queued(hand, _) = last {
            let error = instance.failure(exit, Some(&hand.id));
            let _ = hand.reply.send(Err(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_requests_for_work_the_last_one_counts() {
        let api = RuntimeApi::default();
        let (Next::Wait(mut first), false) = api.next() else {
            panic!("the first /next waits");
        };
        let (Next::Wait(mut second), false) = api.next() else {
            panic!("the second one does, too");
        };
        assert_eq!(
            first.try_recv().err(),
            Some(oneshot::error::TryRecvError::Closed)
        );
        assert_eq!(
            second.try_recv().err(),
            Some(oneshot::error::TryRecvError::Empty)
        );
    }

    #[test]
    fn answers_need_a_call() {
        let api = RuntimeApi::default();
        assert!(matches!(api.claim("x"), Claim::UnknownId));
        assert!(api.is_starting());
        assert!(api.returning_since().is_none());
    }
}
