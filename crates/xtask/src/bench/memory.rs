//! Memory of idle instances, and of everything after many calls.

use std::time::Duration;

use anyport::call::Call;

use super::Table;
use super::process::{functions, proportional_kb, resident_kb};
use super::stats::Spread;
use crate::commands::Failure;
use crate::oracles::peers;
use crate::oracles::stage::{Stage, told, zip};

const INSTANCES: usize = 50;
const CALLS: u64 = 100_000;
/// How often that many are made, to tell growth from settling in.
const BLOCKS: usize = 3;

pub(super) async fn measure(table: &mut Table) -> Result<(), Failure> {
    idle(table).await?;
    many(table).await
}

async fn idle(table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open().await?;
    let packed = stage.pack_program(&peers::probe()?)?;
    let function = stage.deploy("idle", zip(), &packed).await?;
    function.reply(function.call(r#"{"do":"who"}"#)).await?;
    let before = resident_kb(std::process::id())?;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..INSTANCES {
        let (target, name) = (stage.target.clone(), function.name().clone());
        let call = Call::new(name, r#"{"do":"sleep","ms":2000}"#);
        calls.spawn(async move { target.invoke(call).await });
    }
    while let Some(joined) = calls.join_next().await {
        joined?.map_err(told)?;
    }
    let processes = functions()?;
    if processes.len() < INSTANCES {
        return Err(format!("{} instances where {INSTANCES} are needed", processes.len()).into());
    }
    let mut sizes = Vec::new();
    for id in processes {
        sizes.push(proportional_kb(id)? as f64);
    }
    let what = format!("memory of an idle Rust instance, of {INSTANCES}");
    table.spread(what, "KB", Spread::of(sizes), None);
    let after = resident_kb(std::process::id())?;
    let each = after.saturating_sub(before) as f64 / INSTANCES as f64;
    let what = "memory of the engine for each of them";
    table.spread(what, "KB", Spread::of([each]), None);
    Ok(())
}

async fn many(table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open().await?;
    let packed = stage.pack_program(&peers::ours("quickstart")?)?;
    let function = stage.deploy("called", zip(), &packed).await?;
    // Two instances' worth of callers; what grows with calls would grow here.
    let run = async |calls: u64| -> Result<[u64; 2], Failure> {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let (target, name) = (stage.target.clone(), function.name().clone());
            tasks.spawn(async move {
                for _ in 0..calls / 2 {
                    target
                        .invoke(Call::new(name.clone(), r#"{"name":"Ada"}"#))
                        .await?;
                }
                Ok::<_, anyport::Error>(())
            });
        }
        while let Some(joined) = tasks.join_next().await {
            joined?.map_err(told)?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let largest = functions()?
            .into_iter()
            .map(resident_kb)
            .collect::<Result<Vec<_>, _>>()?;
        let own = resident_kb(std::process::id())?;
        Ok([own, largest.into_iter().max().unwrap_or_default()])
    };
    let mut seen = vec![run(CALLS / 10).await?];
    for _ in 0..BLOCKS {
        seen.push(run(CALLS).await?);
    }
    for (what, place) in [("the caller and the engine", 0), ("the function", 1)] {
        let grown = seen
            .windows(2)
            .map(|two| two[1][place] as f64 - two[0][place] as f64);
        let first = seen[0][place];
        let what = format!("growth of {what} by {CALLS} calls, {BLOCKS} times, from {first} KB");
        table.spread(what, "KB", Spread::of(grown), Some("flat"));
    }
    Ok(())
}
