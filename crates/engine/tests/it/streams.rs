//! Streamed answers.

use std::fs;
use std::time::Duration;

use anyport_engine::{InvokeError, Launch, Response};

use crate::support::{Stage, call, function_error, request, runs, until};

/// A directory whose files open gates.
fn gate(stage: &Stage) -> String {
    let dir = stage.dir.path().join("gate");
    fs::create_dir_all(&dir).unwrap();
    dir.to_str().unwrap().to_owned()
}

async fn rest(reply: Response) -> (String, Option<InvokeError>) {
    let mut body = reply.body;
    let mut text = String::new();
    while let Some(piece) = body.chunk().await {
        match piece {
            Ok(bytes) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            Err(error) => return (text, Some(error)),
        }
    }
    assert!(body.chunk().await.is_none(), "the end stays the end");
    (text, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_piece_comes_before_the_last_is_made() {
    let stage = Stage::new().await;
    let gate = gate(&stage);
    let pool = stage.pool(Launch::Bootstrap);
    fs::write(format!("{gate}/0"), "").unwrap();
    let asked = request(&format!(r#"{{"do":"stream","gate":"{gate}"}}"#));
    let mut reply = pool.invoke(asked).await.unwrap();
    assert!(reply.streaming);
    assert_eq!(reply.content_type.as_deref(), Some("text/plain"));
    assert_eq!(reply.body.chunk().await.unwrap().unwrap(), "piece 0\n");
    // Only now may the others be made.
    fs::write(format!("{gate}/1"), "").unwrap();
    fs::write(format!("{gate}/2"), "").unwrap();
    let (text, error) = rest(reply).await;
    assert_eq!(text, "piece 1\npiece 2\n");
    assert!(error.is_none(), "{error:?}");
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    assert_eq!(pool.stats().instances, 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_after_the_first_byte_arrive_in_the_stream() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let reply = pool
        .invoke(request(r#"{"do":"stream","count":1,"end":"error"}"#))
        .await
        .unwrap();
    let (text, error) = rest(reply).await;
    assert_eq!(text, "piece 0\n");
    let error = function_error(error.unwrap());
    assert_eq!(
        (error.error_type.as_str(), error.message.as_str()),
        ("Stage.Late", "too late")
    );
    assert!(error.handled);

    let reply = pool
        .invoke(request(r#"{"do":"stream","count":1,"end":"exit"}"#))
        .await
        .unwrap();
    let (text, error) = rest(reply).await;
    assert_eq!(text, "piece 0\n");
    let error = function_error(error.unwrap());
    assert!(
        !error.handled && error.message.ends_with("exit status 9"),
        "{}",
        error.message
    );

    let mut endless = request(r#"{"do":"stream","count":1,"end":"hang"}"#);
    endless.timeout = Some(Duration::from_millis(400));
    let (text, error) = rest(pool.invoke(endless).await.unwrap()).await;
    assert_eq!(text, "piece 0\n");
    assert!(
        matches!(error, Some(InvokeError::Timeout { .. })),
        "{error:?}"
    );
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_slows_the_function() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let progress = stage.dir.path().join("progress");
    let asked = format!(
        r#"{{"do":"stream","count":400,"size":65536,"progress":"{}"}}"#,
        progress.display()
    );
    let mut reply = pool.invoke(request(&asked)).await.unwrap();
    reply.body.chunk().await.unwrap().unwrap();
    // Long enough for a function that nobody slows down to write all of its 25 MiB.
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Read again when it is just being written.
    let mut written = None;
    until("how far the function is", || {
        let text = fs::read_to_string(&progress).unwrap_or_default();
        written = text.parse::<u64>().ok();
        written.is_some()
    })
    .await;
    let written = written.unwrap();
    assert!(
        written < 200,
        "{written} of 400 pieces were taken though nobody reads"
    );
    let all = reply.body.collect(1 << 30).await.unwrap();
    assert!(all.len() > 399 * 65536 - 65536);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_leaves_the_instance_usable() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 1);
    let pid = call(&pool, r#"{"do":"pid"}"#).await;
    let reply = pool
        .invoke(request(r#"{"do":"stream","count":100,"size":65536}"#))
        .await
        .unwrap();
    drop(reply);
    until("the function has finished", || pool.stats().in_flight == 0).await;
    assert_eq!(call(&pool, r#"{"do":"pid"}"#).await, pid);
    // And one that never finishes is stopped.
    let mut endless = request(r#"{"do":"stream","count":1,"end":"hang"}"#);
    endless.timeout = Some(Duration::from_millis(300));
    drop(pool.invoke(endless).await.unwrap());
    until("it is stopped", || !runs(pid.as_u64().unwrap())).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_a_limit() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_stream_bytes = 100_000);
    let reply = pool
        .invoke(request(r#"{"do":"stream","count":10,"size":65536}"#))
        .await
        .unwrap();
    let (_, error) = rest(reply).await;
    assert!(
        matches!(error, Some(InvokeError::TooLarge { limit: 100_000 })),
        "{error:?}"
    );
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    stage.end().await;
}
