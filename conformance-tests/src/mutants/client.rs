//! Clients that skip what they should check or do. The hooks are in `anyport-client`, behind its feature `mutants`.

use std::sync::Arc;

use super::deploy::{FORGETS_THE_GUARD, HAS_FEW_SIZES, TAKES_LITTLE};
use super::twist::Twisted;
use super::{Inject, Mutant, Place, Wrap};

/// A hook in the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    SkipsBaseCheck,
    SkipsSizeCheck,
    NamesNoNeighbour,
    RetriesUserCode,
    AbandonsInSilence,
    DeploysUnfit,
    RoundsInSilence,
    StopsAtTheFirstViolation,
}

#[cfg(feature = "mutants")]
impl Hook {
    pub(super) const fn mutation(self) -> anyport_client::Mutation {
        use anyport_client::Mutation;
        match self {
            Self::SkipsBaseCheck => Mutation::SkipsBaseCheck,
            Self::SkipsSizeCheck => Mutation::SkipsSizeCheck,
            Self::NamesNoNeighbour => Mutation::NamesNoNeighbour,
            Self::RetriesUserCode => Mutation::RetriesUserCode,
            Self::AbandonsInSilence => Mutation::AbandonsInSilence,
            Self::DeploysUnfit => Mutation::DeploysUnfit,
            Self::RoundsInSilence => Mutation::RoundsInSilence,
            Self::StopsAtTheFirstViolation => Mutation::StopsAtTheFirstViolation,
        }
    }
}

const fn client(id: &'static str, does: &'static str, hook: Hook) -> Mutant {
    Mutant {
        id,
        place: Place::Client,
        does,
        inject: Inject::Client(hook, None),
    }
}

/// A client over an adapter that would otherwise make up for it, or give it nothing to do wrong.
const fn over(id: &'static str, does: &'static str, hook: Hook, wrap: Wrap) -> Mutant {
    Mutant {
        inject: Inject::Client(hook, Some(wrap)),
        ..client(id, does, hook)
    }
}

pub(super) const MUTANTS: &[Mutant] = &[
    over(
        "skips-the-base-check",
        "the client applies plans without looking at what is there now, over an adapter that has no lock",
        Hook::SkipsBaseCheck,
        |inner| Arc::new(Twisted::new(inner, FORGETS_THE_GUARD)),
    ),
    over(
        "rounds-in-silence",
        "the client rounds a size, on a target with few sizes, and does not say so",
        Hook::RoundsInSilence,
        |inner| Arc::new(Twisted::new(inner, HAS_FEW_SIZES)),
    ),
    client(
        "stops-at-the-first-violation",
        "the client names one violation of a spec and keeps the others to itself",
        Hook::StopsAtTheFirstViolation,
    ),
    over(
        "skips-the-size-check",
        "the client sends payloads of any size, on a target whose adapter leaves that to it",
        Hook::SkipsSizeCheck,
        |inner| Arc::new(Twisted::new(inner, TAKES_LITTLE)),
    ),
    client(
        "names-no-neighbour",
        "the client does not name the nearest function",
        Hook::NamesNoNeighbour,
    ),
    client(
        "retries-user-code",
        "the client repeats calls that may have run",
        Hook::RetriesUserCode,
    ),
    client(
        "abandons-in-silence",
        "the client does not say how far it came when it is dropped",
        Hook::AbandonsInSilence,
    ),
    client(
        "deploys-unfit",
        "the client drops what the target lacks instead of refusing",
        Hook::DeploysUnfit,
    ),
];
