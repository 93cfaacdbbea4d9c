//! First calls of functions through the embedded AWS.

use std::time::Instant;

use hyper::Method;

use super::served::Served;
use super::wire::{Wire, invocations};
use super::{EVENT, functions, greeted};
use crate::bench::Table;
use crate::bench::stats::Spread;
use crate::commands::Failure;
use crate::oracles::peers;

/// Cold calls in all: each needs a function of its own.
const COLD: usize = 20;

pub(super) async fn measure(table: &mut Table) -> Result<(), Failure> {
    let embedded = Served::start()?;
    let place = &embedded.place;
    let client = functions::client(place).await?;
    let archive = functions::archive(&peers::ours("quickstart")?)?;
    for number in 0..=COLD {
        functions::create(&client, place, &format!("cold-{number}"), &archive).await?;
    }
    let mut wire = Wire::open(place).await?;
    let mut times = Vec::new();
    for number in 0..=COLD {
        let path = invocations(&format!("cold-{number}"));
        let tail = [("x-amz-log-type", "Tail")];
        let request = wire.request_with(&Method::POST, &path, EVENT, &tail)?;
        let began = Instant::now();
        let answer = wire.send(request).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        greeted(answer.status, &answer.body)?;
        if !answer.log()?.contains("Init Duration") {
            return Err("a first call was not cold".into());
        }
    }
    // The first one started the engine's own machinery as well.
    times.remove(0);
    let what = format!("cold invoke through the embedded AWS, the Rust sample, each of {COLD}");
    table.spread(what, "ms", Spread::of(times), Some("under 10"));
    Ok(())
}
