//! The matrix of rules and targets, for the README.

use std::fmt::Write as _;

use super::Report;
use crate::rules;
use crate::verdict::Outcome;

/// What stands before and after the matrix in a document.
pub const MARKERS: (&str, &str) = ("<!-- conformance: begin -->", "<!-- conformance: end -->");

impl Report {
    /// The report as a Markdown table: one row for each rule, with the worst of its cases.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let summary = self.summary();
        let mut text = String::new();
        let _ = writeln!(
            text,
            "| rule | `{}` ({}) | why |\n|---|---|---|",
            self.target,
            self.label()
        );
        for rule in rules::all() {
            let cases = self
                .cases
                .iter()
                .filter(|case| rule.cases.contains(&case.id));
            let Some(worst) = cases.max_by_key(|case| badness(case.outcome)) else {
                continue;
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                rule.id,
                worst.outcome.word().replace('_', " "),
                worst.why.replace('|', "\\|").replace('\n', " ")
            );
        }
        let _ = writeln!(
            text,
            "\n{} passed, {} refused as declared, {} failed, {} not run, {} over budget; seed {:#x}",
            summary.passed,
            summary.refused,
            summary.failed,
            summary.not_run,
            summary.over_budget,
            self.seed
        );
        text
    }
}

/// A rule is as good as its worst case; a refusal says more about a target than a pass.
const fn badness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Passed => 0,
        Outcome::Refused => 1,
        Outcome::OverBudget => 2,
        Outcome::NotRun => 3,
        Outcome::Failed => 4,
    }
}

/// `document` with what stands between the [`MARKERS`] replaced; `None` when it has none.
#[must_use]
pub fn between_markers(document: &str, inside: &str) -> Option<String> {
    let (before, rest) = document.split_once(MARKERS.0)?;
    let (_, after) = rest.split_once(MARKERS.1)?;
    let inside = inside.trim_end();
    Some(format!(
        "{before}{}\n{inside}\n{}{after}",
        MARKERS.0, MARKERS.1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_shows_its_worst_case() {
        let mut report = super::super::sample::report();
        report.cases[1].why = "a | b\nc".to_owned();
        let text = report.to_markdown();
        assert!(text.starts_with("| rule | `paper://` (emulated) | why |\n"));
        assert!(text.contains("| P2 | passed |  |\n"), "{text}");
        assert!(text.contains("| P3 | failed | a \\| b c |\n"), "{text}");
        assert!(text.contains("| D14 | not run | nobody can tamper here |\n"));
        assert!(!text.contains("| D17 |"), "a rule that did not run");
    }

    #[test]
    fn what_stands_between_the_markers_is_replaced() {
        let document = format!("a\n{}\nold\n{}\nb\n", MARKERS.0, MARKERS.1);
        let new = between_markers(&document, "new\n").unwrap();
        assert_eq!(new, format!("a\n{}\nnew\n{}\nb\n", MARKERS.0, MARKERS.1));
        assert_eq!(between_markers(&new, "new"), Some(new.clone()));
        assert_eq!(between_markers("no markers", "new"), None);
    }
}
