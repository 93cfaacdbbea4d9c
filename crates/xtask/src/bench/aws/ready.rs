//! How soon the embedded AWS answers, and what it holds.

use std::time::{Duration, Instant};

use anyport::embedded::aws::{Emulator, config};
use hyper::Method;

use super::served::Served;
use super::wire::{Keys, Place, Wire, invocations};
use super::{EVENT, functions, greeted};
use crate::bench::Table;
use crate::bench::process::resident_kb;
use crate::bench::stats::Spread;
use crate::commands::Failure;
use crate::oracles::peers;

/// How often it is started.
const STARTS: usize = 15;
/// Warm calls before its memory is looked at again.
const CALLS: usize = 10_000;

pub(super) async fn measure(table: &mut Table) -> Result<(), Failure> {
    let aim = Some("under 50");
    let mut times = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let served = Served::start()?;
        times.push(answered(&served.place, began).await?);
        sizes.push(resident_kb(served.process())? as f64);
    }
    let what = "embedded AWS, from the start of its process to the first answered signed request";
    table.spread(what, "ms", Spread::of(times), aim);

    let mut times = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let emulator = Emulator::start(config()).await?;
        let keys = emulator.credentials();
        let place = Place {
            endpoint: emulator.endpoint().to_owned(),
            account: emulator.account().to_owned(),
            keys: Keys::new(&keys.access_key, &keys.secret_key),
        };
        times.push(answered(&place, began).await?);
        emulator.shutdown().await;
    }
    let what = "embedded AWS, from Emulator::start to the first answered signed request";
    table.spread(what, "ms", Spread::of(times), aim);

    let aim = Some("under 30000");
    let what = "embedded AWS, resident memory when it is ready";
    table.spread(what, "KB", Spread::of(sizes), aim);
    let what = format!("embedded AWS, resident memory with a function after {CALLS} calls");
    table.spread(what, "KB", Spread::of([used().await?]), aim);
    Ok(())
}

/// Milliseconds until a listing of functions was answered.
async fn answered(place: &Place, began: Instant) -> Result<f64, Failure> {
    let mut wire = Wire::open(place).await?;
    let request = wire.request(&Method::GET, "/2015-03-31/functions/", "")?;
    let answer = wire.send(request).await?;
    let took = began.elapsed();
    if answer.status == 200 && answer.body.starts_with(b"{") {
        Ok(took.as_secs_f64() * 1e3)
    } else {
        Err(format!("a listing was answered {}", answer.status).into())
    }
}

async fn used() -> Result<f64, Failure> {
    let served = Served::start()?;
    let place = &served.place;
    let client = functions::client(place).await?;
    let archive = functions::archive(&peers::ours("quickstart")?)?;
    functions::create(&client, place, "sample", &archive).await?;
    let mut wire = Wire::open(place).await?;
    let path = invocations("sample");
    for _ in 0..CALLS {
        let request = wire.request(&Method::POST, &path, EVENT)?;
        let answer = wire.send(request).await?;
        greeted(answer.status, &answer.body)?;
    }
    // What is written down after an answer has been sent is part of it.
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(resident_kb(served.process())? as f64)
}
