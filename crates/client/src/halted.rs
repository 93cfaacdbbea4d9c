//! The state of a target after a plan stopped half-way.

use std::error::Error as StdError;
use std::fmt;

use anyport_core::error::{Error, ErrorKind};

/// How the next step of a cause goes on in the next step of the plan.
const AGAIN: &str = "then run the same command again to finish";

/// How far a plan came: the steps that are done and those that are not, in words.
///
/// A plan that stops returns an error by one rule:
/// - at least one step is done: `Incomplete`, whose source is the step's own error;
/// - the step failed with `RolloutFailed` or `Conflict`: that error itself, because the platform keeps serving what it served and the caller
///   decides on the kind;
/// - no step is done: the step's own error.
///
/// [`Halted::of`] reads the state from any of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Halted {
    /// What is done.
    pub done: Vec<String>,
    /// What is left. A step that was under way and may have happened all the same says so.
    pub left: Vec<String>,
}

impl Halted {
    /// The state that `error` left the target in; `None` when the error left nothing half-way.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        if let ErrorKind::Incomplete { done, left } = error.kind() {
            return Some(Self {
                done: done.clone(),
                left: left.clone(),
            });
        }
        let stopped = error.source()?.downcast_ref::<Stopped>()?;
        Some(stopped.state.clone())
    }

    /// The error of a plan whose step failed with `error`.
    pub(crate) fn into_error(self, verb: &'static str, error: Error) -> Error {
        let own_kind = matches!(
            error.kind(),
            ErrorKind::RolloutFailed(_) | ErrorKind::Conflict
        );
        if self.done.is_empty() && !error.user_code_may_have_run() {
            return error;
        }
        if own_kind || self.done.is_empty() {
            return error.wrap_source(|source| Stopped {
                state: self,
                source,
            });
        }
        let mut incomplete = Error::new(
            ErrorKind::Incomplete {
                done: self.done,
                left: self.left,
            },
            verb,
        )
        .with_retry(error.retry())
        .may_have_run(error.user_code_may_have_run());
        if let Some(resource) = error.resource() {
            incomplete = incomplete.on(resource);
        }
        if let Some(next) = error.next_step() {
            incomplete = incomplete.hint(format_args!("{next}, {AGAIN}"));
        }
        // The next step is said once, at the top.
        incomplete.with_source(error.without_hint())
    }
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[String]| {
            if items.is_empty() {
                "nothing".to_owned()
            } else {
                items.join(", ")
            }
        };
        write!(f, "done: {}; left: {}", list(&self.done), list(&self.left))
    }
}

/// The state as a cause in an error's chain, in front of the cause that the error had.
#[derive(Debug)]
struct Stopped {
    state: Halted,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped half-way: {}", self.state)
    }
}

impl StdError for Stopped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyport_core::error::RolloutFailure;

    fn state(done: &[&str]) -> Halted {
        let words = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Halted {
            done: words(done),
            left: words(&["route"]),
        }
    }

    #[test]
    fn the_rule() {
        let broken = || Error::new(ErrorKind::Unavailable, "PutThing").on("f");
        let nothing = state(&[]).into_error("deploy", broken());
        assert_eq!(nothing.kind(), &ErrorKind::Unavailable);
        assert_eq!(Halted::of(&nothing), None);

        let maybe = state(&[]).into_error("deploy", broken().may_have_run(true));
        assert_eq!(maybe.kind(), &ErrorKind::Unavailable);
        assert_eq!(Halted::of(&maybe), Some(state(&[])));

        let some = state(&["create"]).into_error("deploy", broken());
        assert_eq!(some.kind().name(), "incomplete");
        assert_eq!(some.resource(), Some("f"));
        assert_eq!(some.source().unwrap().to_string(), broken().to_string());
        assert_eq!(Halted::of(&some), Some(state(&["create"])));

        let full = state(&["create"])
            .into_error("deploy", broken().hint("make room on the disk"))
            .to_string();
        assert!(
            full.ends_with("; make room on the disk, then run the same command again to finish"),
            "{full}"
        );
        assert_eq!(full.matches("make room").count(), 1, "{full}");

        let cause = std::io::Error::other("exit status 1");
        let rollout = Error::new(
            ErrorKind::RolloutFailed(RolloutFailure::new("exit", "it exited")),
            "deploy",
        )
        .with_source(cause);
        let kept = state(&["create"]).into_error("deploy", rollout);
        assert_eq!(kept.kind().name(), "rollout_failed");
        assert_eq!(Halted::of(&kept), Some(state(&["create"])));
        let chain = kept.source().unwrap();
        assert_eq!(
            chain.to_string(),
            "stopped half-way: done: create; left: route"
        );
        assert_eq!(chain.source().unwrap().to_string(), "exit status 1");
    }
}
