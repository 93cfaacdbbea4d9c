//! Nothing is left running: at an instance's end, at the engine's, and when its process is killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyport_engine::{InvokeError, Launch};
use serde_json::Value;

use crate::support::{Stage, call, install, request, runs, stage_binary, until};

fn pids(list: &Value) -> Vec<u64> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|pid| pid.as_u64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn children_of_an_instance_end_with_it() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let left = pids(&call(&pool, r#"{"do":"children"}"#).await);
    assert!(left.iter().all(|&pid| runs(pid)));
    let dir = call(&pool, r#"{"do":"write"}"#)
        .await
        .as_str()
        .unwrap()
        .to_owned();
    assert!(fs::exists(format!("{dir}/left")).unwrap());
    pool.invoke(request(r#"{"do":"exit","code":1}"#))
        .await
        .unwrap_err();
    until("they are gone, the one in its own session too", || {
        left.iter().all(|&pid| !runs(pid))
    })
    .await;
    until("the scratch directory is gone", || {
        !fs::exists(&dir).unwrap()
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_instances_are_stopped_down_to_the_floor() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.idle_after = Duration::from_millis(50);
        spec.min_instances = 1;
        spec.max_instances = 3;
    });
    pool.warm(3).await.unwrap();
    until("one is left", || pool.stats().instances == 1).await;
    until("its process alone", || stage.engine.live_instances() == 1).await;
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_draining_and_dropping_a_pool() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let busy = pool.clone();
    let working =
        tokio::spawn(async move { busy.invoke(request(r#"{"do":"sleep","ms":300}"#)).await });
    until("it works", || pool.stats().in_flight == 1).await;
    pool.drain().await;
    working.await.unwrap().unwrap();
    let late = pool.invoke(request("{}")).await.unwrap_err();
    assert!(matches!(
        late,
        InvokeError::Shutdown {
            may_have_run: false
        }
    ));

    let pool = stage.pool(Launch::Bootstrap);
    let busy = pool.clone();
    let working =
        tokio::spawn(async move { busy.invoke(request(r#"{"do":"sleep","ms":600000}"#)).await });
    until("it works", || pool.stats().in_flight == 1).await;
    pool.close().await;
    let cut = working.await.unwrap().unwrap_err();
    assert!(
        matches!(cut, InvokeError::Shutdown { may_have_run: true }),
        "{cut:?}"
    );

    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 2);
    pool.warm(2).await.unwrap();
    drop(pool);
    until("dropping stops them", || stage.engine.live_instances() == 0).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_engine_leaves_nothing() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let mut left = pids(&call(&pool, r#"{"do":"children"}"#).await);
    left.push(call(&pool, r#"{"do":"pid"}"#).await.as_u64().unwrap());
    let Stage { engine, dir, .. } = stage;
    drop(engine);
    until("all are gone", || left.iter().all(|&pid| !runs(pid))).await;
    let scratch = dir.path().join("scratch");
    until("the scratch directory is empty", || {
        fs::read_dir(&scratch).unwrap().next().is_none()
    })
    .await;
    assert!(matches!(
        pool.invoke(request("{}")).await,
        Err(InvokeError::Shutdown { .. })
    ));
}

/// Starts a host process with three instances that left processes in this way, and returns it with
/// what it says about them.
pub(crate) fn host_with(dir: &std::path::Path, mode: &str) -> (std::process::Child, Value) {
    fs::create_dir(dir.join("code")).unwrap();
    fs::create_dir(dir.join("scratch")).unwrap();
    install(&dir.join("code"));
    let mut host = Command::new(stage_binary())
        .arg("host")
        .arg(dir)
        .arg(mode)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (host, serde_json::from_str(&line).unwrap())
}

/// Starts a host process with three instances and their children, and returns it with all their pids
/// and what it says.
fn host(dir: &std::path::Path) -> (std::process::Child, Vec<u64>, Value) {
    let (host, seen) = host_with(dir, "children");
    let mut all = pids(&seen["pids"]);
    assert_eq!(all.len(), 6);
    // The instances themselves: the parents of the plain children, which are every other one.
    let parents: Vec<u64> = all.iter().step_by(2).map(|pid| parent_of(*pid)).collect();
    all.extend(parents);
    assert!(all.iter().all(|&pid| runs(pid)));
    (host, all, seen)
}

fn parent_of(pid: u64) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let rest = &stat[stat.rfind(')').unwrap() + 2..];
    rest.split(' ').nth(1).unwrap().parse().unwrap()
}

pub(crate) fn kill_9(pid: u64) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_host_leaves_no_process_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let (mut host, all, seen) = host(dir.path());
    let guardian = seen["guardian"].as_u64().unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    until(
        "every process is gone, those in their own sessions too",
        || all.iter().all(|&pid| !runs(pid)),
    )
    .await;
    until("the guardian is gone", || !runs(guardian)).await;
    let scratch = dir.path().join("scratch");
    assert!(
        fs::read_dir(&scratch).unwrap().next().is_none(),
        "the scratch directory is left"
    );
    if let Some(group) = seen["group"].as_str() {
        assert!(!fs::exists(group).unwrap(), "the control group is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_guardian_is_replaced_and_does_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let (mut host, all, seen) = host(dir.path());
    let guardian = seen["guardian"].as_u64().unwrap();
    kill_9(guardian);
    let host_pid = u64::from(host.id());
    until("another guardian has come", || {
        fs::read_to_string(format!("/proc/{host_pid}/task/{host_pid}/children")).is_ok_and(|_| {
            children_named(host_pid, "anyport-guardian")
                .iter()
                .any(|&pid| pid != guardian && runs(pid))
        })
    })
    .await;
    host.kill().unwrap();
    host.wait().unwrap();
    until("every process is gone", || {
        all.iter().all(|&pid| !runs(pid))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_die_with_the_host_even_without_a_guardian() {
    let dir = tempfile::tempdir().unwrap();
    let (mut host, all, seen) = host(dir.path());
    let guardian = seen["guardian"].as_u64().unwrap();
    kill_9(guardian);
    host.kill().unwrap();
    host.wait().unwrap();
    // The parent-death signal reaches the instances; their children are what the guardian is for.
    until("the instances are gone", || {
        all[6..].iter().all(|&pid| !runs(pid))
    })
    .await;
    all[..6]
        .iter()
        .filter(|&&pid| runs(pid))
        .for_each(|&pid| kill_9(pid));
    let Some(group) = seen["group"].as_str() else {
        return;
    };
    until(
        "the groups are removed, which takes their being empty",
        || {
            for inner in fs::read_dir(group).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(inner.path());
            }
            let _ = fs::remove_dir(group);
            !fs::exists(group).unwrap()
        },
    )
    .await;
}

fn children_named(parent: u64, name: &str) -> Vec<u64> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u64>().ok())
        else {
            continue;
        };
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if line.split('\0').any(|part| part == name) && parent_of(pid) == parent {
            found.push(pid);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_serves_calls_that_wait_for_an_instance() {
    let stage = Stage::new().await;
    let code = stage.code();
    fs::rename(code.join("bootstrap"), code.join("real")).unwrap();
    stage.file("bootstrap", "#!/bin/sh\nsleep 1\nexec ./real\n");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(code.join("bootstrap"), mode).unwrap();
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 3);
    let calls: Vec<_> = (0..3)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move { call(&pool, &n.to_string()).await })
        })
        .collect();
    until("all wait", || pool.stats().waiting == 3).await;
    pool.drain().await;
    for (n, answered) in calls.into_iter().enumerate() {
        assert_eq!(answered.await.unwrap(), n);
    }
    until("nothing runs", || stage.engine.live_instances() == 0).await;
    stage.end().await;
}
