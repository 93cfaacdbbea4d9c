//! A deployment that has nothing to do, a hundred times.

use std::time::Instant;

use anyport::plan::Change;

use super::Table;
use super::stats::Spread;
use crate::commands::Failure;
use crate::oracles::peers;
use crate::oracles::stage::{Stage, zip};

const FUNCTIONS: u64 = 100;

pub(super) async fn measure(table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open().await?;
    let packed = stage.pack_program(&peers::ours("quickstart")?)?;
    let mut times = Vec::new();
    for change in [
        Change::Created,
        Change::Unchanged,
        Change::Unchanged,
        Change::Unchanged,
    ] {
        stage.target.calls().reset();
        let began = Instant::now();
        for number in 0..FUNCTIONS {
            let name = format!("many-{number}");
            let outcome = stage.deploy_again(&name, zip(), &packed).await?;
            if outcome.change != change {
                return Err(format!("deploying {name} was {}", outcome.change.word()).into());
            }
        }
        times.push(began.elapsed().as_secs_f64());
    }
    let sent = stage.target.calls().total();
    let what = format!("reads of {FUNCTIONS} deployments of what is there");
    table.count(what, "calls", sent.reads, Some(2 * FUNCTIONS));
    let what = format!("writes of {FUNCTIONS} deployments of what is there");
    table.count(what, "calls", sent.writes, Some(0));
    let what = format!("{FUNCTIONS} deployments of what is there");
    table.spread(what, "s", Spread::of(times.split_off(1)), Some("under 1"));
    let what = format!("{FUNCTIONS} deployments of something new");
    table.spread(what, "s", Spread::of(times), None);
    Ok(())
}
