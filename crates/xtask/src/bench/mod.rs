//! `cargo xtask bench`: counts exactly, and times as ratios with their spread.
//!
//! What is compared is measured in turns (A B A B), in rounds; a row shows the least, the middle and the greatest of its rounds.
//! Nothing is asserted on time. What is counted is asserted.

#[cfg(feature = "aws")]
mod aws;
mod build;
mod calls;
mod deploys;
mod lambda;
mod memory;
mod overhead;
mod process;
mod runtime;
mod stats;
mod table;
mod throughput;

use std::process::{Command, ExitCode};

use crate::commands::Failure;
use crate::oracles::Cache;
use table::Table;

/// The measurements, in the order in which they run.
const ALL: [&str; 13] = [
    "overhead",
    "invoke",
    "runtime",
    "throughput",
    "deploy",
    "memory",
    "build",
    "aws-warm",
    "aws-cold",
    "aws-ready",
    "aws-overhead",
    "aws-calls",
    "aws-many",
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure these only
    #[arg(value_name = "MEASUREMENT", value_parser = ALL)]
    only: Vec<String>,
    /// Print one JSON object instead of a Markdown table
    #[arg(long)]
    json: bool,
    /// How many times each comparison is made
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
}

/// How a measurement is made.
struct Settings {
    rounds: u32,
    cache: Cache,
}

/// Measures and prints. What takes time is measured by a release build of this program.
///
/// # Errors
/// When something cannot be measured.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if cfg!(any(debug_assertions, not(feature = "aws"))) {
        return again_in_release();
    }
    let settings = Settings {
        rounds: args.rounds,
        cache: Cache::open()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut table = Table::default();
    for name in ALL {
        if !args.only.is_empty() && !args.only.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("measuring {name}");
        match name {
            "overhead" => runtime.block_on(overhead::measure(&settings, &mut table))?,
            "invoke" => runtime.block_on(calls::measure(&settings, &mut table))?,
            "runtime" => runtime.block_on(runtime::measure(&settings, &mut table))?,
            "throughput" => runtime.block_on(throughput::measure(&settings, &mut table))?,
            "deploy" => runtime.block_on(deploys::measure(&mut table))?,
            "memory" => runtime.block_on(memory::measure(&mut table))?,
            "build" => build::measure(&mut table)?,
            #[cfg(feature = "aws")]
            _ => runtime.block_on(aws::measure(name, &settings, &mut table))?,
            #[cfg(not(feature = "aws"))]
            _ => return Err(format!("{name} needs the feature `aws`").into()),
        }
    }
    if args.json {
        println!("{}", table.to_json());
    } else {
        println!("{table}");
    }
    Ok(table.verdict())
}

fn again_in_release() -> Result<ExitCode, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let cargo = |verb: &str| {
        let mut command = Command::new(&cargo);
        command
            .args([verb, "--release", "--quiet", "--package", "xtask"])
            .args(["--features", "aws"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    };
    // What runs beside this program is built with it.
    if !cargo("build").arg("--bins").status()?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let status = cargo("run")
        .arg("--")
        .args(std::env::args_os().skip(1))
        .status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
