//! What `Target::invoke` costs over the same call by the AWS SDK alone.

use std::time::Instant;

use anyport::call::Call;
use anyport::embedded::aws::{Limits, config};
use anyport::lambda::Raw;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;

use super::stage::{Stage, deploy};
use super::{EVENT, greeted};
use crate::bench::stats::{Spread, Times};
use crate::bench::{Settings, Table};
use crate::commands::Failure;
use crate::oracles::stage::told;
use crate::oracles::{peers, run};

const CALLS: usize = 1000;
/// The largest answer that is read.
const LIMIT: u64 = 1 << 20;

pub(super) async fn measure(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    count(table)?;
    time(settings, table).await
}

/// The adapter's own test counts over answers from a script.
fn count(table: &mut Table) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = run(std::process::Command::new(cargo)
        .args([
            "test",
            "--quiet",
            "--package",
            "anyport-aws",
            "--test",
            "it",
        ])
        .args(["allocates", "--", "--nocapture", "--color", "never"])
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let line = said
        .lines()
        .find(|line| line.starts_with("SDK: "))
        .ok_or("the adapter's count of allocations did not run")?;
    let numbers: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    let &[direct, direct_bytes, through, through_bytes, payload] = &numbers[..] else {
        return Err(format!("not understood: {line}").into());
    };
    let what = "allocations of an Invoke by aws-sdk-lambda alone";
    table.count(what, "allocations", direct, None);
    let what = "extra allocations of Target::invoke on Lambda";
    table.count(what, "allocations", through.saturating_sub(direct), Some(7));
    // A copy has to be put somewhere: it would show as a payload's worth of bytes.
    let copies = through_bytes.saturating_sub(direct_bytes) / payload.max(1);
    let what = "payload copies of Target::invoke on Lambda";
    table.count(what, "copies", copies, Some(0));
    Ok(())
}

async fn time(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open(config().limits(Limits::off())).await?;
    let packed = stage.pack("function.zip", &peers::ours("quickstart")?)?;
    let outcome = deploy(&stage.target, "called", &packed, "good day").await?;
    let raw = stage.target.raw().downcast_ref::<Raw>();
    let client = raw.ok_or("the target has no SDK clients")?.calls.clone();
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for round in 0..=settings.rounds {
        let mut times = [Vec::with_capacity(CALLS), Vec::with_capacity(CALLS)];
        for _ in 0..CALLS {
            let began = Instant::now();
            // The same request: what is not needed for it is what is measured.
            let call = client
                .invoke()
                .function_name("called")
                .qualifier("live")
                .log_type(LogType::Tail)
                .payload(Blob::new(EVENT));
            let output = call.send().await?;
            times[0].push(began.elapsed());
            let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
            greeted(u16::try_from(output.status_code)?, &payload)?;

            let call = Call::new(outcome.name.clone(), EVENT);
            let began = Instant::now();
            let reply = stage.target.invoke(call).await.map_err(told)?;
            times[1].push(began.elapsed());
            greeted(200, &reply.body.collect(LIMIT).await.map_err(told)?)?;
        }
        let [one, two] = times.map(Times::new);
        // The first round warms up.
        if round > 0 {
            direct.push(one.p50());
            through.push(two.p50());
        }
    }
    let what = "Target::invoke over aws-sdk-lambda, p50";
    let ratio = Spread::of_ratios(&through, &direct);
    table.spread(what, "ratio", ratio, Some("1.02"));
    let what = "aws-sdk-lambda alone, by alias and with the log's tail, p50";
    table.spread(what, "ms", Spread::of(direct), None);
    stage.close().await;
    Ok(())
}
