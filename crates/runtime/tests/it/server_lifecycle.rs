//! A server's start and end.

use std::net::TcpListener;

use serde_json::json;

use crate::support::message::Wire;
use crate::support::process::{JSON, Probe, ask, health};
use crate::support::{Scratch, await_file, await_that};

#[test]
fn it_listens_before_it_is_ready_and_says_so() {
    let scratch = Scratch::new();
    let ready = scratch.path("ready");
    let (_probe, address) = Probe::serve(&[("PROBE_INIT", &ready)]);
    assert_eq!(health(&address), 503);
    // A call that comes too early waits.
    let mut early = Wire::connect(&address);
    early.send(
        "POST / HTTP/1.1",
        &[("host", "x"), JSON],
        br#"{"do":"greet"}"#,
    );
    assert_eq!(health(&address), 503);
    std::fs::write(&ready, "").unwrap();
    assert_eq!(early.receive().unwrap().text(), "hi");
    assert_eq!(health(&address), 200);
}

#[test]
fn a_call_does_not_wait_for_a_start_beyond_its_deadline() {
    let scratch = Scratch::new();
    let (_probe, address) = Probe::serve(&[
        ("PROBE_INIT", &scratch.path("never")),
        ("ANYPORT_TIMEOUT_MS", "30"),
    ]);
    assert_eq!(ask(&address, &json!({"do": "greet"})).status(), 504);
}

#[test]
fn a_failed_start_is_logged_and_ends_the_process() {
    for (init, kind) in [("fail", "NoDatabase"), ("panic", "Runtime.Panic")] {
        let mut probe = Probe::start(&[
            ("PORT", "0"),
            ("ANYPORT_BIND", "127.0.0.1"),
            ("PROBE_INIT", init),
        ]);
        assert_eq!(probe.wait().code(), Some(1));
        let report = probe.log.iter().find(|line| line.starts_with('{')).unwrap();
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        assert_eq!(report["errorType"], kind);
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut probe = Probe::start(&[("PORT", &port), ("ANYPORT_BIND", "127.0.0.1")]);
    assert_eq!(probe.wait().code(), Some(1));
    assert!(
        probe.logged(&format!("can't listen on 127.0.0.1:{port}")),
        "{:?}",
        probe.log
    );
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let mut probe = Probe::start(&[("PORT", "http")]);
    assert_eq!(probe.wait().code(), Some(1));
    assert!(probe.logged("PORT is \"http\""));
}

#[cfg(unix)]
#[test]
fn at_the_end_calls_in_flight_are_answered_and_new_ones_refused() {
    let scratch = Scratch::new();
    let (started, until) = (scratch.path("started"), scratch.path("until"));
    let (mut probe, address) = Probe::serve(&[("ANYPORT_GRACE_MS", "60000")]);
    let mut idle = Wire::connect(&address);
    idle.send(
        "POST / HTTP/1.1",
        &[("host", "x"), JSON],
        br#"{"do":"greet"}"#,
    );
    idle.receive().unwrap();
    let mut busy = Wire::connect(&address);
    let body = json!({"do": "wait", "started": started, "until": until}).to_string();
    busy.send("POST / HTTP/1.1", &[("host", "x"), JSON], body.as_bytes());
    await_file(&started);

    probe.tell_to_end();
    assert!(
        idle.receive().is_none(),
        "a connection without a call is closed"
    );
    await_that("nobody listens", || {
        std::net::TcpStream::connect(&address).is_err()
    });
    assert!(probe.is_running());

    std::fs::write(&until, "").unwrap();
    let answer = busy.receive().unwrap();
    assert_eq!(answer.text(), "waited");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(probe.wait().code(), Some(0));
    assert!(probe.logged("probe: goodbye"));
}

#[cfg(unix)]
#[test]
fn the_end_does_not_wait_for_ever() {
    for (grace, second_signal) in [("50", false), ("60000", true)] {
        let scratch = Scratch::new();
        let (started, never) = (scratch.path("started"), scratch.path("never"));
        let (mut probe, address) = Probe::serve(&[("ANYPORT_GRACE_MS", grace)]);
        let mut wire = Wire::connect(&address);
        let body = json!({"do": "wait", "started": started, "until": never}).to_string();
        wire.send("POST / HTTP/1.1", &[("host", "x"), JSON], body.as_bytes());
        await_file(&started);
        probe.tell_to_end();
        if second_signal {
            await_that("nobody listens", || {
                std::net::TcpStream::connect(&address).is_err()
            });
            probe.signal("INT");
        }
        assert_eq!(probe.wait().code(), Some(0));
        assert!(probe.logged("still running when the grace ended"));
        assert!(probe.logged("probe: goodbye"));
    }
}
