//! A process with an engine of its own, for tests that kill it.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyport_engine::{Containment, Engine, EngineConfig, Groups, Launch, PoolSpec, Request};
use serde_json::{Value, json};

/// Runs an engine over `dir`, whose `code` holds a bootstrap: starts instances that leave processes in
/// the way that `mode` names, prints what there is as JSON, and waits to be killed.
pub(crate) fn run(dir: &str, mode: &str) {
    let (payload, groups) = match mode {
        "daemons" => (r#"{"do":"daemon"}"#, Groups::Own),
        "daemons-off" => (r#"{"do":"daemon"}"#, Groups::Off),
        _ => (r#"{"do":"children"}"#, Groups::Own),
    };
    let dir = Path::new(dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let watching = groups == Groups::Off;
        let config = EngineConfig::default()
            .scratch_root(dir.join("scratch"))
            .groups(groups);
        let engine = Engine::start(config).await.unwrap();
        let mut spec = PoolSpec::new("hosted", "1", dir.join("code"), Launch::Bootstrap);
        spec.max_instances = 3;
        let pool = engine.pool(spec).unwrap();
        pool.warm(3).await.unwrap();
        let calls: Vec<_> = (0..3)
            .map(|n| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let own = pool
                        .invoke(Request::json(format!("a{n}"), payload))
                        .await
                        .unwrap();
                    own.body.collect(1 << 10).await.unwrap()
                })
            })
            .collect();
        let mut pids: Vec<u64> = Vec::new();
        for call in calls {
            let answer: Value = serde_json::from_slice(&call.await.unwrap()).unwrap();
            let left = match answer {
                Value::Array(left) => left,
                one => vec![one],
            };
            pids.extend(left.iter().map(|pid| pid.as_u64().unwrap()));
        }
        let group = match engine.containment() {
            Containment::ControlGroups { path, .. } => Some(path),
            _ => None,
        };
        if watching {
            // Without groups only what was seen can be found later. When that happened can't be asked
            // for; this is many times as long as it takes.
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        let seen = json!({ "pids": pids, "guardian": engine.guardian_pid(), "group": group });
        println!("{seen}");
        std::io::stdout().flush().unwrap();
        // Calls in flight at the moment of the kill.
        let hanging = (0..3).map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                pool.invoke(Request::json(
                    format!("b{n}"),
                    r#"{"do":"sleep","ms":600000}"#,
                ))
                .await
            })
        });
        let _hanging: Vec<_> = hanging.collect();
        std::future::pending::<()>().await;
    });
}
