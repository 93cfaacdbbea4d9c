//! Broken seams: the one way from the client to the provider says something else than what happens.

use std::sync::Arc;
use std::time::Duration;

use anyport_core::context::{Admission, Attempt, Interrupt, Seam};
use anyport_core::error::{Error, Result};
use futures_core::future::BoxFuture;

use super::{Inject, Mutant, Place};

/// What a seam does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    LosesTheStep,
    CountsNothing,
    SendsWhatWasRefused,
    HidesLostReplies,
}

const fn seam(id: &'static str, does: &'static str, fault: Fault) -> Mutant {
    Mutant {
        id,
        place: Place::Seam,
        does,
        inject: Inject::Seam(fault),
    }
}

pub(super) const MUTANTS: &[Mutant] = &[
    seam(
        "loses-the-step",
        "the seam does not say which step a call belongs to",
        Fault::LosesTheStep,
    ),
    seam(
        "counts-nothing",
        "the seam tells nobody of the calls it lets through",
        Fault::CountsNothing,
    ),
    seam(
        "sends-what-was-refused",
        "the seam sends calls that were not admitted",
        Fault::SendsWhatWasRefused,
    ),
    seam(
        "hides-lost-replies",
        "the seam reports a success where the reply was lost",
        Fault::HidesLostReplies,
    ),
];

/// A seam with a fault, over the suite's own.
pub(super) struct Faulty {
    pub(super) inner: Arc<dyn Seam>,
    pub(super) fault: Fault,
}

impl Seam for Faulty {
    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.inner.sleep(time)
    }

    fn interrupted(&self, deadline: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        self.inner.interrupted(deadline)
    }

    fn jitter(&self) -> f64 {
        self.inner.jitter()
    }

    fn before(&self, attempt: &Attempt<'_>) -> Admission {
        let mut attempt = *attempt;
        match self.fault {
            Fault::CountsNothing => return Admission::Go,
            Fault::LosesTheStep => attempt.step = None,
            Fault::SendsWhatWasRefused | Fault::HidesLostReplies => {}
        }
        match self.inner.before(&attempt) {
            Admission::Refuse(_) if self.fault == Fault::SendsWhatWasRefused => Admission::Go,
            admission => admission,
        }
    }

    fn after(&self, attempt: &Attempt<'_>, took: Duration, error: Option<&Error>) -> Result<()> {
        if self.fault == Fault::CountsNothing {
            return Ok(());
        }
        let told = self.inner.after(attempt, took, error);
        match self.fault {
            Fault::HidesLostReplies => Ok(()),
            _ => told,
        }
    }
}
