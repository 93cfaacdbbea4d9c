//! Deliberate defects, switched on one by one, which prove that the conformance suite finds them. Nothing of this is compiled into a client
//! without the feature `mutants`.

use anyport_core::error::{Error, ErrorKind, Violations};
use anyport_core::spec::Spec;

use crate::target::Target;

/// One thing that a client does wrong.
#[cfg_attr(
    not(feature = "mutants"),
    allow(unreachable_pub, reason = "exported with the feature alone")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mutation {
    /// Applies plans without looking at what is there now.
    SkipsBaseCheck,
    /// Sends payloads of any size.
    SkipsSizeCheck,
    /// Does not name the nearest function.
    NamesNoNeighbour,
    /// Repeats calls that may have run.
    RetriesUserCode,
    /// Does not say how far it came when it is dropped.
    AbandonsInSilence,
    /// Drops from a spec what the target lacks instead of refusing it.
    DeploysUnfit,
    /// Does not say which values the target rounds.
    RoundsInSilence,
    /// Names one violation of a spec and keeps the others to itself.
    StopsAtTheFirstViolation,
}

impl Target {
    /// Whether this client has the defect. Always false without the feature, so that the branch disappears.
    pub(crate) fn mutated(&self, mutation: Mutation) -> bool {
        #[cfg(feature = "mutants")]
        return self.mutation() == Some(mutation);
        #[cfg(not(feature = "mutants"))]
        {
            let _ = mutation;
            false
        }
    }
}

/// The error with only the first of its violations.
pub(crate) fn shortened(error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidSpec(found) => {
            let first: Violations = found.iter().take(1).cloned().collect();
            Error::new(ErrorKind::InvalidSpec(first), error.operation().to_owned())
        }
        _ => error,
    }
}

/// The spec without everything that a target may lack altogether.
pub(crate) fn weakened(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    spec.identity = None;
    spec.network = None;
    spec.encryption_key = None;
    spec.log_retention_days = None;
    spec.secrets.clear();
    spec.native.clear();
    spec.triggers = None;
    spec.kind = anyport_core::spec::Kind::Function;
    spec
}
