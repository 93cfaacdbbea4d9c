//! How a case ends.

use std::error::Error as _;
use std::fmt;

use serde::Serialize;

use crate::harness::Missing;

/// How a case ended, for the report. There is no silent pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The rule holds.
    Passed,
    /// The rule is broken.
    Failed,
    /// The target does not declare it, and refuses it before any mutating call.
    Refused,
    /// It was not run, for a reason that the report gives.
    NotRun,
    /// The rule holds, at more calls or time than allowed.
    OverBudget,
}

impl Outcome {
    /// The word for people and machines.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::NotRun => "not_run",
            Self::OverBudget => "over_budget",
        }
    }
}

/// What a case's body found, when nothing stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The rule holds.
    Holds,
    /// The target refuses it as declared: verified.
    Refused,
}

/// What stopped a case's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The rule is broken.
    Failed(String),
    /// It cannot be checked here.
    NotRun(String),
    /// The rule holds, at too high a price.
    OverBudget(String),
}

/// The result of a case's body.
pub type Verdict = Result<Pass, Stop>;

/// An error with all of its causes, for a report.
pub(crate) struct Chain<'a>(pub(crate) &'a anyport_core::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, " <- {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl From<anyport_core::Error> for Stop {
    fn from(error: anyport_core::Error) -> Self {
        Self::Failed(format!("unexpected error: {}", Chain(&error)))
    }
}

impl From<anyport_core::error::Violations> for Stop {
    fn from(violations: anyport_core::error::Violations) -> Self {
        Self::Failed(format!("the suite's own spec is not valid: {violations}"))
    }
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::NotRun(missing.to_string())
    }
}

/// Stops the case as failed with a message.
macro_rules! fail {
    ($($message:tt)+) => {
        return Err($crate::verdict::Stop::Failed(format!($($message)+)))
    };
}

/// Stops the case as failed unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            $crate::verdict::fail!($($message)+);
        }
    };
}

/// Stops the case as failed unless the value matches; names the value.
macro_rules! ensure_matches {
    ($value:expr, $pattern:pat $(if $guard:expr)?, $what:expr) => {{
        let value = $value;
        if !matches!(&value, $pattern $(if $guard)?) {
            $crate::verdict::fail!("{}: got {:?}", $what, value);
        }
        value
    }};
}

pub(crate) use {ensure, ensure_matches, fail};
