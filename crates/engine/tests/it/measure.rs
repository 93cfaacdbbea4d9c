//! Numbers. Printed, and checked only against limits that no noisy machine meets by accident; run with
//! `--nocapture` to see them.

use std::fs;
use std::time::{Duration, Instant};

use anyport_engine::{EngineConfig, Groups, Launch};
use futures_util::future::join_all;

use crate::support::{Stage, request};

fn percentile(times: &mut [Duration], part: usize) -> Duration {
    times.sort_unstable();
    times[times.len() * part / 100]
}

/// Resident size of this process in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_and_cold_calls() {
    for groups in [Groups::Own, Groups::Off] {
        let name = format!("groups {groups:?}:");
        let stage = Stage::configured(EngineConfig::default().groups(groups)).await;
        let pool = stage.pool(Launch::Bootstrap);
        pool.invoke(request("{}")).await.unwrap();
        let mut warm = Vec::new();
        for _ in 0..2000 {
            let began = Instant::now();
            pool.invoke(request("{}")).await.unwrap();
            warm.push(began.elapsed());
        }
        let mut cold = Vec::new();
        for _ in 0..20 {
            let pool = stage.pool(Launch::Bootstrap);
            let began = Instant::now();
            assert!(pool.invoke(request("{}")).await.unwrap().cold);
            cold.push(began.elapsed());
            pool.close().await;
        }
        println!(
            "{name} warm p50 {:?}, p99 {:?}",
            percentile(&mut warm, 50),
            percentile(&mut warm, 99)
        );
        println!(
            "{name} cold p50 {:?}, max {:?}",
            percentile(&mut cold, 50),
            cold.last().unwrap()
        );
        assert!(percentile(&mut warm, 50) < Duration::from_millis(50));
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_warm_instances() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| spec.max_instances = 200);
    let before = resident();
    let began = Instant::now();
    pool.warm(200).await.unwrap();
    let took = began.elapsed();
    let each = (resident().saturating_sub(before)) / 200;
    assert_eq!(pool.stats().idle, 200);
    println!("200 instances up in {took:?}; {each} KiB of this process each");
    let began = Instant::now();
    let calls =
        join_all((0..200).map(|_| pool.invoke(request(r#"{"do":"sleep","ms":100}"#)))).await;
    assert!(
        calls
            .into_iter()
            .all(|reply| !reply.unwrap().instance.is_empty())
    );
    println!("200 calls of 100 ms at once in {:?}", began.elapsed());
    assert!(each < 1024, "an idle instance costs {each} KiB");
    let began = Instant::now();
    stage.end().await;
    println!("stopped in {:?}", began.elapsed());
}
