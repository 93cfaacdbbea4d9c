//! The report for people.

use std::fmt;

use super::{CaseReport, Report};
use crate::verdict::Outcome;

/// How many of the slowest cases are named.
const SLOWEST: usize = 10;

/// One line: outcome, case, rules, time, and why.
impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<11} {:<32} {:<12} {:>6} ms",
            self.outcome.word().replace('_', " "),
            self.id,
            self.rules.join(" "),
            self.duration.as_millis()
        )?;
        match self.outcome {
            Outcome::Passed | Outcome::Refused => Ok(()),
            _ => write!(f, "\n            {}", self.why),
        }
    }
}

/// What did not pass, the slowest cases, and the summary.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = |case: &&CaseReport| !matches!(case.outcome, Outcome::Passed | Outcome::Refused);
        for case in self.cases.iter().filter(bad) {
            writeln!(f, "{case}")?;
        }
        let mut slowest: Vec<&CaseReport> = self.cases.iter().collect();
        slowest.sort_by_key(|case| std::cmp::Reverse(case.duration));
        slowest.truncate(SLOWEST);
        let slowest: Vec<String> = slowest
            .iter()
            .map(|case| format!("{} {} ms", case.id, case.duration.as_millis()))
            .collect();
        writeln!(f, "slowest: {}", slowest.join(", "))?;
        let summary = self.summary();
        let time: std::time::Duration = self.cases.iter().map(|case| case.duration).sum();
        write!(
            f,
            "{} ({}): {} passed, {} refused as declared, {} failed, {} not run, {} over budget in {:.1} s; seed {:#x}",
            self.target,
            self.label(),
            summary.passed,
            summary.refused,
            summary.failed,
            summary.not_run,
            summary.over_budget,
            time.as_secs_f64(),
            self.seed
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_did_not_pass_is_explained_and_the_rest_is_counted() {
        let text = super::super::sample::report().to_string();
        for part in [
            "failed      plan/stale-base",
            "nobody can tamper here",
            "paper:// (emulated): 1 passed, 1 refused as declared, 1 failed, 1 not run, 1 over budget",
            "seed 0x7",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        assert!(!text.contains("passed      plan/reads-only"), "{text}");
    }
}
