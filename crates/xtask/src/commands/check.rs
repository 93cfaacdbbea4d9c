//! `cargo xtask check`: every check, or the named ones.

use std::process::ExitCode;

use super::Failure;
use crate::check::{self, Check};
use crate::repo::Repo;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run these checks only
    #[arg(value_name = "CHECK", value_parser = known)]
    only: Vec<&'static str>,
}

fn known(name: &str) -> Result<&'static str, String> {
    let names = check::ALL.map(|check| check.name);
    names
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(|| format!("the checks are: {}", names.join(", ")))
}

/// Runs the checks and prints what each looked at and found.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let repo = Repo::open()?;
    let wanted = |check: &Check| args.only.is_empty() || args.only.contains(&check.name);
    let mut problems = 0;
    for check in check::ALL.into_iter().filter(wanted) {
        let mut seen = (check.run)(&repo)?;
        if seen.looked_at == 0 {
            // A check that finds nothing to check is broken, or what it checks is gone.
            seen.problem("", "the check found nothing to look at");
        }
        let verdict = if seen.problems.is_empty() {
            "ok"
        } else {
            "FAILED"
        };
        println!(
            "{:<10} {verdict}  {} {}{}",
            check.name, seen.looked_at, check.of, seen.note
        );
        for problem in &seen.problems {
            println!("    {problem}");
        }
        problems += seen.problems.len();
    }
    if problems > 0 {
        println!("{problems} problems");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
