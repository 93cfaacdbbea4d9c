//! Calls, and what of them arrives on both sides.

use std::time::Duration;

use anyport_core::call::{Body, Call};
use anyport_core::context::TraceContext;
use anyport_core::error::{Error, ErrorKind, TimedOut};
use anyport_testkit::probe::Command;
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::support::{Cloud, ask, name, packed, put, spec};

fn failure(error: &Error) -> &anyport_core::error::FunctionFailure {
    match error.kind() {
        ErrorKind::Function(failure) => failure,
        _ => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn bytes_and_types_arrive_both_ways() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "bytes", "a").await;
    let binary: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for (content_type, body) in [
        (
            "application/json",
            Bytes::from("  { \"b\":1,\"a\" : 1e400 }\n"),
        ),
        ("application/problem+json", Bytes::from("{\"title\":\"x\"}")),
        ("application/octet-stream", Bytes::new()),
        ("application/octet-stream", Bytes::from(binary)),
        ("text/plain; charset=utf-8", Bytes::from("na\u{ef}ve\r\n")),
    ] {
        let mut call = Call::new(name("bytes"), body.clone());
        call.content_type = content_type.to_owned();
        let reply = target.invoke(call).await.unwrap();
        assert_eq!(reply.content_type, content_type);
        assert_eq!(reply.version.unwrap().as_str(), "1");
        assert!(reply.duration.is_some() && reply.cold.is_some());
        assert_eq!(reply.body.collect(1 << 20).await.unwrap(), body);
    }
}

#[tokio::test]
async fn the_trace_and_the_key_reach_the_function() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "context", "a").await;
    for sampled in [true, false] {
        let caller = TraceContext::new([7; 16], [3; 8], sampled).unwrap();
        let mut call = Call::new(name("context"), Command::Context.to_payload());
        call.trace = Some(caller);
        call.idempotency_key = Some("k-1".to_owned());
        let reply = target.invoke(call).await.unwrap();
        let seen: Value =
            serde_json::from_slice(&reply.body.collect(1 << 20).await.unwrap()).unwrap();
        assert_eq!(seen["idempotency_key"], "k-1");
        assert_eq!(seen["trace"], caller.to_string());
        assert_eq!(seen["request_id"], reply.request_id.as_str());
    }
    let plain = ask(&target, "context", &Command::Context).await.unwrap();
    assert_eq!(plain["idempotency_key"], Value::Null);
}

#[tokio::test]
async fn failures_say_what_they_are() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "fails", "a").await;
    let fail = Command::Fail {
        kind: "CardDeclined".to_owned(),
        message: "no funds: \"42\" \u{20ac}".to_owned(),
    };
    let error = ask(&target, "fails", &fail).await.unwrap_err();
    let seen = failure(&error);
    assert!(seen.handled, "{error:?}");
    assert_eq!(seen.error_type, "CardDeclined");
    assert_eq!(seen.message, "no funds: \"42\" \u{20ac}");
    assert!(error.request_id().is_some());
    for command in [
        Command::Panic {
            message: "last words".to_owned(),
        },
        Command::Exit {
            message: "last words".to_owned(),
        },
    ] {
        let error = ask(&target, "fails", &command).await.unwrap_err();
        let seen = failure(&error);
        assert!(!seen.handled && !seen.not_started, "{error:?}");
        assert!(
            seen.logs.iter().any(|line| line.contains("last words")),
            "{:?}",
            seen.logs
        );
        assert!(error.user_code_may_have_run());
        assert!(ask(&target, "fails", &Command::Who).await.is_ok());
    }
}

#[tokio::test]
async fn the_time_limit_is_the_functions() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let packed = packed("");
    let limit = Duration::from_secs(1);
    let spec = spec("slow", &packed, "a").timeout(limit).build().unwrap();
    target.deploy(spec, packed.content).await.unwrap();
    let sleep = Command::Sleep {
        ms: 60_000,
        mark: String::new(),
    };
    let error = ask(&target, "slow", &sleep).await.unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::Timeout(TimedOut::Function { limit })
    );
    assert!(error.user_code_may_have_run());
}

#[tokio::test]
async fn what_cannot_start_is_not_said_to_have_run() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let packed = packed("");
    let spec = spec("broken", &packed, "a")
        .env(anyport_testkit::probe::START, "exit")
        .build()
        .unwrap();
    target.deploy(spec, packed.content).await.unwrap();
    let error = ask(&target, "broken", &Command::Who).await.unwrap_err();
    let seen = failure(&error);
    assert!(seen.not_started, "{error:?}");
    assert!(!error.user_code_may_have_run());
}

#[tokio::test]
async fn pieces_arrive_while_they_are_made_and_the_reader_sets_the_pace() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "streams", "a").await;
    let stream = |pieces, size, pause_ms| {
        let command = Command::Stream {
            pieces,
            size,
            pause_ms,
        };
        Call::new(name("streams"), command.to_payload()).streaming()
    };
    let reply = target.invoke(stream(3, 64, 20)).await.unwrap();
    assert_eq!(reply.content_type, "application/octet-stream");
    assert!(matches!(reply.body, Body::Stream(_)));
    let pieces: Vec<_> = reply.body.into_stream().collect().await;
    assert_eq!(pieces.len(), 3);

    // Far more than the connections between hold: the last piece cannot be made before the first is read.
    let reply = target.invoke(stream(48, 1 << 20, 0)).await.unwrap();
    let mut body = reply.body.into_stream();
    let mut bytes = body.next().await.unwrap().unwrap().to_vec();
    let paused = std::time::SystemTime::now();
    tokio::time::sleep(Duration::from_millis(300)).await;
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(bytes.len(), 48 << 20);
    let last = &bytes[47 << 20..];
    let made = last.split(|byte| *byte == b'\n').next().unwrap();
    let made: u64 = std::str::from_utf8(made).unwrap().parse().unwrap();
    let made = std::time::UNIX_EPOCH + Duration::from_micros(made);
    assert!(made > paused, "all pieces were made before they were read");

    // Whole answers and failures are what they are without streaming.
    let call = Call::new(name("streams"), Command::Who.to_payload()).streaming();
    let whole = target.invoke(call).await.unwrap();
    let who: Value = serde_json::from_slice(&whole.body.collect(1 << 20).await.unwrap()).unwrap();
    assert_eq!(who["variant"], "a");
    let fail = Command::Fail {
        kind: "Asked".to_owned(),
        message: "as asked".to_owned(),
    };
    let call = Call::new(name("streams"), fail.to_payload()).streaming();
    let error = target.invoke(call).await.unwrap_err();
    assert_eq!(failure(&error).error_type, "Asked");
}

#[tokio::test]
async fn a_call_that_is_not_streamed_gets_the_whole_answer_all_the_same() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "buffered", "a").await;
    let command = Command::Stream {
        pieces: 2,
        size: 32,
        pause_ms: 1,
    };
    let reply = target
        .invoke(Call::new(name("buffered"), command.to_payload()))
        .await
        .unwrap();
    assert_eq!(reply.content_type, "application/octet-stream");
    assert_eq!(reply.body.collect(100).await.unwrap().len(), 64);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "thumbnails", "a").await;
    let error = ask(&target, "thumbnale", &Command::Who).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(error.to_string().contains("thumbnails"), "{error}");
    let call = Call::new(name("thumbnale"), json!({}).to_string());
    let error = target.enqueue(call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
}
