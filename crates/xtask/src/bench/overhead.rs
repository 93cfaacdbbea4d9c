//! What `Target::invoke` costs over calling the provider itself.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyport::context::{Ctx, Seam};
use anyport::{Calls, Cancel, LiveSeam};

use super::stats::{Spread, Times};
use super::{Settings, Table};
use crate::commands::Failure;
use crate::oracles::peers;
use crate::oracles::run;
use crate::oracles::stage::{Stage, told, zip};

const CALLS: usize = 1000;

pub(super) async fn measure(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    count(table)?;
    time(settings, table).await
}

/// The client's own test counts over a provider that does nothing; it fails where the payload is copied.
fn count(table: &mut Table) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = run(Command::new(cargo)
        .args([
            "test",
            "--quiet",
            "--package",
            "anyport-client",
            "--test",
            "it",
        ])
        .args(["allocates", "--", "--nocapture", "--color", "never"])
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let line = said
        .lines()
        .find(|line| line.starts_with("direct: "))
        .ok_or("the client's count of allocations did not run")?;
    let numbers: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    let &[direct, direct_bytes, through, through_bytes, payload] = &numbers[..] else {
        return Err(format!("not understood: {line}").into());
    };
    let extra = through.saturating_sub(direct);
    // A copy has to be put somewhere: it would show as a payload's worth of bytes.
    let copies = through_bytes.saturating_sub(direct_bytes) / payload.max(1);
    table.count(
        "extra allocations of Target::invoke",
        "allocations",
        extra,
        Some(0),
    );
    table.count(
        "payload copies of Target::invoke",
        "copies",
        copies,
        Some(0),
    );
    Ok(())
}

async fn time(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    let stage = Stage::open().await?;
    let packed = stage.pack_program(&peers::ours("quickstart")?)?;
    let function = stage.deploy("called", zip(), &packed).await?;
    let provider = Arc::clone(stage.target.provider());
    let seam: Arc<dyn Seam> = Arc::new(LiveSeam::new(Cancel::new(), Calls::default(), None));
    let cx = Ctx::new(seam);
    let payload = r#"{"name":"Ada"}"#;
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for round in 0..=settings.rounds {
        let mut times = [Vec::with_capacity(CALLS), Vec::with_capacity(CALLS)];
        for _ in 0..CALLS {
            let call = function.call(payload);
            let began = Instant::now();
            provider.invoke(&cx, call).await.map_err(told)?;
            times[0].push(began.elapsed());
            let call = function.call(payload);
            let began = Instant::now();
            stage.target.invoke(call).await.map_err(told)?;
            times[1].push(began.elapsed());
        }
        let [one, two] = times.map(Times::new);
        // The first round warms up.
        if round > 0 {
            direct.push(one.p50());
            through.push(two.p50());
        }
    }
    let what = "Target::invoke over the provider itself, p50";
    let ratio = Spread::of_ratios(&through, &direct);
    table.spread(what, "ratio", ratio, Some("1.02"));
    Ok(())
}
