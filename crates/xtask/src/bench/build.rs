//! What a service pays for one adapter when it is built from nothing, and how large a function is.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Instant;

use super::Table;
use super::stats::Spread;
use crate::commands::Failure;
use crate::oracles::{peers, run};

/// The largest release build of the sample function in bytes.
const LARGEST: u64 = 900_000;

pub(super) fn measure(table: &mut Table) -> Result<(), Failure> {
    let size = fs::metadata(peers::ours("quickstart")?)?.len();
    table.count(
        "the sample function, stripped",
        "bytes",
        size,
        Some(LARGEST),
    );

    let folder = tempfile::Builder::new()
        .prefix("anyport-build-")
        .tempdir()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let began = Instant::now();
    let said = run(Command::new(cargo)
        .args(["build", "--locked", "--quiet", "--package", "anyport"])
        .args([
            "--features",
            "local",
            "--message-format",
            "json",
            "--target-dir",
        ])
        .arg(folder.path())
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let took = began.elapsed().as_secs_f64();
    let crates: BTreeSet<String> = said
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| Some(message["package_id"].as_str()?.to_owned()))
        .collect();
    let what = "crates of the facade with the local adapter";
    table.count(what, "crates", crates.len() as u64, None);
    let what = "development build of them from nothing";
    table.spread(what, "s", Spread::of([took]), None);
    Ok(())
}
