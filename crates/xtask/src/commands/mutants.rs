//! `cargo xtask mutants`: every mutant must fail the suite by the rule it breaks.

use std::env;
use std::process::{Command, ExitCode, Stdio};

use super::Failure;
use crate::repo;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one line of JSON: rules, rules_covered, mutants, killed
    #[arg(long)]
    json: bool,
    /// Only this mutant, or the mutants of this rule; may be repeated. Leaves the run without mutants out
    #[arg(value_name = "MUTANT|RULE")]
    only: Vec<String>,
}

/// Runs the runner's program for them. It is built with the hooks for broken clients, which nothing else here has.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "run",
            "--quiet",
            "--package=anyport-conformance-runner",
            "--features=mutants",
        ])
        .args(["--bin=mutants", "--"])
        .args(args.json.then_some("--json"))
        .args(&args.only)
        .current_dir(repo::root()?)
        .stdin(Stdio::null());
    Ok(if command.status()?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
