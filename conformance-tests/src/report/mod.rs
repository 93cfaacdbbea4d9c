//! What a run came to: for people, machines, CI servers and the README.

mod json;
mod junit;
mod markdown;
mod terminal;

use std::time::Duration;

use serde::Serialize;

use crate::verdict::Outcome;

pub use markdown::{MARKERS, between_markers};

/// The result of a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The target's URL.
    pub target: String,
    /// The seed of the run.
    pub seed: u64,
    /// Whether the target is emulated: what an emulation does is never called observed.
    pub emulated: bool,
    /// Every case that was selected.
    pub cases: Vec<CaseReport>,
}

/// The result of one case.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CaseReport {
    /// The case's id.
    pub id: &'static str,
    /// The rules it checks.
    pub rules: Vec<&'static str>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why; empty when it passed.
    pub why: String,
    /// How long it took, cleaning up included.
    pub duration: Duration,
}

/// How many cases ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The rule holds.
    pub passed: usize,
    /// The rule is broken.
    pub failed: usize,
    /// Refused as declared.
    pub refused: usize,
    /// Not run, with a reason.
    pub not_run: usize,
    /// Over budget.
    pub over_budget: usize,
}

impl Summary {
    /// Whether nothing failed, nothing was left out and nothing was over budget.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.failed == 0 && self.not_run == 0 && self.over_budget == 0
    }
}

impl Report {
    pub(crate) fn new(target: String, seed: u64) -> Self {
        Self {
            target,
            seed,
            emulated: true,
            cases: Vec::new(),
        }
    }

    /// How many cases ended how.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for case in &self.cases {
            *match case.outcome {
                Outcome::Passed => &mut summary.passed,
                Outcome::Failed => &mut summary.failed,
                Outcome::Refused => &mut summary.refused,
                Outcome::NotRun => &mut summary.not_run,
                Outcome::OverBudget => &mut summary.over_budget,
            } += 1;
        }
        summary
    }

    /// `emulated`, or `observed` when a real provider answered.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        if self.emulated {
            "emulated"
        } else {
            "observed"
        }
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub(crate) fn report() -> Report {
        let case = |id, rules: &[&'static str], outcome, why: &str| CaseReport {
            id,
            rules: rules.to_vec(),
            outcome,
            why: why.to_owned(),
            duration: Duration::from_millis(12),
        };
        let mut report = Report::new("paper://".to_owned(), 7);
        report.cases = vec![
            case("plan/reads-only", &["P2"], Outcome::Passed, ""),
            case(
                "plan/stale-base",
                &["P3"],
                Outcome::Failed,
                "it said <yes> & \"went on\"",
            ),
            case(
                "enqueue/delivers",
                &["I5"],
                Outcome::Refused,
                "refused as declared",
            ),
            case(
                "drift/shows",
                &["D14"],
                Outcome::NotRun,
                "nobody can tamper here",
            ),
            case("deploy/unchanged", &["D2"], Outcome::OverBudget, "3 reads"),
        ];
        report
    }

    #[test]
    fn the_summary_counts_and_only_passes_and_refusals_are_clean() {
        let mut report = report();
        let summary = report.summary();
        assert_eq!(
            [
                summary.passed,
                summary.failed,
                summary.refused,
                summary.not_run,
                summary.over_budget
            ],
            [1; 5]
        );
        assert!(!summary.is_clean());
        report
            .cases
            .retain(|case| matches!(case.outcome, Outcome::Passed | Outcome::Refused));
        assert!(report.summary().is_clean());
    }
}
