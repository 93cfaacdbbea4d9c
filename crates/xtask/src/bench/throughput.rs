//! Requests per second of one function, by the number of callers.

use std::time::{Duration, Instant};

use super::stats::Spread;
use super::{Settings, Table};
use crate::commands::Failure;
use crate::oracles::peers;
use crate::oracles::stage::{Stage, told, zip};

const CALLERS: [usize; 3] = [1, 8, 64];
const WINDOW: Duration = Duration::from_secs(2);

pub(super) async fn measure(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open().await?;
    let packed = stage.pack_program(&peers::ours("quickstart")?)?;
    let function = stage.deploy("loaded", zip(), &packed).await?;
    let load = async |callers: usize, window: Duration| -> Result<f64, Failure> {
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..callers {
            let (target, name) = (stage.target.clone(), function.name().clone());
            tasks.spawn(async move {
                let mut done = 0_u64;
                while began.elapsed() < window {
                    let call = anyport::call::Call::new(name.clone(), r#"{"name":"Ada"}"#);
                    target.invoke(call).await?;
                    done += 1;
                }
                Ok::<_, anyport::Error>(done)
            });
        }
        let mut done = 0;
        while let Some(joined) = tasks.join_next().await {
            done += joined?.map_err(told)?;
        }
        Ok(done as f64 / began.elapsed().as_secs_f64())
    };
    // Every instance that any of them needs is started first.
    load(64, WINDOW).await?;
    let mut rounds = vec![Vec::new(); CALLERS.len()];
    for _ in 0..settings.rounds {
        for (callers, rounds) in CALLERS.into_iter().zip(&mut rounds) {
            rounds.push(load(callers, WINDOW).await?);
        }
    }
    for (callers, rounds) in CALLERS.into_iter().zip(rounds) {
        let what = format!("calls of a Rust function by {callers} at a time");
        table.spread(what, "per second", Spread::of(rounds), None);
    }
    Ok(())
}
