//! Working on several functions: what was done is shown, what failed is summed up.

use anyport::ErrorKind;
use anyport::outcome::Outcome;
use anyport::plan::Force;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::view;

/// What to go on with where the contract would otherwise stop and ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Insist {
    /// Change or remove although it is protected
    Protected,
    /// Deploy although traffic is split; the split ends
    Split,
}

/// The same for commands that no split stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InsistOnProtected {
    /// Change or remove although it is protected
    Protected,
}

/// What these commands go on with.
pub(crate) fn force_protected(insist: &[InsistOnProtected]) -> Force {
    Force {
        protected: !insist.is_empty(),
        split: false,
    }
}

pub(crate) fn force(insist: &[Insist]) -> Force {
    Force {
        protected: insist.contains(&Insist::Protected),
        split: insist.contains(&Insist::Split),
    }
}

/// Says how to insist with this command line, where insisting helps.
pub(crate) fn with_insistence(error: anyport::Error) -> Failure {
    let protected = *error.kind() == ErrorKind::Forbidden && error.provider().is_none();
    let split = *error.kind() == ErrorKind::Conflict
        && error
            .why()
            .is_some_and(|why| why.starts_with("traffic is split"));
    let failure = Failure::from(error);
    if protected {
        failure.next("add --force protected if you mean it")
    } else if split {
        failure.next(
            "end the split with `anyport traffic` or `anyport rollback`, or add --force split",
        )
    } else {
        failure
    }
}

/// Shows the outcomes that there are, then sums up the failures.
pub(crate) fn finish(
    context: &Context,
    command: &str,
    results: Vec<Result<Outcome, Failure>>,
) -> Result<Exit, Failure> {
    let mut outcomes = Vec::new();
    let mut failed = Vec::new();
    for result in results {
        match result {
            Ok(outcome) => outcomes.push(outcome),
            Err(failure) => failed.push(failure),
        }
    }
    let output = &context.output;
    if output.json {
        let outcomes: Vec<Value> = outcomes.iter().map(view::outcome).collect();
        output.object(command, json!({ "outcomes": outcomes }))?;
    } else {
        for outcome in &outcomes {
            output.line(&view::outcome_lines(outcome, output.style()))?;
        }
    }
    match (failed.len(), outcomes.len()) {
        (0, _) => Ok(Exit::Clean),
        (1, 0) => Err(failed.remove(0)),
        (_, done) => Err(Failure::several(done, failed)),
    }
}
