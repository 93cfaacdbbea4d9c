//! A process with an engine of its own, for tests that kill it.

use std::io::Write;
use std::path::Path;

use anyport_engine::{Engine, EngineConfig, Launch, PoolSpec, Request};

/// Runs an engine over `dir`, whose `code` holds a bootstrap: starts instances that leave children,
/// prints what there is as JSON, and waits to be killed.
pub(crate) fn run(dir: &str) {
    let dir = Path::new(dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let config = EngineConfig::default().scratch_root(dir.join("scratch"));
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
                        .invoke(Request::json(format!("a{n}"), r#"{"do":"children"}"#))
                        .await
                        .unwrap();
                    own.body.collect(1 << 10).await.unwrap()
                })
            })
            .collect();
        let mut pids: Vec<u32> = Vec::new();
        for call in calls {
            pids.extend(serde_json::from_slice::<Vec<u32>>(&call.await.unwrap()).unwrap());
        }
        let seen = serde_json::json!({ "pids": pids, "guardian": engine.guardian_pid() });
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
