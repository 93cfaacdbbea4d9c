//! `cargo xtask oracles`: real input through the public interface, and our side compared with programs of others.
//!
//! Everything is installed pinned into a cache folder outside the repository (`ANYPORT_CACHE`, else `~/.cache/anyport`). An oracle that
//! cannot be installed or run is a failure.

mod aws;
mod cache;
pub(crate) mod peers;
mod real;
mod report;
mod ric;
mod rie;
mod run;
pub(crate) mod stage;

use std::process::ExitCode;

use crate::commands::Failure;
pub(crate) use cache::Cache;
use report::Report;
pub(crate) use run::run;

/// The oracles, in the order in which they run.
const ALL: [&str; 4] = ["real", "ric", "rie", "aws"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run these only: real (unmodified functions), ric (AWS's runtime clients), rie (AWS's emulator), aws (AWS's clients against the embedded AWS)
    #[arg(value_name = "ORACLE", value_parser = ALL)]
    only: Vec<String>,
    /// Write the table of what the embedded AWS serves instead of comparing it
    #[arg(long)]
    write: bool,
}

/// Runs the oracles and prints a line for each comparison.
///
/// # Errors
/// When the cache or the asynchronous runtime cannot be set up.
pub(crate) fn consult(args: &Args) -> Result<ExitCode, Failure> {
    let cache = Cache::open()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut report = Report::default();
    for name in ALL {
        if !args.only.is_empty() && !args.only.iter().any(|wanted| wanted == name) {
            continue;
        }
        match name {
            "real" => runtime.block_on(real::check(&cache, &mut report)),
            "ric" => ric::check(&cache, &mut report),
            "aws" => runtime.block_on(aws::check(&cache, args.write, &mut report)),
            _ => runtime.block_on(rie::check(&cache, &mut report)),
        }
    }
    Ok(report.end())
}
