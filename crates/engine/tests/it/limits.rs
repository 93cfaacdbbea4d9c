//! Time and memory limits hold, for the whole process tree.

use std::time::Duration;

use anyport_engine::{InvokeError, Launch};
use serde_json::json;

use crate::support::{Stage, call, request, runs, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_code_stops_at_its_time_limit() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let pids = call(&pool, r#"{"do":"children"}"#).await;
    let own = call(&pool, r#"{"do":"pid"}"#).await.as_u64().unwrap();
    let mut endless = request(r#"{"do":"sleep","ms":600000}"#);
    endless.timeout = Some(Duration::from_millis(200));
    let error = pool.invoke(endless).await.unwrap_err();
    assert!(
        matches!(&error, InvokeError::Timeout { limit, .. } if limit.as_millis() == 200),
        "{error:?}"
    );
    assert!(error.may_have_run());
    until("the process and both its children are gone", || {
        !runs(own)
            && pids
                .as_array()
                .unwrap()
                .iter()
                .all(|pid| !runs(pid.as_u64().unwrap()))
    })
    .await;
    assert_eq!(stage.lines("timed out after 0.20 seconds").len(), 1);
    assert_eq!(call(&pool, r#"{"a":1}"#).await, json!({"a":1}));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_deadline_counts_too() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    pool.probe().await.unwrap();
    let mut hurried = request(r#"{"do":"sleep","ms":600000}"#);
    hurried.deadline = Some(tokio::time::Instant::now() + Duration::from_millis(150));
    assert!(matches!(
        pool.invoke(hurried).await,
        Err(InvokeError::Timeout { .. })
    ));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_answers_and_does_not_come_back_is_replaced() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.max_instances = 1;
        spec.timeout = Duration::from_millis(500);
        spec.overload = anyport_engine::Overload::Queue { limit: 1 };
    });
    let own = call(&pool, r#"{"do":"pid"}"#).await.as_u64().unwrap();
    assert!(call(&pool, r#"{"do":"linger"}"#).await.is_null());
    // Waits until the lost instance is killed and another is up.
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    assert!(!runs(own));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_over_the_limit_is_killed_and_named() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.memory_mb = 64);
    let error = pool
        .invoke(request(r#"{"do":"alloc","mb":512}"#))
        .await
        .unwrap_err();
    assert!(
        matches!(error, InvokeError::OutOfMemory { limit_mb: 64, .. }),
        "{error:?}"
    );
    // Under the limit it works, and is measured.
    let reply = pool
        .invoke(request(r#"{"do":"alloc","mb":32}"#))
        .await
        .unwrap();
    let peak = reply.metrics.max_memory_bytes;
    assert!(peak > 32 << 20 && peak < 64 << 20, "{peak}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_children_counts() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.memory_mb = 64);
    call(&pool, r#"{"do":"children","alloc":200}"#).await;
    let outcome = pool.invoke(request(r#"{"do":"sleep","ms":60000}"#)).await;
    assert!(
        matches!(outcome, Err(InvokeError::OutOfMemory { .. })),
        "{outcome:?}"
    );
    stage.end().await;
}
