//! The contract as documents: CONTRACT.md from the rule table, and the matrix in the README from
//! the rule table and a run's report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyport_conformance::report::between_markers;
use anyport_conformance::rules::{self, CHAPTERS, Rule};
use serde::Deserialize;

pub(crate) const CONTRACT: &str = "CONTRACT.md";
pub(crate) const README: &str = "README.md";

/// What `anyport conformance --json` prints, as far as the matrix needs it.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    target: String,
    /// Emulated or observed.
    label: String,
    cases: Vec<CaseResult>,
}

#[derive(Debug, Deserialize)]
struct CaseResult {
    id: String,
    outcome: String,
}

/// The whole of CONTRACT.md.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# The contract\n\n\
         What a function, and whoever deploys and calls it, may rely on at every target. Each rule is checked by the\n\
         cases it names, on every adapter; each case is itself checked by mutants, adapters broken on purpose that\n\
         must fail it. Ids are never reused.\n\n\
         This page is made from the table in `conformance-tests/src/rules` by `cargo xtask contract`.\n",
    );
    for chapter in &CHAPTERS {
        let _ = write!(page, "\n## {}\n", chapter.title);
        for rule in chapter.rules {
            page.push_str(&section(rule));
        }
    }
    page
}

fn section(rule: &Rule) -> String {
    let mut text = format!("\n### {}\n\n{}\n", rule.id, rule.text);
    if let Some(condition) = rule.condition {
        let _ = write!(text, "\nDepends on {condition}.\n");
    }
    let listed = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let _ = write!(
        text,
        "\nSince {}. Cases: {}. Mutants: {}.\n",
        rule.since,
        listed(rule.cases),
        listed(rule.mutants)
    );
    text
}

/// The matrix: one row per rule, one column per report.
pub(crate) fn matrix(reports: &[Report]) -> String {
    let mut heads = String::new();
    for report in reports {
        let _ = write!(heads, " `{}` ({}) |", report.target, report.label);
    }
    let mut table = format!(
        "| rule | |{heads}\n|---|---|{}\n",
        "---|".repeat(reports.len())
    );
    for rule in rules::all() {
        let cells: Vec<_> = reports.iter().map(|report| cell(rule, report)).collect();
        let _ = writeln!(
            table,
            "| {} | {} | {} |",
            rule.id,
            headline(rule.text),
            cells.join(" | ")
        );
    }
    table
}

/// The first clause of a rule, for a table.
fn headline(text: &str) -> &str {
    let end = text
        .find([';', ':'])
        .into_iter()
        .chain(text.find(". "))
        .min();
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

/// How a rule fares in a report: as its worst case.
fn cell(rule: &Rule, report: &Report) -> String {
    const WORST_FIRST: [&str; 5] = ["failed", "not_run", "over_budget", "refused", "passed"];
    let outcomes: BTreeMap<&str, &str> = report
        .cases
        .iter()
        .map(|case| (case.id.as_str(), case.outcome.as_str()))
        .collect();
    let of_rule: Vec<&str> = rule
        .cases
        .iter()
        .map(|case| outcomes.get(case).copied().unwrap_or("not_run"))
        .collect();
    let worst = WORST_FIRST
        .into_iter()
        .find(|outcome| of_rule.contains(outcome))
        .unwrap_or("not_run");
    worst.replace('_', " ")
}

/// The README with its matrix replaced; `None` where it has no place for one.
pub(crate) fn with_matrix(readme: &str, matrix: &str) -> Option<String> {
    between_markers(readme, matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        id: "X1",
        since: "0.1",
        text: "Things hold. Always; really.",
        condition: Some("`deploy.lock`: with `none`, they may not"),
        cases: &["x/one", "x/two"],
        mutants: &["breaks-things"],
    };

    fn report(cases: &[(&str, &str)]) -> Report {
        let case = |(id, outcome): &(&str, &str)| CaseResult {
            id: (*id).into(),
            outcome: (*outcome).into(),
        };
        Report {
            target: "local://".into(),
            label: "emulated".into(),
            cases: cases.iter().map(case).collect(),
        }
    }

    #[test]
    fn a_rule_is_a_section_with_its_proofs() {
        assert_eq!(
            section(&RULE),
            "\n### X1\n\nThings hold. Always; really.\n\nDepends on `deploy.lock`: with `none`, they may not.\n\n\
             Since 0.1. Cases: `x/one`, `x/two`. Mutants: `breaks-things`.\n"
        );
    }

    #[test]
    fn a_rule_is_as_good_as_its_worst_case() {
        for (one, two, expected) in [
            ("passed", "passed", "passed"),
            ("passed", "refused", "refused"),
            ("refused", "refused", "refused"),
            ("passed", "failed", "failed"),
            ("over_budget", "passed", "over budget"),
        ] {
            assert_eq!(
                cell(&RULE, &report(&[("x/one", one), ("x/two", two)])),
                expected
            );
        }
        // A case that the report does not know was not run.
        assert_eq!(cell(&RULE, &report(&[("x/one", "passed")])), "not run");
    }

    #[test]
    fn the_matrix_has_a_row_for_every_rule_and_a_column_for_every_report() {
        let table = matrix(&[report(&[]), report(&[])]);
        let mut lines = table.lines();
        let head = "| rule | | `local://` (emulated) | `local://` (emulated) |";
        assert_eq!(lines.next(), Some(head));
        assert_eq!(lines.next(), Some("|---|---|---|---|"));
        assert_eq!(lines.count(), rules::all().count());
        assert_eq!(headline(RULE.text), "Things hold");
    }
}
