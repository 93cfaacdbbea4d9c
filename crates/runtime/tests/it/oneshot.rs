//! One event and the end.

use serde_json::{Value, json};

use crate::support::process::Probe;
use crate::support::{Scratch, await_file};

const TYPE: (&str, &str) = ("ANYPORT_EVENT_TYPE", "application/json");

fn run(vars: &[(&str, &str)], input: &[u8]) -> (i32, Vec<u8>, Probe) {
    let mut probe = Probe::start_with_input(vars, input);
    let code = probe.wait().code().unwrap();
    let stdout = probe.stdout();
    (code, stdout, probe)
}

fn report(probe: &Probe) -> Value {
    let line = probe.log.iter().find(|line| line.starts_with('{')).unwrap();
    serde_json::from_str(line).unwrap()
}

#[test]
fn an_event_from_standard_input_is_answered_on_standard_output() {
    for body in [&b""[..], &[0, 255, 13, 10, 0]] {
        let (code, stdout, probe) = run(&[("ANYPORT_EVENT", "-")], body);
        assert_eq!((code, &stdout[..]), (0, body));
        assert!(probe.logged("probe: goodbye"));
    }
    let (code, stdout, _) = run(&[("ANYPORT_EVENT", "-"), TYPE], br#"{"do":"stream"}"#);
    assert_eq!((code, &stdout[..]), (0, &b"first last"[..]));
}

#[test]
fn an_event_from_a_file_is_answered_into_a_file() {
    let scratch = Scratch::new();
    let (event, result) = (scratch.path("event"), scratch.path("result"));
    std::fs::write(&event, br#"{"do":"context"}"#).unwrap();
    let (code, stdout, _) = run(
        &[
            ("ANYPORT_EVENT", &event),
            ("ANYPORT_RESULT", &result),
            TYPE,
            ("ANYPORT_FUNCTION", "probe"),
            ("ANYPORT_REQUEST_ID", "r-1"),
            ("ANYPORT_IDEMPOTENCY_KEY", "k-1"),
            (
                "TRACEPARENT",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            ("ANYPORT_TIMEOUT_MS", "600000"),
        ],
        b"",
    );
    assert_eq!((code, stdout.len()), (0, 0));
    let context: Value = serde_json::from_slice(&std::fs::read(&result).unwrap()).unwrap();
    assert_eq!(context["platform"], "OneShot");
    assert_eq!(context["function"], "probe");
    assert_eq!(context["request_id"], "r-1");
    assert_eq!(context["idempotency_key"], "k-1");
    assert_eq!(
        context["trace"],
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
    assert!(context["remaining_ms"].as_u64().unwrap() > 0);
}

#[test]
fn the_exit_code_says_who_failed() {
    for (what, code, kind) in [
        (json!({"do": "fail"}), 1, "CardDeclined"),
        (json!({"do": "stream", "end": "fail"}), 1, "SourceGone"),
        (json!({"do": "panic", "message": "x"}), 2, "Runtime.Panic"),
        (json!({"do": "sleep-forever"}), 2, "Runtime.Timeout"),
    ] {
        // Two kinds of end in one table: only the sleeper reaches this limit.
        let limit = if kind == "Runtime.Timeout" {
            "50"
        } else {
            "600000"
        };
        let scratch = Scratch::new();
        let result = scratch.path("result");
        let vars = [
            ("ANYPORT_EVENT", "-"),
            TYPE,
            ("ANYPORT_RESULT", &result),
            ("ANYPORT_TIMEOUT_MS", limit),
        ];
        let (got, _, probe) = run(&vars, what.to_string().as_bytes());
        assert_eq!(got, code, "{kind}");
        assert_eq!(report(&probe)["errorType"], kind);
        assert!(
            !std::path::Path::new(&result).exists(),
            "an incomplete answer has no file"
        );
        assert_eq!(
            std::fs::read_dir(scratch.path(".")).unwrap().count(),
            0,
            "nor a remainder"
        );
    }
    let (code, _, probe) = run(&[("ANYPORT_EVENT", "-"), ("PROBE_INIT", "fail")], b"");
    assert_eq!(
        (code, report(&probe)["errorType"].as_str()),
        (1, Some("NoDatabase"))
    );
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let scratch = Scratch::new();
    let missing = scratch.path("missing");
    let (code, _, probe) = run(&[("ANYPORT_EVENT", &missing)], b"");
    assert_eq!(code, 2);
    assert!(
        report(&probe)["errorMessage"]
            .as_str()
            .unwrap()
            .contains(&missing)
    );

    let nowhere = scratch.path("no/such/directory");
    let (code, _, probe) = run(
        &[("ANYPORT_EVENT", "-"), ("ANYPORT_RESULT", &nowhere)],
        b"x",
    );
    assert_eq!(code, 2);
    assert_eq!(report(&probe)["errorType"], "Runtime.NoResult");

    let (code, _, probe) = run(
        &[("ANYPORT_EVENT", "-"), ("PROBE_MAX_PAYLOAD", "3")],
        b"four",
    );
    assert_eq!(code, 2);
    assert_eq!(report(&probe)["errorType"], "Runtime.PayloadTooLarge");
}

#[test]
fn a_cloud_run_job_without_an_event_gets_an_empty_one() {
    let (code, stdout, _) = run(&[("CLOUD_RUN_JOB", "nightly")], b"this is not read");
    assert_eq!((code, stdout.len()), (0, 0));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_fails() {
    let scratch = Scratch::new();
    let started = scratch.path("started");
    let body =
        json!({"do": "wait", "started": started, "until": scratch.path("never")}).to_string();
    let vars = [("ANYPORT_EVENT", "-"), TYPE, ("ANYPORT_GRACE_MS", "50")];
    let mut probe = Probe::start_with_input(&vars, body.as_bytes());
    await_file(&started);
    probe.tell_to_end();
    assert_eq!(probe.wait().code(), Some(2));
    assert_eq!(report(&probe)["errorType"], "Runtime.Interrupted");
}
