//! `cargo xtask contract`: writes CONTRACT.md and the matrix in the README, or checks them.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use super::Failure;
use crate::contract::{self, CONTRACT, README, Report};
use crate::repo;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail where a document is not what the table and the reports say
    #[arg(long)]
    check: bool,
    /// Leave the matrix as it is: no run is needed then
    #[arg(long, conflicts_with = "report")]
    rules_only: bool,
    /// Take the matrix from these reports (`anyport conformance --json`) instead of running the suite
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
}

/// Writes or checks both documents.
///
/// # Errors
/// When a report or a document cannot be read, or the suite cannot be run.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let root = repo::root()?;
    let mut wanted = vec![(CONTRACT, contract::page())];
    if !args.rules_only {
        let readme = fs::read_to_string(root.join(README))?;
        let readme = contract::with_matrix(&readme, &contract::matrix(&reports(args, &root)?))
            .ok_or("the README has no marks for the matrix")?;
        wanted.push((README, readme));
    }
    let mut stale = 0;
    for (name, wanted) in wanted {
        let path = root.join(name);
        if fs::read_to_string(&path).is_ok_and(|text| text == wanted) {
            println!("{name}: up to date");
        } else if args.check {
            println!("{name}: out of date; run `cargo xtask contract`");
            stale += 1;
        } else {
            fs::write(&path, wanted)?;
            println!("{name}: written");
        }
    }
    Ok(if stale == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The columns of the matrix.
const TARGETS: [&str; 2] = ["local://", "lambda://embedded"];

fn reports(args: &Args, root: &Path) -> Result<Vec<Report>, Failure> {
    if args.report.is_empty() {
        return TARGETS
            .into_iter()
            .map(|target| Ok(serde_json::from_slice(&conformance(root, target)?)?))
            .collect();
    }
    let read = |path: &PathBuf| {
        let failed = |error: &dyn Display| format!("could not read {}: {error}", path.display());
        let text = fs::read(path).map_err(|error| failed(&error))?;
        serde_json::from_slice(&text).map_err(|error| failed(&error))
    };
    Ok(args
        .report
        .iter()
        .map(read)
        .collect::<Result<_, String>>()?)
}

/// Runs the suite on a target and returns its report, whatever the verdict.
fn conformance(root: &Path, target: &str) -> Result<Vec<u8>, Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "--",
            "conformance",
            "--on",
            target,
            "--json",
        ])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    if output.stdout.is_empty() {
        let status = output.status;
        return Err(format!("the suite printed no report on {target} ({status})").into());
    }
    Ok(output.stdout)
}
