//! The report for CI servers.

use std::fmt::Write as _;

use super::Report;
use crate::verdict::Outcome;

impl Report {
    /// The report as JUnit XML: failures and over-budget cases as failures, cases that were not run as skipped, refusals as passed with
    /// a note.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let summary = self.summary();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let seconds: f64 = self
            .cases
            .iter()
            .map(|case| case.duration.as_secs_f64())
            .sum();
        let _ = writeln!(
            xml,
            "<testsuite name=\"{} ({})\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\">",
            escaped(&self.target),
            self.label(),
            self.cases.len(),
            summary.failed + summary.over_budget,
            summary.not_run
        );
        for case in &self.cases {
            let _ = write!(
                xml,
                "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
                escaped(&case.rules.join(" ")),
                escaped(case.id),
                case.duration.as_secs_f64()
            );
            let why = escaped(&case.why);
            let inner = match case.outcome {
                Outcome::Passed => None,
                Outcome::Refused => Some(format!("<system-out>{why}</system-out>")),
                Outcome::NotRun => Some(format!("<skipped message=\"{why}\"/>")),
                Outcome::Failed | Outcome::OverBudget => Some(format!(
                    "<failure type=\"{}\" message=\"{why}\"/>",
                    case.outcome.word()
                )),
            };
            match inner {
                None => xml.push_str("/>\n"),
                Some(inner) => {
                    let _ = writeln!(xml, ">{inner}</testcase>");
                }
            }
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

/// Text for an attribute or an element. What XML has no way to write is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_element_and_texts_are_escaped() {
        let xml = super::super::sample::report().to_junit();
        for part in [
            "tests=\"5\" failures=\"2\" skipped=\"1\"",
            "<testcase classname=\"P2\" name=\"plan/reads-only\" time=\"0.012\"/>",
            "message=\"it said &lt;yes&gt; &amp; &quot;went on&quot;\"",
            "<skipped message=\"nobody can tamper here\"/>",
            "<system-out>refused as declared</system-out>",
            "<failure type=\"over_budget\" message=\"3 reads\"/>",
        ] {
            assert!(xml.contains(part), "{part} is not in {xml}");
        }
        assert_eq!(escaped("a\u{0}\u{1b}[1m\nb"), "a\u{fffd}\u{fffd}[1m&#10;b");
    }
}
