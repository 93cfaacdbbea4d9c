//! What tries to get away: a session of its own, no environment, no parent, nothing of its output. It
//! ends with its instance, with the engine, and with the engine's process, in control groups and,
//! as far as it was seen, without them.

use std::fs;
use std::time::Duration;

use anyport_engine::{Containment, EngineConfig, Groups, Launch};
use serde_json::json;

use crate::death::{host_with, kill_9};
use crate::support::{Stage, call, request, runs, until};

/// The engine's own group is usable here, or the test says that it is not run.
fn contained(stage: &Stage) -> bool {
    match stage.engine.containment() {
        Containment::ControlGroups { path, .. } => {
            assert!(path.join("cgroup.procs").is_file());
            true
        }
        other => {
            let required = std::env::var("ANYPORT_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name == "cgroup"),
                "control groups are required: {other:?}"
            );
            println!("not run: {other:?}");
            false
        }
    }
}

async fn without_groups() -> Stage {
    let stage = Stage::configured(EngineConfig::default().groups(Groups::Off)).await;
    assert!(
        matches!(stage.engine.containment(), Containment::Watching { reason, .. } if reason.contains("off"))
    );
    stage
}

/// Makes a daemon in the instance, and returns its number.
async fn daemon(pool: &anyport_engine::Pool) -> u64 {
    let pid = call(pool, r#"{"do":"daemon"}"#).await.as_u64().unwrap();
    assert!(runs(pid));
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(environment.is_empty(), "it still carries an environment");
    pid
}

async fn gone(pid: u64) {
    until("the daemon is gone", || !runs(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_group_it_ends_however_the_instance_ends() {
    let stage = Stage::new().await;
    if !contained(&stage) {
        return stage.end().await;
    }
    // By itself: nobody had the time to look at the process table.
    let pool = stage.pool(Launch::Bootstrap);
    let left = daemon(&pool).await;
    pool.invoke(request(r#"{"do":"exit","code":1}"#))
        .await
        .unwrap_err();
    gone(left).await;
    // At its time limit.
    let left = daemon(&pool).await;
    let mut endless = request(r#"{"do":"sleep","ms":600000}"#);
    endless.timeout = Some(Duration::from_millis(200));
    pool.invoke(endless).await.unwrap_err();
    gone(left).await;
    // With its pool.
    let left = daemon(&pool).await;
    pool.close().await;
    gone(left).await;
    // With the engine, gracefully.
    let pool = stage.pool(Launch::Bootstrap);
    let left = daemon(&pool).await;
    stage.engine.shutdown().await;
    assert!(!runs(left));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_group_its_memory_counts() {
    let stage = Stage::new().await;
    if !contained(&stage) {
        return stage.end().await;
    }
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.memory_mb = 64);
    let left = call(&pool, r#"{"do":"daemon","alloc":200}"#).await;
    let outcome = pool.invoke(request(r#"{"do":"sleep","ms":60000}"#)).await;
    assert!(
        matches!(
            outcome,
            Err(anyport_engine::InvokeError::OutOfMemory { .. })
        ),
        "{outcome:?}"
    );
    gone(left.as_u64().unwrap()).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_forks_without_end_is_ended() {
    for groups in [Groups::Own, Groups::Off] {
        let stage = Stage::configured(EngineConfig::default().groups(groups)).await;
        let pool = stage.pool(Launch::Bootstrap);
        let chain = call(&pool, r#"{"do":"chain"}"#).await;
        let file = chain.as_str().unwrap().to_owned();
        until("it forks on", || {
            fs::metadata(&file).is_ok_and(|info| info.len() > 10)
        })
        .await;
        let mut endless = request(r#"{"do":"sleep","ms":600000}"#);
        endless.timeout = Some(Duration::from_millis(100));
        pool.invoke(endless).await.unwrap_err();
        until("its directory is gone", || !fs::exists(&file).unwrap()).await;
        assert!(!is_an_argument(&file), "it forks on still");
        stage.end().await;
    }
}

/// Whether a process of this machine has the path among its arguments.
fn is_an_argument(path: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        fs::read(entry.path().join("cmdline")).is_ok_and(|line| {
            line.split(|&byte| byte == 0)
                .any(|part| part == path.as_bytes())
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_groups_it_ends_with_an_instance_that_is_ended() {
    let stage = without_groups().await;
    let pool = stage.pool(Launch::Bootstrap);
    // At the time limit: found by descent, as the instance adopted it.
    let left = daemon(&pool).await;
    let mut endless = request(r#"{"do":"sleep","ms":600000}"#);
    endless.timeout = Some(Duration::from_millis(200));
    pool.invoke(endless).await.unwrap_err();
    gone(left).await;
    // Asked to end, the instance goes at once; its daemon is remembered.
    let left = daemon(&pool).await;
    pool.close().await;
    gone(left).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_engine_ends_it() {
    for groups in [Groups::Own, Groups::Off] {
        let stage = Stage::configured(EngineConfig::default().groups(groups)).await;
        let pool = stage.pool(Launch::Bootstrap);
        let left = daemon(&pool).await;
        let group = stage.group();
        let Stage { engine, dir, .. } = stage;
        drop(engine);
        gone(left).await;
        let scratch = dir.path().join("scratch");
        until("the scratch directory is empty", || {
            fs::read_dir(&scratch).unwrap().next().is_none()
        })
        .await;
        assert!(!group.is_some_and(|path| path.exists()));
        drop(pool);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_host_ends_it() {
    for mode in ["daemons", "daemons-off"] {
        let dir = tempfile::tempdir().unwrap();
        let (mut host, seen) = host_with(dir.path(), mode);
        let all: Vec<u64> = serde_json::from_value(seen["pids"].clone()).unwrap();
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|&pid| runs(pid)));
        if mode == "daemons-off" {
            assert_eq!(seen["group"], json!(null));
        }
        host.kill().unwrap();
        host.wait().unwrap();
        let guardian = seen["guardian"].as_u64().unwrap();
        until("the guardian is gone", || !runs(guardian)).await;
        let left: Vec<_> = all.iter().filter(|&&pid| runs(pid)).collect();
        left.iter().for_each(|&&pid| kill_9(pid));
        assert!(left.is_empty(), "{mode}: {left:?}");
        if let Some(group) = seen["group"].as_str() {
            assert!(!fs::exists(group).unwrap(), "{group} is left");
        }
    }
}
