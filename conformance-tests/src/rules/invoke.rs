//! Rules about invoking.

use super::Rule;

pub(super) const RULES: [Rule; 10] = [
    Rule {
        id: "I1",
        since: "0.1",
        text: "Bytes and content type arrive exactly, both ways, for functions on the Runtime API and on HTTP: empty, binary, UTF-8, up to the limit.",
        condition: Some("`invoke.media`: with `json`, other payloads are refused before sending"),
        cases: &["invoke/bytes", "http/bytes", "invoke/largest"],
        mutants: &[
            "loses-the-content-type",
            "mangles-binary",
            "wrong-bytes",
            "wrong-type",
        ],
    },
    Rule {
        id: "I2",
        since: "0.1",
        text: "A function's own error is `Function` and handled; a crash, exit or panic is `Function` and unhandled; with type, message and last log lines. The next invocation works.",
        condition: None,
        cases: &["invoke/returned-error", "invoke/crash", "http/errors"],
        mutants: &[
            "swallows-function-errors",
            "calls-crashes-handled",
            "tames-panics",
            "dies-silently",
        ],
    },
    Rule {
        id: "I3",
        since: "0.1",
        text: "The caller gets `Timeout` within a second of the limit, and the function had seen its deadline; the code stops.",
        condition: Some("`invoke.stops_code`: without it, the code may run on"),
        cases: &["invoke/function-timeout", "invoke/caller-timeout"],
        mutants: &["answers-late", "ignores-deadline", "blames-the-network"],
    },
    Rule {
        id: "I4",
        since: "0.1",
        text: "A payload over the limit is refused before it is sent and the limit is named; an unknown function is `NotFound` and the nearest name is named.",
        condition: None,
        cases: &["invoke/too-large", "invoke/unknown"],
        mutants: &["skips-the-size-check", "names-no-neighbour"],
    },
    Rule {
        id: "I5",
        since: "0.1",
        text: "An asynchronous call is accepted durably with an id, or refused, and never accepted for a function that does not exist. It is delivered at least once, tried again as configured under the id it has, and then kept as a dead letter with the original event.",
        condition: Some(
            "`enqueue`: refused as `Unsupported` without it; and `logs`, without which the attempts' ids cannot be seen",
        ),
        cases: &[
            "enqueue/delivers",
            "enqueue/unknown",
            "enqueue/dead-letter",
            "enqueue/survives-the-client",
        ],
        mutants: &[
            "accepts-for-the-unknown",
            "drops-events",
            "rewrites-dead-letters",
            "renames-calls",
        ],
    },
    Rule {
        id: "I6",
        since: "0.1",
        text: "Parallel callers get their own answers. Above the concurrency limit, what `invoke.overload` says happens.",
        condition: Some("`invoke.overload`: `rejects`, `queues` or `unbounded`"),
        cases: &["invoke/parallel", "invoke/overload"],
        mutants: &["mixes-up-answers", "calls-overload-an-outage"],
    },
    Rule {
        id: "I7",
        since: "0.1",
        text: "Trace context and idempotency key reach the function; its span is a child of the caller's.",
        condition: Some("`invoke.idempotency_key` for the key"),
        cases: &["invoke/trace", "invoke/idempotency-key"],
        mutants: &[
            "loses-the-trace",
            "loses-the-key",
            "drops-trace",
            "drops-key",
        ],
    },
    Rule {
        id: "I8",
        since: "0.1",
        text: "After a call that may have run user code there is no retry, unless asked or an idempotency key makes it safe. The error says that it may have run.",
        condition: None,
        cases: &["invoke/no-second-run", "invoke/retry-when-safe"],
        mutants: &[
            "runs-twice",
            "denies-that-it-ran",
            "retries-user-code",
            "hides-lost-replies",
        ],
    },
    Rule {
        id: "I9",
        since: "0.1",
        text: "The first piece of a streamed answer arrives before the last is produced, and backpressure holds.",
        condition: Some("`invoke.streaming`: without it, the whole answer arrives at once"),
        cases: &["invoke/streams", "invoke/backpressure"],
        mutants: &["collects-streams", "holds-stream"],
    },
    Rule {
        id: "I10",
        since: "0.1",
        text: "After a verb is dropped at any await, no task, descriptor or child process remains, and the same verb works.",
        condition: None,
        cases: &["invoke/dropped", "deploy/dropped"],
        mutants: &["leaves-a-task", "leaves-a-descriptor"],
    },
];
