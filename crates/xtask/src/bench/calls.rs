//! Warm and cold calls on the local target, by language.

use std::time::Instant;

use anyport::spec::Packaging;

use super::stats::{Spread, Times};
use super::{Settings, Table};
use crate::commands::Failure;
use crate::oracles::peers;
use crate::oracles::stage::{Function, Stage, told, zip};

/// Warm calls in a round.
const WARM: usize = 1000;
/// Cold calls in all: each needs a function of its own.
const COLD: usize = 12;

struct Language {
    name: &'static str,
    packaging: Packaging,
    packed: anyport_package::Packed,
    aims: [Option<&'static str>; 2],
}

pub(super) async fn measure(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open().await?;
    let languages = languages(&stage)?;

    let mut functions = Vec::new();
    for language in &languages {
        let name = format!("warm-{}", language.name.to_lowercase());
        functions.push(
            stage
                .deploy(&name, language.packaging.clone(), &language.packed)
                .await?,
        );
    }
    let mut rounds: Vec<Vec<Times>> = functions.iter().map(|_| Vec::new()).collect();
    for function in &functions {
        round(function, WARM / 10).await?;
    }
    for _ in 0..settings.rounds {
        for (function, rounds) in functions.iter().zip(&mut rounds) {
            rounds.push(round(function, WARM).await?);
        }
    }
    for (language, rounds) in languages.iter().zip(&rounds) {
        let p50 = Spread::of(rounds.iter().map(Times::p50));
        let what = format!("warm invoke, {}, p50 of {WARM}", language.name);
        table.spread(what, "ms", p50, language.aims[0]);
        let p99 = Spread::of(rounds.iter().map(|times| times.percentile(99)));
        let what = format!("warm invoke, {}, p99 of {WARM}", language.name);
        table.spread(what, "ms", p99, None);
    }
    for language in &languages {
        let times = cold(&stage, language).await?;
        let what = format!("cold invoke, {}, each of {COLD}", language.name);
        table.spread(what, "ms", Spread::of(times), language.aims[1]);
    }
    Ok(())
}

fn languages(stage: &Stage) -> Result<Vec<Language>, Failure> {
    let bundle = |runtime: &str| -> Result<Packaging, Failure> {
        Ok(Packaging::Bundle {
            runtime: runtime.parse()?,
            handler: "app.handler".to_owned(),
        })
    };
    let greet = peers::source("greet");
    Ok(vec![
        Language {
            name: "Rust",
            packaging: zip(),
            packed: stage.pack_program_as("rust.zip", &peers::ours("quickstart")?)?,
            aims: [Some("p50 under 0.3"), Some("under 10")],
        },
        Language {
            name: "Python",
            packaging: bundle("python3")?,
            packed: stage.pack_as("bundle.zip", &greet)?,
            aims: [None, None],
        },
        Language {
            name: "Node",
            packaging: bundle("nodejs")?,
            packed: stage.pack_as("bundle.zip", &greet)?,
            aims: [None, None],
        },
    ])
}

async fn round(function: &Function<'_>, calls: usize) -> Result<Times, Failure> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        function.reply(function.call(r#"{"name":"Ada"}"#)).await?;
        times.push(began.elapsed());
    }
    Ok(Times::new(times))
}

/// The first call of each of some functions, by a client that has just been opened.
async fn cold(stage: &Stage, language: &Language) -> Result<Vec<f64>, Failure> {
    let mut deployed = Vec::new();
    for number in 0..=COLD {
        let name = format!("cold-{}-{number}", language.name.to_lowercase());
        let packaging = language.packaging.clone();
        deployed.push(stage.deploy(&name, packaging, &language.packed).await?);
    }
    let client = stage.reopen().await?;
    let mut times = Vec::new();
    for function in &deployed {
        let call = function.call(r#"{"name":"Ada"}"#);
        let began = Instant::now();
        let reply = client.invoke(call).await.map_err(told)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        if reply.cold != Some(true) {
            return Err("a first call was not cold".into());
        }
    }
    // The first one started the client's own machinery as well.
    times.remove(0);
    Ok(times)
}
