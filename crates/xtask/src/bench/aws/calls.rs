//! How many API calls each verb makes: counted where they are sent and where they arrive.

use std::collections::BTreeMap;

use anyport::Removal;
use anyport::call::Call;
use anyport::embedded::aws::{Delays, Limits, config};
use anyport::plan::{Change, Split, VersionId};

use super::EVENT;
use super::stage::{Stage, deploy};
use crate::bench::Table;
use crate::commands::Failure;
use crate::oracles::peers;
use crate::oracles::stage::{same, told};

pub(super) async fn measure(table: &mut Table) -> Result<(), Failure> {
    // States that take time are asked for again and again, which depends on the time. Here each is asked for once.
    let config = config().delays(Delays::zero()).limits(Limits::off());
    let stage = Stage::open(config).await?;
    let one = stage.pack("one.zip", &peers::ours("quickstart")?)?;
    let two = stage.pack("two.zip", &peers::probe()?)?;
    let target = &stage.target;
    let name: anyport::spec::Name = "counted".parse()?;
    let mut count = |verb: &str, most: u64| count(&stage, table, verb, most);
    let changed = |outcome: anyport::outcome::Outcome, change: Change| {
        same("what was done", outcome.change, change)?;
        outcome.version.ok_or_else(|| Failure::from("no version"))
    };

    let first = changed(deploy(target, "counted", &one, "a").await?, Change::Created)?;
    count("a first deploy", 8)?;
    changed(
        deploy(target, "counted", &one, "a").await?,
        Change::Unchanged,
    )?;
    count("a deploy of what is there", 2)?;
    changed(deploy(target, "counted", &one, "b").await?, Change::Updated)?;
    count("a deploy of other settings", 7)?;
    let last = changed(deploy(target, "counted", &two, "b").await?, Change::Updated)?;
    count("a deploy of other code", 7)?;

    let split = Split::new([(first.clone(), 90), (last, 10)])?;
    target.traffic(&name, split).await.map_err(told)?;
    count("a split of the traffic", 6)?;
    let all: VersionId = first;
    target.rollback(&name, Some(all)).await.map_err(told)?;
    count("a rollback", 6)?;

    let call = || Call::new(name.clone(), EVENT);
    target.invoke(call()).await.map_err(told)?;
    count("an invocation", 1)?;
    target.enqueue(call()).await.map_err(told)?;
    count("an event", 1)?;
    target.status(&name).await.map_err(told)?;
    count("a status", 5)?;
    target.versions(&name).await.map_err(told)?;
    count("a listing of versions", 5)?;

    let removed = target.remove(&name, Removal::default()).await;
    same(
        "the removal",
        removed.map_err(told)?.change,
        Change::Removed,
    )?;
    count("a removal", 9)?;
    let removed = target.remove(&name, Removal::default()).await;
    same("the removal", removed.map_err(told)?.change, Change::Absent)?;
    count("a removal of what is not there", 2)?;
    stage.close().await;
    Ok(())
}

/// The calls since the last count, by operation.
fn count(stage: &Stage, table: &mut Table, verb: &str, most: u64) -> Result<(), Failure> {
    let sent: BTreeMap<String, u64> = stage
        .target
        .calls()
        .by_operation()
        .into_iter()
        .map(|(operation, counts)| (operation.to_owned(), counts.sent()))
        .collect();
    let admin = stage.emulator.cloud();
    let mut arrived = BTreeMap::new();
    for (_, operation, _) in admin.calls() {
        *arrived.entry(operation).or_insert(0) += 1;
    }
    stage.target.calls().reset();
    admin.clear_calls();
    same(&format!("the calls of {verb}"), &sent, &arrived)?;
    let names: Vec<String> = sent
        .iter()
        .map(|(operation, times)| match times {
            1 => operation.clone(),
            times => format!("{times} {operation}"),
        })
        .collect();
    let what = format!("API calls of {verb}: {}", names.join(", "));
    table.count(what, "calls", sent.values().sum(), Some(most));
    Ok(())
}
