//! A Runtime API that misbehaves, or goes away.

use serde_json::json;

use crate::support::api::{Api, ID};
use crate::support::process::Probe;

fn echo(n: u32) -> Vec<u8> {
    json!({"do": "echo", "value": n}).to_string().into_bytes()
}

#[test]
fn a_kept_connection_that_dies_is_replaced() {
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    wire.invoke(&[], &echo(1));
    // While it waits for work.
    drop(wire);
    let mut wire = api.accept_ready();
    assert_eq!(wire.invoke(&[], &echo(2)).text(), "2");
    // While it has an answer to give.
    wire.hand_over(&[], &echo(3));
    drop(wire);
    let mut wire = api.accept();
    assert_eq!(
        wire.expect_post(&format!("/invocation/{ID}/response"))
            .text(),
        "3"
    );
    wire.expect_next();
}

#[test]
fn a_connection_that_the_server_closes_each_time_is_no_problem() {
    let api = Api::new();
    let _probe = api.start(&[]);
    for n in 0..3 {
        let mut wire = api.accept_ready();
        wire.hand_over(&[("Connection", "close")], &echo(n));
        let mut wire = api.accept();
        assert_eq!(
            wire.expect_post(&format!("/invocation/{ID}/response"))
                .text(),
            n.to_string()
        );
        wire.expect_next();
    }
}

#[test]
fn chunked_and_interim_answers_are_understood() {
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    let head = format!(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: {ID}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    wire.write(head.as_bytes());
    for part in [
        &b"5\r\n{\"do\"\r"[..],
        b"\n12;x=y\r\n:\"echo\",\"value\":4}\r\n0\r\nX-Tra",
        b"iler: 1\r\n\r\n",
    ] {
        wire.write(part);
    }
    assert_eq!(
        wire.expect_post(&format!("/invocation/{ID}/response"))
            .text(),
        "4"
    );
    wire.expect_next();
    assert_eq!(wire.invoke(&[], &echo(5)).text(), "5");
}

#[test]
fn a_body_that_ends_with_the_connection_is_understood() {
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    wire.write(
        format!("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: {ID}\r\n\r\n").as_bytes(),
    );
    wire.write(&echo(6));
    drop(wire);
    let mut wire = api.accept();
    assert_eq!(
        wire.expect_post(&format!("/invocation/{ID}/response"))
            .text(),
        "6"
    );
}

#[test]
fn an_answer_that_no_runtime_can_use_ends_the_function_with_a_reason() {
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200));
    let bad_id = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: ../../init/error\r\nContent-Length: 2\r\n\r\n{}";
    for (answer, reason) in [
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "with status 403",
        ),
        (
            "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
            "with status 410",
        ),
        (
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
            "with status 500",
        ),
        ("SSH-2.0-OpenSSH_9.6\r\n", "not HTTP/1.1"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "content-length is no number",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "unknown transfer-encoding",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "not well-formed",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            "ends before its body does",
        ),
        ("HTTP/1.1 200 O", "ends within its head"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "without a request id",
        ),
        (bad_id, "whose request id is not"),
        (&long, "too large"),
        (&many, "too large"),
    ] {
        let api = Api::new();
        let mut probe = api.start(&[]);
        let mut wire = api.accept_ready();
        wire.write(answer.as_bytes());
        drop(wire);
        assert_eq!(probe.wait().code(), Some(1), "{reason}");
        assert!(probe.logged(reason), "no {reason:?} in {:?}", probe.log);
        assert!(
            probe.logged("probe: goodbye"),
            "hooks run at every orderly end"
        );
    }
}

#[test]
fn a_server_that_only_hangs_up_is_given_up_on() {
    let api = Api::new();
    let mut probe = api.start(&[]);
    for _ in 0..4 {
        drop(api.accept_ready());
    }
    assert_eq!(probe.wait().code(), Some(1));
    assert!(probe.logged("closed the connection of GET next without an answer"));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // A port that no server of another test is ever given.
    const NOBODY: &str = "127.0.0.1:1";
    let mut probe = Probe::start(&[("AWS_LAMBDA_RUNTIME_API", NOBODY)]);
    assert_eq!(probe.wait().code(), Some(1));
    assert!(
        probe.logged(&format!("the Runtime API at {NOBODY}")),
        "{:?}",
        probe.log
    );
}

#[test]
fn an_answer_that_the_platform_refuses_costs_only_its_own_invocation() {
    let api = Api::new();
    let mut probe = api.start(&[]);
    let mut wire = api.accept_ready();
    for status in ["400 Bad Request", "413 Payload Too Large"] {
        wire.hand_over(&[], &echo(1));
        wire.receive().unwrap();
        wire.send(&format!("HTTP/1.1 {status}"), &[], b"{}");
        wire.expect_next();
    }
    // Anything worse means that the platform has lost track: the runtime must not go on.
    wire.hand_over(&[], &echo(2));
    wire.receive().unwrap();
    wire.send("HTTP/1.1 403 Forbidden", &[], b"{}");
    assert_eq!(probe.wait().code(), Some(1));
    assert!(probe.logged("answered POST response with status 403"));
}

#[test]
fn a_payload_over_the_limit_is_refused_without_the_handler() {
    let api = Api::new();
    let _probe = api.start(&[("PROBE_MAX_PAYLOAD", "1000")]);
    let mut wire = api.accept_ready();
    wire.hand_over(&[], &vec![b' '; 1001]);
    let mut wire = api.accept();
    let error = wire.expect_post(&format!("/invocation/{ID}/error"));
    assert_eq!(error.json()["errorType"], "Runtime.PayloadTooLarge");
    assert!(
        error.json()["errorMessage"]
            .as_str()
            .unwrap()
            .contains("1000 bytes")
    );
    wire.expect_next();
    let mut fits = echo(1);
    fits.resize(1000, b' ');
    assert_eq!(wire.invoke(&[], &fits).text(), "1");
}
