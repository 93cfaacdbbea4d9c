//! Many calls, many instances.

use std::collections::HashSet;
use std::time::Duration;

use anyport_engine::{InvokeError, Launch, Overload};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Stage, call, request, until};

#[tokio::test(flavor = "multi_thread")]
async fn parallel_callers_get_their_own_answers() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.max_instances = 8;
        spec.overload = Overload::Queue { limit: 1000 };
    });
    let calls = (0..200).map(|n| {
        let pool = pool.clone();
        tokio::spawn(async move { (n, call(&pool, &format!(r#"{{"n":{n}}}"#)).await) })
    });
    for answered in join_all(calls).await {
        let (n, answer) = answered.unwrap();
        assert_eq!(answer, json!({ "n": n }));
    }
    assert!(pool.stats().instances <= 8);
    until("all have come back", || {
        (pool.stats().in_flight, pool.stats().waiting) == (0, 0)
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_rejects_or_queues_as_asked() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 2);
    pool.warm(2).await.unwrap();
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { call(&pool, r#"{"do":"sleep","ms":500}"#).await })
        })
        .collect();
    until("both work", || pool.stats().in_flight == 2).await;
    let rejected = pool.invoke(request("{}")).await.unwrap_err();
    assert!(
        matches!(rejected, InvokeError::Overloaded { max_instances: 2 }),
        "{rejected:?}"
    );
    assert!(!rejected.may_have_run());
    join_all(busy).await;

    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.max_instances = 1;
        spec.overload = Overload::Queue { limit: 1 };
    });
    let spawn = |payload: &'static str| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.invoke(request(payload)).await.map(|_| ()) })
    };
    pool.probe().await.unwrap();
    let first = spawn(r#"{"do":"sleep","ms":500}"#);
    until("it works", || pool.stats().in_flight == 1).await;
    let second = spawn("{}");
    until("it waits", || pool.stats().waiting == 1).await;
    let third = spawn("{}").await.unwrap();
    assert!(
        matches!(third, Err(InvokeError::Overloaded { .. })),
        "{third:?}"
    );
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();

    // One that waits past its deadline has not run.
    until("it is idle", || pool.stats().idle == 1).await;
    let busy = spawn(r#"{"do":"sleep","ms":500}"#);
    until("it works", || pool.stats().in_flight == 1).await;
    let mut hurried = request("{}");
    hurried.deadline = Some(tokio::time::Instant::now() + Duration::from_millis(50));
    let error = pool.invoke(hurried).await.unwrap_err();
    assert!(matches!(error, InvokeError::Overloaded { .. }) && !error.may_have_run());
    busy.await.unwrap().unwrap();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sequential_calls_stay_on_one_instance() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 50);
    let mut seen = HashSet::new();
    for _ in 0..500 {
        seen.insert(pool.invoke(request("{}")).await.unwrap().instance);
    }
    // A busy machine may hold the function back between its answer and its next request for work
    // longer than the pool waits; that must stay rare.
    assert!(seen.len() <= 10, "{} instances for one caller", seen.len());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_a_crashing_instance_gets_another() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.max_instances = 1;
        spec.overload = Overload::Queue { limit: 10 };
    });
    pool.probe().await.unwrap();
    let crash = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.invoke(request(r#"{"do":"exit","code":1}"#)).await })
    };
    until("it works", || {
        pool.stats().in_flight == 1 || pool.stats().instances == 0
    })
    .await;
    let after = join_all((0..5).map(|n| {
        let pool = pool.clone();
        async move { call(&pool, &format!(r#"{{"n":{n}}}"#)).await["n"] == n }
    }))
    .await;
    assert!(after.into_iter().all(|right| right));
    assert!(crash.await.unwrap().is_err());
    stage.end().await;
}
