//! Many functions deployed at once, under the rate limits that an account has.

use std::sync::Arc;
use std::time::Instant;

use anyport::embedded::aws::config;
use anyport::plan::Change;
use tokio::task::JoinSet;

use super::stage::{Stage, deploy};
use crate::bench::Table;
use crate::bench::stats::Spread;
use crate::commands::Failure;
use crate::oracles::peers;

const FUNCTIONS: u64 = 200;

pub(super) async fn measure(table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open(config()).await?;
    let packed = Arc::new(stage.pack("function.zip", &peers::ours("quickstart")?)?);
    for (what, change) in [
        ("something new", Change::Created),
        ("what is there", Change::Unchanged),
    ] {
        stage.target.calls().reset();
        stage.emulator.cloud().clear_calls();
        let began = Instant::now();
        let mut deploys = JoinSet::new();
        for number in 0..FUNCTIONS {
            let (target, packed) = (stage.target.clone(), Arc::clone(&packed));
            deploys.spawn(async move {
                let name = format!("many-{number}");
                // A failure is not to be sent between threads; its words are.
                let done = deploy(&target, &name, &packed, "good day").await;
                done.map(|outcome| outcome.change)
                    .map_err(|why| format!("{name}: {why}"))
            });
        }
        let mut failed = Vec::new();
        while let Some(joined) = deploys.join_next().await {
            match joined? {
                Ok(done) if done == change => {}
                Ok(done) => failed.push(format!("a function was {}", done.word())),
                Err(why) => failed.push(why),
            }
        }
        let took = began.elapsed().as_secs_f64();
        if let Some(why) = failed.first() {
            eprintln!("  the first failure: {why}");
        }
        let what = format!("{FUNCTIONS} deployments at once of {what}");
        table.spread(what.clone(), "s", Spread::of([took]), None);
        let failures = failed.len() as u64;
        table.count(
            format!("{what}: failures"),
            "deployments",
            failures,
            Some(0),
        );
        let sent = stage.target.calls().total();
        table.count(format!("{what}: calls"), "calls", sent.sent(), None);
        let throttled = throttled(&stage)?;
        table.count(format!("{what}: throttled"), "calls", throttled, None);
    }
    stage.close().await;
    Ok(())
}

/// How many calls the embedded AWS turned away for coming too fast.
fn throttled(stage: &Stage) -> Result<u64, Failure> {
    /// How many calls it remembers.
    const REMEMBERED: usize = 10_000;
    let calls = stage.emulator.cloud().calls();
    if calls.len() >= REMEMBERED {
        return Err("there were more calls than the embedded AWS remembers".into());
    }
    Ok(calls.iter().filter(|(_, _, status)| *status == 429).count() as u64)
}
