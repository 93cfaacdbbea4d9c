//! The report for machines.

use serde::Serialize;

use super::{Report, Summary};
use crate::verdict::Outcome;

#[derive(Serialize)]
struct Out<'a> {
    schema: u32,
    target: &'a str,
    label: &'a str,
    seed: String,
    summary: Summary,
    cases: Vec<CaseOut<'a>>,
}

#[derive(Serialize)]
struct CaseOut<'a> {
    id: &'a str,
    rules: &'a [&'static str],
    outcome: Outcome,
    why: &'a str,
    duration_ms: u64,
}

impl Report {
    /// The report as one JSON object: `target`, `label`, `seed`, `summary` by outcome, and `cases` with `id`, `rules`, `outcome`, `why` and
    /// `duration_ms`. `schema` rises when a field changes its meaning.
    #[must_use]
    pub fn to_json(&self) -> String {
        let out = Out {
            schema: 1,
            target: &self.target,
            label: self.label(),
            seed: format!("{:#x}", self.seed),
            summary: self.summary(),
            cases: self
                .cases
                .iter()
                .map(|case| CaseOut {
                    id: case.id,
                    rules: &case.rules,
                    outcome: case.outcome,
                    why: &case.why,
                    duration_ms: u64::try_from(case.duration.as_millis()).unwrap_or(u64::MAX),
                })
                .collect(),
        };
        // Texts, numbers and lists always have a JSON form.
        serde_json::to_string(&out).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_has_the_shape_that_scripts_read() {
        let json = super::super::sample::report().to_json();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["target"], "paper://");
        assert_eq!(value["label"], "emulated");
        assert_eq!(
            value["summary"],
            serde_json::json!({"passed": 1, "failed": 1, "refused": 1, "not_run": 1, "over_budget": 1})
        );
        assert_eq!(
            value["cases"][1],
            serde_json::json!({
                "id": "plan/stale-base",
                "rules": ["P3"],
                "outcome": "failed",
                "why": "it said <yes> & \"went on\"",
                "duration_ms": 12,
            })
        );
        assert_eq!(value["cases"][3]["outcome"], "not_run");
    }
}
