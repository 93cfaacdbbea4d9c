//! Streamed answers through the Runtime API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::api::{Api, ID};
use crate::support::message::{Message, Wire};
use crate::support::{Scratch, await_file};

fn stream(wire: &mut Wire, what: &Value) -> Message {
    wire.hand_over(&[], what.to_string().as_bytes());
    let head = wire.receive_head().expect("the probe hung up");
    assert_eq!(
        head.start,
        format!("POST /2018-06-01/runtime/invocation/{ID}/response HTTP/1.1")
    );
    assert_eq!(
        head.header("lambda-runtime-function-response-mode"),
        Some("streaming")
    );
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(
        head.header("trailer"),
        Some("Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
    );
    assert_eq!(
        head.header("content-type"),
        Some("application/vnd.awslambda.http-integration-response")
    );
    head
}

/// The first chunk of a stream, which begins with what the platform's HTTP integration reads.
const FIRST: &[u8] =
    b"{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"}}\0\0\0\0\0\0\0\0first ";

#[test]
fn where_the_platform_carries_any_media_a_stream_has_its_type() {
    let scratch = Scratch::new();
    let until = scratch.path("until");
    std::fs::write(&until, "").unwrap();
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    let what = json!({"do": "stream", "until": until}).to_string();
    wire.hand_over(
        &[
            ("Anyport-Media", "any"),
            ("Content-Type", "application/json"),
        ],
        what.as_bytes(),
    );
    let head = wire.receive_head().expect("the probe hung up");
    assert_eq!(head.header("content-type"), Some("text/plain"));
    assert_eq!(wire.receive_chunk().unwrap(), b"first ");
    assert_eq!(wire.receive_chunk().unwrap(), b"last");
    assert_eq!(wire.receive_chunk(), None);
    assert_eq!(wire.headers(), []);
    wire.accepted();
}

#[test]
fn the_first_chunk_arrives_before_the_last_is_made() {
    let scratch = Scratch::new();
    let until = scratch.path("until");
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    stream(&mut wire, &json!({"do": "stream", "until": until}));
    assert_eq!(wire.receive_chunk().unwrap(), FIRST);
    std::fs::write(&until, "").unwrap();
    assert_eq!(wire.receive_chunk().unwrap(), b"last");
    assert_eq!(wire.receive_chunk(), None);
    assert_eq!(wire.headers(), [], "no trailer when all went well");
    wire.accepted();
    // The protocol asks for a new connection after a stream.
    assert!(wire.receive().is_none());
    let mut wire = api.accept_ready();
    assert_eq!(wire.invoke(&[], br#"{"do":"echo","value":1}"#).text(), "1");
}

#[test]
fn a_failure_after_the_first_chunk_is_in_the_trailers() {
    for (end, header, kind) in [
        ("fail", "Function.SourceGone", "SourceGone"),
        ("panic", "Runtime.Panic", "Runtime.Panic"),
    ] {
        let api = Api::new();
        let mut probe = api.start(&[]);
        let mut wire = api.accept_ready();
        stream(&mut wire, &json!({"do": "stream", "end": end}));
        assert_eq!(wire.receive_chunk().unwrap(), FIRST);
        assert_eq!(wire.receive_chunk(), None);
        let message = Message {
            trailers: wire.headers(),
            ..Message::default()
        };
        assert_eq!(
            message.trailer("lambda-runtime-function-error-type"),
            Some(header)
        );
        let body = STANDARD
            .decode(
                message
                    .trailer("lambda-runtime-function-error-body")
                    .unwrap(),
            )
            .unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["errorType"], kind);
        wire.accepted();
        let mut wire = api.accept_ready();
        assert_eq!(wire.invoke(&[], br#"{"do":"echo","value":1}"#).text(), "1");
        assert!(probe.is_running());
    }
}

#[test]
fn a_platform_that_answers_early_stops_the_stream() {
    let scratch = Scratch::new();
    let dropped = scratch.path("dropped");
    let api = Api::new();
    let _probe = api.start(&[]);
    let mut wire = api.accept_ready();
    // Nothing is read here, so the stream blocks on a full socket until the answer comes.
    stream(
        &mut wire,
        &json!({"do": "stream-forever", "dropped": dropped}),
    );
    wire.send("HTTP/1.1 413 Payload Too Large", &[], b"");
    await_file(&dropped);
    let mut wire = api.accept_ready();
    assert_eq!(wire.invoke(&[], br#"{"do":"echo","value":1}"#).text(), "1");
}
