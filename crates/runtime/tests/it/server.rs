//! Calls over HTTP.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::message::Wire;
use crate::support::process::{JSON, Probe, ask, health, post};
use crate::support::{Scratch, await_file};

#[test]
fn bytes_and_content_type_go_in_and_come_out_as_they_are() {
    let (_probe, address) = Probe::serve(&[("ANYPORT_VERSION", "7")]);
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    for body in [
        &b""[..],
        &[0, 255, 13, 10, 0],
        "gr\u{fc}\u{df}e".as_bytes(),
        &big,
    ] {
        let answer = post(
            &address,
            &[
                ("content-type", "image/png"),
                ("x-anyport-request-id", "r-1"),
            ],
            body,
        );
        assert_eq!(answer.status(), 200);
        assert!(
            answer.body == body,
            "{} bytes came back as {}",
            body.len(),
            answer.body.len()
        );
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert_eq!(answer.header("x-anyport-version"), Some("7"));
        assert_eq!(answer.header("x-anyport-request-id"), Some("r-1"));
    }
    assert_eq!(post(&address, &[], b"x").header("content-type"), None);
}

#[test]
fn a_chunked_request_is_collected() {
    let (_probe, address) = Probe::serve(&[]);
    let mut wire = Wire::connect(&address);
    wire.write(
        b"POST /any/path HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    wire.write(b"3\r\ndef\r\n0\r\n\r\n");
    assert_eq!(wire.receive().unwrap().text(), "abcdef");
}

#[test]
fn a_connection_carries_many_calls() {
    let (_probe, address) = Probe::serve(&[]);
    let mut wire = Wire::connect(&address);
    for n in 0..50 {
        let body = json!({"do": "echo", "value": n}).to_string();
        wire.send("POST / HTTP/1.1", &[("host", "x"), JSON], body.as_bytes());
        assert_eq!(wire.receive().unwrap().text(), n.to_string());
    }
}

#[test]
fn the_context_says_what_the_caller_said() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (_probe, address) = Probe::serve(&[
        ("ANYPORT_FUNCTION", "probe"),
        ("ANYPORT_VERSION", "7"),
        ("ANYPORT_MEMORY_MB", "512"),
    ]);
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(600);
    let headers = [
        JSON,
        ("traceparent", TRACE),
        ("idempotency-key", "k-1"),
        ("x-anyport-request-id", "r-1"),
        ("x-anyport-deadline-ms", &deadline.as_millis().to_string()),
    ];
    let context = post(&address, &headers, br#"{"do":"context"}"#).json();
    assert_eq!(context["request_id"], "r-1");
    assert_eq!(context["trace"], TRACE);
    assert!(context["child"].as_str().unwrap().starts_with(&TRACE[..36]));
    assert_ne!(context["child"], TRACE);
    assert_eq!(context["idempotency_key"], "k-1");
    assert_eq!(context["function"], "probe");
    assert_eq!(context["version"], "7");
    assert_eq!(context["memory_mb"], 512);
    assert_eq!(context["platform"], "Local");
    let remaining = context["remaining_ms"].as_u64().unwrap();
    assert!((300_000..=600_000).contains(&remaining), "{remaining}");

    // A caller that says nothing gets an id all the same; one that says nonsense is not followed.
    let headers = [
        JSON,
        ("traceparent", "x"),
        ("x-anyport-deadline-ms", "soon"),
    ];
    let answer = post(&address, &headers, br#"{"do":"context"}"#);
    let context = answer.json();
    assert_eq!(context["request_id"].as_str().unwrap().len(), 36);
    assert_eq!(
        answer.header("x-anyport-request-id"),
        context["request_id"].as_str()
    );
    assert_eq!(context["trace"], Value::Null);
    assert_eq!(context["remaining_ms"], Value::Null);
}

#[test]
fn errors_and_panics_are_told_apart_and_the_next_call_works() {
    let (_probe, address) = Probe::serve(&[]);
    for (what, fault, kind, message) in [
        (
            json!({"do": "fail"}),
            "handled",
            "CardDeclined",
            "not enough funds",
        ),
        (
            json!({"do": "panic", "message": "lost it"}),
            "unhandled",
            "Runtime.Panic",
            "lost it",
        ),
        (
            json!({"do": "stream-fails-at-once"}),
            "handled",
            "NoSource",
            "there is no source",
        ),
    ] {
        let answer = ask(&address, &what);
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.header("x-anyport-error"), Some(fault));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(
            answer.json(),
            json!({"errorType": kind, "errorMessage": message, "stackTrace": []})
        );
        assert_eq!(
            ask(&address, &json!({"do": "echo", "value": 1})).text(),
            "1"
        );
    }
}

#[test]
fn the_error_message_is_for_the_caller_and_not_for_the_log() {
    let (mut probe, address) = Probe::serve(&[]);
    ask(&address, &json!({"do": "fail"}));
    assert!(probe.await_line("failed: ").ends_with("CardDeclined"));
    assert!(!probe.logged("not enough funds"));
}

#[test]
fn calls_run_at_the_same_time() {
    let scratch = Scratch::new();
    let (_probe, address) = Probe::serve(&[]);
    let until = scratch.path("until");
    let callers: Vec<_> = (0..8)
        .map(|n| {
            let (address, started, until) =
                (address.clone(), scratch.path(&n.to_string()), until.clone());
            let waiting = started.clone();
            let caller = std::thread::spawn(move || {
                ask(
                    &address,
                    &json!({"do": "wait", "started": started, "until": until}),
                )
            });
            (waiting, caller)
        })
        .collect();
    // Each has started while none has ended.
    for (started, _) in &callers {
        await_file(started);
    }
    std::fs::write(&until, "").unwrap();
    for (_, caller) in callers {
        assert_eq!(caller.join().unwrap().text(), "waited");
    }
}

#[test]
fn the_first_chunk_arrives_before_the_last_is_made() {
    let scratch = Scratch::new();
    let until = scratch.path("until");
    let (_probe, address) = Probe::serve(&[]);
    let mut wire = Wire::connect(&address);
    let body = json!({"do": "stream", "until": until}).to_string();
    wire.send("POST / HTTP/1.1", &[("host", "x"), JSON], body.as_bytes());
    let head = wire.receive_head().unwrap();
    assert_eq!(
        (head.status(), head.header("content-type")),
        (200, Some("text/plain"))
    );
    assert_eq!(wire.receive_chunk().unwrap(), b"first ");
    std::fs::write(&until, "").unwrap();
    assert_eq!(wire.receive_chunk().unwrap(), b"last");
    assert_eq!(wire.receive_chunk(), None);
}

#[test]
fn a_failure_after_the_first_chunk_cuts_the_body_off() {
    let (mut probe, address) = Probe::serve(&[]);
    for (end, logged) in [
        ("fail", "SourceGone: the source went away"),
        ("panic", "Runtime.Panic: no more"),
    ] {
        let mut wire = Wire::connect(&address);
        let body = json!({"do": "stream", "end": end}).to_string();
        wire.send(
            "POST / HTTP/1.1",
            &[("host", "x"), JSON, ("x-anyport-request-id", "r-9")],
            body.as_bytes(),
        );
        wire.receive_head().unwrap();
        assert_eq!(wire.receive_chunk().unwrap(), b"first ");
        assert_eq!(wire.try_chunk(), Err(()), "no proper end");
        assert!(
            probe
                .await_line("r-9 failed while streaming")
                .ends_with(logged)
        );
    }
    assert_eq!(
        ask(&address, &json!({"do": "echo", "value": 1})).text(),
        "1"
    );
}

#[test]
fn a_caller_that_goes_away_stops_its_handler() {
    let scratch = Scratch::new();
    let (_probe, address) = Probe::serve(&[]);
    for action in ["sleep-forever", "stream-forever"] {
        let (started, dropped) = (scratch.path("started"), scratch.path(action));
        let mut wire = Wire::connect(&address);
        let body = json!({"do": action, "started": started, "dropped": dropped}).to_string();
        wire.send("POST / HTTP/1.1", &[("host", "x"), JSON], body.as_bytes());
        match action {
            "sleep-forever" => await_file(&started),
            _ => assert_eq!(wire.receive_head().unwrap().status(), 200),
        }
        drop(wire);
        await_file(&dropped);
    }
}

#[test]
fn the_handler_is_stopped_at_the_callers_deadline() {
    let scratch = Scratch::new();
    let (_probe, address) = Probe::serve(&[]);
    let dropped = scratch.path("dropped");
    let deadline =
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_millis(50);
    let body = json!({"do": "sleep-forever", "dropped": dropped}).to_string();
    let headers = [
        JSON,
        ("x-anyport-deadline-ms", &deadline.as_millis().to_string()),
    ];
    let answer = post(&address, &headers, body.as_bytes());
    assert_eq!(answer.status(), 504);
    assert_eq!(answer.header("x-anyport-error"), Some("unhandled"));
    assert_eq!(answer.json()["errorType"], "Runtime.Timeout");
    await_file(&dropped);
}

#[test]
fn the_functions_own_limit_holds_without_a_callers_deadline() {
    let scratch = Scratch::new();
    let (_probe, address) = Probe::serve(&[("ANYPORT_TIMEOUT_MS", "50")]);
    assert_eq!(ask(&address, &json!({"do": "sleep-forever"})).status(), 504);
    // A stream has begun by then, so it can only be cut off.
    let dropped = scratch.path("dropped");
    let mut wire = Wire::connect(&address);
    let body = json!({"do": "stream-forever", "dropped": dropped}).to_string();
    wire.send("POST / HTTP/1.1", &[("host", "x"), JSON], body.as_bytes());
    wire.receive_head().unwrap();
    while let Ok(chunk) = wire.try_chunk() {
        assert!(chunk.is_some(), "no proper end");
    }
    await_file(&dropped);
}

#[test]
fn what_is_no_call_is_refused() {
    let (_probe, address) = Probe::serve(&[("PROBE_MAX_PAYLOAD", "1000")]);
    assert_eq!(post(&address, &[], &[b'x'; 1000]).status(), 200);
    let answer = post(&address, &[], &[b'x'; 1001]);
    assert_eq!(answer.status(), 413);
    assert_eq!(
        answer.header("x-anyport-error"),
        None,
        "the handler has not failed"
    );
    assert_eq!(answer.json()["errorType"], "Runtime.PayloadTooLarge");

    // Without a length the limit is found while reading.
    let mut wire = Wire::connect(&address);
    wire.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n");
    wire.write(&[b'x'; 1000]);
    wire.write(b"\r\n1\r\nx\r\n");
    assert_eq!(wire.receive().unwrap().status(), 413);

    let mut wire = Wire::connect(&address);
    wire.send("GET / HTTP/1.1", &[("host", "x")], b"");
    let answer = wire.receive().unwrap();
    assert_eq!(
        (answer.status(), answer.header("allow")),
        (405, Some("POST"))
    );
    assert_eq!(health(&address), 200);
}
