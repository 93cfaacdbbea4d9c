//! Rules about plans.

use super::Rule;

pub(super) const RULES: [Rule; 3] = [
    Rule {
        id: "P1",
        since: "0.1",
        text: "Every write that reaches the provider belongs to one planned step.",
        condition: None,
        cases: &["plan/writes-belong-to-steps", "plan/no-write-past-the-seam"],
        mutants: &[
            "writes-past-the-seam",
            "writes-outside-the-plan",
            "loses-the-step",
            "counts-nothing",
            "sends-what-was-refused",
        ],
    },
    Rule {
        id: "P2",
        since: "0.1",
        text: "Planning and every reading verb write nothing.",
        condition: None,
        cases: &["plan/reads-only"],
        mutants: &["plans-with-a-write"],
    },
    Rule {
        id: "P3",
        since: "0.1",
        text: "A plan made on an older base is `Conflict`, and nothing of it is applied.",
        condition: None,
        cases: &["plan/stale-base", "plan/stale-absence"],
        mutants: &[
            "plans-on-any-base",
            "stale-revision",
            "skips-the-base-check",
        ],
    },
];
