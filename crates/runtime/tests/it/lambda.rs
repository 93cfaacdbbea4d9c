//! Invocations through the Runtime API that go as they should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::Scratch;
use crate::support::api::{Api, ID};

const ANY: (&str, &str) = ("Anyport-Media", "any");

fn ask(what: &Value) -> Vec<u8> {
    what.to_string().into_bytes()
}

#[test]
fn json_goes_in_and_out_over_one_connection() {
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    for n in 0..50 {
        let answer = wire.invoke(&[], &ask(&json!({"do": "echo", "value": {"n": n}})));
        assert_eq!(answer.json(), json!({"n": n}));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn what_is_not_json_travels_in_the_envelope_both_ways() {
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    let image = [0_u8, 159, 146, 150, 255];
    let envelope = json!({"anyport": {"v": 1, "ct": "image/png", "b64": STANDARD.encode(image)}});
    let answer = wire.invoke(&[], &ask(&envelope));
    assert_eq!(answer.json(), envelope);

    // Text is no JSON either.
    let answer = wire.invoke(&[], &ask(&json!({"do": "greet"})));
    assert_eq!(
        answer.json(),
        json!({"anyport": {"v": 1, "ct": "text/plain; charset=utf-8", "b64": STANDARD.encode("hi")}})
    );
    let empty = json!({"anyport": {"v": 1, "ct": "text/plain", "b64": ""}});
    assert_eq!(wire.invoke(&[], &ask(&empty)).json(), empty);
    let problem = json!({"anyport": {"v": 1, "ct": "application/problem+json", "b64": STANDARD.encode("{}")}});
    assert_eq!(wire.invoke(&[], &ask(&problem)).json(), problem);
}

#[test]
fn an_event_has_its_key_and_trace_in_the_envelope() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    let b64 = STANDARD.encode(json!({"do": "context"}).to_string());
    let event = json!({"anyport": {"v": 1, "ct": "application/json", "key": "k-1", "tp": TRACE, "b64": b64}});
    let context = wire.invoke(&[], &ask(&event)).json();
    assert_eq!(context["idempotency_key"], "k-1");
    assert_eq!(context["trace"], TRACE);
}

#[test]
fn where_the_platform_carries_any_media_bytes_are_bytes() {
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    for body in [
        &b""[..],
        &[0, 255, 13, 10, 0],
        "gr\u{fc}\u{df}e".as_bytes(),
        &big,
    ] {
        let answer = wire.invoke(&[ANY, ("Content-Type", "image/png")], body);
        assert!(
            answer.body == body,
            "{} bytes came back as {}",
            body.len(),
            answer.body.len()
        );
        assert_eq!(answer.header("content-type"), Some("image/png"));
    }
    let odd = json!({"anyport": {"v": 1, "b64": ""}}).to_string();
    let answer = wire.invoke(&[ANY, ("Content-Type", "text/x")], odd.as_bytes());
    assert_eq!(answer.text(), odd, "an envelope is nothing special here");
}

#[test]
fn the_context_says_what_the_platform_said() {
    let api = Api::new();
    let _probe = api.start(&[
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ]);
    let mut wire = api.accept_ready();
    let context = wire.invoke(&[], &ask(&json!({"do": "context"}))).json();
    assert_eq!(context["request_id"], ID);
    assert_eq!(context["function"], "probe");
    assert_eq!(context["version"], "7");
    assert_eq!(context["memory_mb"], 512);
    assert_eq!(context["platform"], "Lambda");
    assert_eq!(
        context["arn"],
        "arn:aws:lambda:us-east-2:123456789012:function:probe"
    );
    assert_eq!(context["idempotency_key"], Value::Null);
    assert!(context["remaining_ms"].as_u64().unwrap() > 0);
    // Without a W3C header the trace is the one of AWS's own.
    assert_eq!(
        context["trace"],
        "00-5bef4de7ad49b0e87f6ef6c87fc2e700-9a9197af755a6419-01"
    );
    assert!(
        context["child"]
            .as_str()
            .unwrap()
            .starts_with("00-5bef4de7ad49b0e87f6ef6c87fc2e700-")
    );
}

#[test]
fn trace_and_idempotency_key_come_by_header_or_by_client_context() {
    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const CUSTOM: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    let what = ask(&json!({"do": "context"}));

    let by_header = [("traceparent", HEADER), ("Anyport-Idempotency-Key", "k-1")];
    let context = wire.invoke(&by_header, &what).json();
    assert_eq!(context["trace"], HEADER);
    assert_eq!(context["idempotency_key"], "k-1");

    let custom = json!({"client": {"x": 1}, "custom": {"anyport-idempotency-key": "k-2", "traceparent": CUSTOM}});
    let context = wire
        .invoke(
            &[("Lambda-Runtime-Client-Context", &custom.to_string())],
            &what,
        )
        .json();
    assert_eq!(context["trace"], CUSTOM);
    assert_eq!(context["idempotency_key"], "k-2");

    let context = wire
        .invoke(&[("Lambda-Runtime-Client-Context", "not json")], &what)
        .json();
    assert_eq!(context["idempotency_key"], Value::Null);
}

#[test]
fn errors_and_panics_are_reported_and_the_next_invocation_works() {
    let api = Api::new();
    let mut probe = api.start(&[]);
    let mut wire = api.accept_ready();
    for (what, header, kind, message) in [
        (
            json!({"do": "fail"}),
            "Function.CardDeclined",
            "CardDeclined",
            "not enough funds",
        ),
        (
            json!({"do": "parse", "value": "x"}),
            "Function.ParseIntError",
            "ParseIntError",
            "invalid digit found in string",
        ),
        (
            json!({"do": "panic", "message": "lost it"}),
            "Runtime.Panic",
            "Runtime.Panic",
            "lost it",
        ),
        (
            json!({"do": "stream-fails-at-once"}),
            "Function.NoSource",
            "NoSource",
            "there is no source",
        ),
    ] {
        let error = wire.invoke_failing(&ask(&what));
        assert_eq!(
            error.header("lambda-runtime-function-error-type"),
            Some(header)
        );
        assert_eq!(
            error.json(),
            json!({"errorType": kind, "errorMessage": message, "stackTrace": []})
        );
        assert_eq!(
            wire.invoke(&[], &ask(&json!({"do": "echo", "value": 1})))
                .text(),
            "1"
        );
    }
    let error = wire.invoke_failing(b"{\"secret\":");
    assert_eq!(error.json()["errorType"], "InvalidInput");
    assert!(probe.is_running());
}

#[test]
fn a_slow_start_comes_before_the_first_question_for_work() {
    let scratch = Scratch::new();
    let ready = scratch.path("ready");
    let api = Api::new();
    let _probe = api.start(&[("PROBE_INIT", &ready)]);
    std::fs::write(&ready, "").unwrap();
    let mut wire = api.accept_ready();
    assert_eq!(
        wire.invoke(&[], &ask(&json!({"do": "echo", "value": true})))
            .text(),
        "true"
    );
}

#[test]
fn a_failed_start_is_reported_as_the_platform_asks() {
    for (init, header, kind, message) in [
        (
            "fail",
            "Function.NoDatabase",
            "NoDatabase",
            "the database does not answer",
        ),
        ("panic", "Runtime.Panic", "Runtime.Panic", "init went wrong"),
    ] {
        let api = Api::new();
        let mut probe = api.start(&[("PROBE_INIT", init)]);
        let error = api.accept().expect_post("/init/error");
        assert_eq!(
            error.header("lambda-runtime-function-error-type"),
            Some(header)
        );
        assert_eq!(
            error.json(),
            json!({"errorType": kind, "errorMessage": message, "stackTrace": []})
        );
        assert_eq!(probe.wait().code(), Some(1));
        assert!(probe.logged("the function can't start"));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_an_idle_function_at_once() {
    for name in ["TERM", "INT"] {
        let api = Api::new();
        let mut probe = api.start(&[]);
        let _wire = api.accept_ready();
        probe.signal(name);
        assert_eq!(probe.wait().code(), Some(0));
        assert!(probe.logged("probe: goodbye"));
    }
}

#[cfg(unix)]
#[test]
fn an_invocation_in_flight_is_answered_before_the_end() {
    let scratch = Scratch::new();
    let (started, until) = (scratch.path("started"), scratch.path("until"));
    let api = Api::new();
    let mut probe = api.start(&[("ANYPORT_GRACE_MS", "60000")]);
    let mut wire = api.accept_ready();
    wire.hand_over(
        &[ANY],
        &ask(&json!({"do": "wait", "started": started, "until": until})),
    );
    crate::support::await_file(&started);
    probe.tell_to_end();
    std::fs::write(&until, "").unwrap();
    let answer = wire.expect_post(&format!("/invocation/{ID}/response"));
    assert_eq!(answer.text(), "waited");
    assert!(wire.receive().is_none(), "no more work is asked for");
    assert_eq!(probe.wait().code(), Some(0));
    assert!(probe.logged("probe: goodbye"));
}

#[cfg(unix)]
#[test]
fn an_invocation_that_outlasts_the_grace_is_left() {
    let scratch = Scratch::new();
    let started = scratch.path("started");
    let api = Api::new();
    let mut probe = api.start(&[("ANYPORT_GRACE_MS", "50")]);
    let mut wire = api.accept_ready();
    wire.hand_over(
        &[],
        &ask(&json!({"do": "wait", "started": started, "until": scratch.path("never")})),
    );
    crate::support::await_file(&started);
    probe.tell_to_end();
    assert_eq!(probe.wait().code(), Some(0));
    assert!(probe.logged("still running when the grace ended"));
}
