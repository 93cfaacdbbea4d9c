//! Rules about errors.

use super::Rule;

pub(super) const RULES: [Rule; 5] = [
    Rule {
        id: "E1",
        since: "0.1",
        text: "There is one error type: kind, retry advice, whether it may have run, provider, operation, resource, request id, source. Operation and resource are always there.",
        condition: None,
        cases: &["error/says-what-on-what"],
        mutants: &["names-another-resource"],
    },
    Rule {
        id: "E2",
        since: "0.1",
        text: "Each failure has its kind, the same on every target.",
        condition: None,
        cases: &["error/kinds"],
        mutants: &["everything-is-unavailable"],
    },
    Rule {
        id: "E3",
        since: "0.1",
        text: "An error's text never repeats its source, and says what was tried, on what, why it failed and what to do next.",
        condition: None,
        cases: &["error/text"],
        mutants: &["repeats-the-source"],
    },
    Rule {
        id: "E4",
        since: "0.1",
        text: "No secret and no payload is in an error, a plan that is shown, or an outcome.",
        condition: None,
        cases: &["error/keeps-secrets"],
        mutants: &["quotes-the-payload", "quotes-the-environment"],
    },
    Rule {
        id: "E5",
        since: "0.1",
        text: "Requests go to loopback or over TLS; an endpoint override to anywhere else is refused.",
        condition: None,
        cases: &["error/safe-endpoint"],
        mutants: &["talks-in-the-clear"],
    },
];
