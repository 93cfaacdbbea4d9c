//! Calls over the Runtime API: answers, errors, ends, logs.

use std::time::Duration;

use anyport_engine::{InvokeError, Launch, LogStream, Request};
use bytes::Bytes;
use serde_json::json;

use crate::support::{Stage, call, function_error, json, request, runs, until};

#[tokio::test(flavor = "multi_thread")]
async fn payloads_pass_unchanged() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.media_any = true);
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for payload in [Vec::new(), b"\xff\0\n".to_vec(), binary] {
        let mut call = Request::new("bin-1", payload.clone());
        call.content_type = Some("image/png".to_owned());
        let reply = pool.invoke(call).await.unwrap();
        assert_eq!(reply.content_type.as_deref(), Some("image/png"));
        assert_eq!(reply.body.collect(1 << 20).await.unwrap(), payload);
    }
    // Piece by piece.
    let pieces = [
        Ok(Bytes::from_static(b"\xfe one ")),
        Ok(Bytes::from_static(b"two")),
    ];
    let payload = anyport_engine::Payload::stream(futures_util::stream::iter(pieces));
    let mut call = request("");
    call.payload = payload;
    let reply = pool.invoke(call).await.unwrap();
    assert_eq!(
        reply.body.collect(1 << 20).await.unwrap(),
        &b"\xfe one two"[..]
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_sees_what_belongs_to_its_call() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.media_any = true);
    let mut asked = request(r#"{"do":"headers"}"#);
    asked.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    asked.idempotency_key = Some("once".to_owned());
    asked.client_context = Some(r#"{"custom":{"ä":"ö"}}"#.to_owned());
    asked.timeout = Some(Duration::from_secs(20));
    let id = asked.request_id.clone();
    let seen = json(pool.invoke(asked).await.unwrap()).await;
    assert_eq!(seen["lambda-runtime-aws-request-id"], id);
    assert_eq!(seen["anyport-media"], "any");
    assert_eq!(seen["anyport-idempotency-key"], "once");
    assert_eq!(
        seen["lambda-runtime-client-context"],
        r#"{"custom":{"ä":"ö"}}"#
    );
    assert_eq!(
        seen["lambda-runtime-trace-id"],
        "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
    );
    let deadline: u128 = seen["lambda-runtime-deadline-ms"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    assert!(deadline > now && deadline <= now + 20_000);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_exits_and_crashes_are_told_apart_and_the_next_call_works() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let error = function_error(pool.invoke(request(r#"{"do":"error"}"#)).await.unwrap_err());
    assert!(error.handled);
    assert_eq!(
        (error.error_type.as_str(), error.message.as_str()),
        ("Refused", "as asked")
    );
    let payload: serde_json::Value = serde_json::from_slice(&error.payload).unwrap();
    assert_eq!(payload["stackTrace"], json!(["here"]));

    for (payload, words) in [
        (
            r#"{"do":"exit","code":3}"#,
            "Runtime exited with error: exit status 3",
        ),
        (
            r#"{"do":"exit","code":0}"#,
            "Runtime exited without providing a reason",
        ),
        (
            r#"{"do":"abort"}"#,
            "Runtime exited with error: signal 6 (abort)",
        ),
        (
            r#"{"do":"half"}"#,
            "Runtime exited with error: exit status 3",
        ),
    ] {
        let error = function_error(pool.invoke(request(payload)).await.unwrap_err());
        assert!(!error.handled);
        assert_eq!(error.error_type, "Runtime.ExitError");
        assert!(error.message.ends_with(words), "{}", error.message);
        assert_eq!(call(&pool, r#"{"a":1}"#).await, json!({"a":1}));
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_is_refused_as_the_vendor_does() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    assert_eq!(call(&pool, r#"{"do":"twice"}"#).await, 1);
    // The function prints what it was told after its answer; the next call comes after that.
    call(&pool, "{\"a\":1}").await;
    until("the statuses are logged", || {
        !stage.lines("202 403 400").is_empty()
    })
    .await;
    assert_eq!(stage.lines("InvalidStateTransition").len(), 1);
    assert_eq!(stage.lines("InvalidRequestID").len(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_though_its_sender_is_gone() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    for _ in 0..20 {
        assert_eq!(call(&pool, r#"{"do":"parting"}"#).await, "bye!");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_carry_their_call() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let mut asked = Vec::new();
    for n in 0..20 {
        let asks = request(&format!(r#"{{"do":"print","text":"line {n:02}"}}"#));
        asked.push(asks.request_id.clone());
        pool.invoke(asks).await.unwrap();
    }
    for (n, id) in asked.iter().enumerate() {
        let lines = stage.lines(&format!("line {n:02}"));
        assert_eq!(lines.len(), 2, "one on each stream");
        for line in lines {
            assert_eq!(line.request_id.as_deref(), Some(id.as_str()));
            assert_eq!((&*line.function, &*line.version), ("staged", "7"));
            let from = if line.text.starts_with("err: ") {
                LogStream::Stderr
            } else {
                LogStream::Stdout
            };
            assert_eq!(line.stream, from);
        }
    }
    // An error carries the lines of its call.
    let error = function_error(
        pool.invoke(request(r#"{"do":"exit","code":1}"#))
            .await
            .unwrap_err(),
    );
    assert!(
        error.log_tail.iter().all(|line| !line.contains("line 0")),
        "{:?}",
        error.log_tail
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logs_is_bounded_and_the_call_succeeds() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    call(&pool, r#"{"do":"flood","mb":100}"#).await;
    let kept: usize = stage.logs.lines().iter().map(|line| line.text.len()).sum();
    assert!(kept <= 1 << 20);
    assert!(stage.logs.dropped() > 90_000);
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_output_harms_nothing() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    call(&pool, r#"{"do":"close-stdout"}"#).await;
    let pid = call(&pool, r#"{"do":"pid"}"#).await;
    assert_eq!(
        call(&pool, r#"{"do":"pid"}"#).await,
        pid,
        "it is still the same process"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_an_answer_is_refused_and_named() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_response_bytes = 1000);
    let fits = call(&pool, r#"{"do":"big","bytes":998}"#).await;
    assert_eq!(fits.as_str().unwrap().len(), 998);
    let error = pool
        .invoke(request(r#"{"do":"big","bytes":999}"#))
        .await
        .unwrap_err();
    assert!(matches!(error, InvokeError::TooLarge { limit: 1000 }));
    assert!(error.may_have_run());
    call(&pool, r#"{"a":1}"#).await;
    until("the function was told", || {
        !stage.lines("too large, it said").is_empty()
    })
    .await;
    assert_eq!(pool.stats().instances, 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_calls_leak_nothing_and_the_instance_is_used_again() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 1);
    let pid = call(&pool, r#"{"do":"pid"}"#).await;
    for after in [0, 1, 5, 20] {
        let calling = pool.invoke(request(r#"{"do":"sleep","ms":60}"#));
        let gave_up = tokio::time::timeout(Duration::from_millis(after), calling).await;
        assert!(gave_up.is_err());
        until("the function has finished", || pool.stats().in_flight == 0).await;
        assert_eq!(call(&pool, r#"{"do":"pid"}"#).await, pid);
    }
    // One whose caller has gone is still stopped at its time limit.
    let mut endless = request(r#"{"do":"sleep","ms":600000}"#);
    endless.timeout = Some(Duration::from_millis(100));
    let gave_up = tokio::time::timeout(Duration::from_millis(5), pool.invoke(endless)).await;
    assert!(gave_up.is_err());
    until("the process is killed", || !runs(pid.as_u64().unwrap())).await;
    until("the pool knows", || pool.stats().instances == 0).await;
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_while_an_instance_starts_leaves_it_usable() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let calling = pool.invoke(request("{}"));
    assert!(tokio::time::timeout(Duration::ZERO, calling).await.is_err());
    until("the instance is up", || pool.stats().idle == 1).await;
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    assert_eq!(pool.stats().instances, 1);
    stage.end().await;
}
