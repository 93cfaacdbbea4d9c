//! Warm invokes through the embedded AWS and through peers, in turns.

use std::time::{Duration, Instant};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use hyper::Method;

use super::served::Served;
use super::wire::{Place, Wire, invocations};
use super::{EVENT, functions, greeted, peers};
use crate::bench::stats::{Spread, Times};
use crate::bench::{Settings, Table};
use crate::commands::Failure;
use crate::oracles;

/// Turns in a round.
const TURNS: usize = 20;
/// Calls in a turn of those that are fast.
const FAST: usize = 50;
/// Calls in a turn of those that are not.
const SLOW: usize = 3;

/// How a function is reached.
enum Way {
    Raw(Wire, String),
    Sdk(Client, String),
}

struct Side {
    what: &'static str,
    way: Way,
    calls: usize,
    aim: Option<&'static str>,
    /// The middle of each round.
    rounds: Vec<f64>,
}

pub(super) async fn measure(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    let sample = oracles::peers::ours("quickstart")?;
    let vendors = oracles::peers::cargo(&settings.cache, "lambda-runtime-fn")?;
    let embedded = Served::start()?;
    let cargo_lambda = peers::cargo_lambda(&settings.cache, &vendors)?;
    let ministack = peers::ministack(&settings.cache)?;

    let (ours, theirs) = (&embedded.place, &ministack.place);
    let client = functions::client(ours).await?;
    functions::create(&client, ours, "sample", &functions::archive(&sample)?).await?;
    let vendors = functions::archive(&vendors)?;
    functions::create(&client, ours, "vendors", &vendors).await?;
    let client = functions::client(theirs).await?;
    functions::create(&client, theirs, "vendors", &vendors).await?;

    let aim = Some("0.3 ms, half of cargo-lambda");
    let sides = [
        (
            "the embedded AWS, the Rust sample",
            ours,
            "sample",
            FAST,
            aim,
        ),
        (
            "the embedded AWS, lambda_runtime",
            ours,
            "vendors",
            FAST,
            aim,
        ),
        (
            "cargo-lambda, lambda_runtime",
            &cargo_lambda.place,
            peers::UNNAMED,
            FAST,
            None,
        ),
        ("ministack, lambda_runtime", theirs, "vendors", SLOW, None),
    ];
    let mut raw = Vec::new();
    let mut sdk = Vec::new();
    for (what, place, name, calls, aim) in sides {
        raw.push(Side::raw(what, place, name, calls, aim).await?);
        sdk.push(Side::sdk(what, place, name, calls).await?);
    }
    for (kind, sides) in [("raw HTTP", &mut raw), ("aws-sdk-lambda", &mut sdk)] {
        compare(settings, sides).await?;
        for side in sides.iter() {
            let what = format!("warm invoke, {kind}, {}, p50", side.what);
            table.spread(
                what,
                "ms",
                Spread::of(side.rounds.iter().copied()),
                side.aim,
            );
        }
        let ratio = Spread::of_ratios(&sides[1].rounds, &sides[2].rounds);
        let what = format!("warm invoke, {kind}, the embedded AWS over cargo-lambda, p50");
        table.spread(what, "ratio", ratio, Some("at most 0.5"));
    }
    Ok(())
}

async fn compare(settings: &Settings, sides: &mut [Side]) -> Result<(), Failure> {
    for round in 0..=settings.rounds {
        let mut times: Vec<Vec<Duration>> = sides.iter().map(|_| Vec::new()).collect();
        for _ in 0..TURNS {
            for (side, times) in sides.iter_mut().zip(&mut times) {
                for _ in 0..side.calls {
                    let took = side.way.call().await;
                    times.push(took.map_err(|why| format!("{}: {why}", side.what))?);
                }
            }
        }
        // The first round warms up.
        if round > 0 {
            for (side, times) in sides.iter_mut().zip(times) {
                side.rounds.push(Times::new(times).p50());
            }
        }
    }
    Ok(())
}

impl Side {
    async fn raw(
        what: &'static str,
        place: &Place,
        name: &str,
        calls: usize,
        aim: Option<&'static str>,
    ) -> Result<Self, Failure> {
        let way = Way::Raw(Wire::open(place).await?, invocations(name));
        Ok(Self {
            what,
            way,
            calls,
            aim,
            rounds: Vec::new(),
        })
    }

    async fn sdk(
        what: &'static str,
        place: &Place,
        name: &str,
        calls: usize,
    ) -> Result<Self, Failure> {
        let way = Way::Sdk(functions::client(place).await?, name.to_owned());
        Ok(Self {
            what,
            way,
            calls,
            aim: None,
            rounds: Vec::new(),
        })
    }
}

impl Way {
    /// One call. Raw requests are signed before the clock starts: what is measured is the server. The SDK signs its own.
    async fn call(&mut self) -> Result<Duration, Failure> {
        match self {
            Self::Raw(wire, path) => {
                let request = wire.request(&Method::POST, path, EVENT)?;
                let began = Instant::now();
                let answer = wire.send(request).await?;
                let took = began.elapsed();
                greeted(answer.status, &answer.body)?;
                Ok(took)
            }
            Self::Sdk(client, name) => {
                let payload = Blob::new(EVENT);
                let began = Instant::now();
                let call = client.invoke().function_name(name.as_str());
                let output = call.payload(payload).send().await?;
                let took = began.elapsed();
                let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
                greeted(u16::try_from(output.status_code)?, &payload)?;
                Ok(took)
            }
        }
    }
}
