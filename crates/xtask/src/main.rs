//! Keeps the house in order: `cargo xtask check` and what else no compiler checks.
//!
//! One file per command in `commands`, one per check in `check`.

mod bench;
mod check;
mod commands;
mod contract;
mod oracles;
mod repo;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Keeps the house in order",
    arg_required_else_help = true
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check layering, file lengths, adapters' shape, and that the documents tell the truth
    Check(commands::check::Args),
    /// Write CONTRACT.md and the matrix in the README from the rule table and a run, or check them
    Contract(commands::contract::Args),
    /// Take from AWS's service models what the embedded AWS serves, or check that it was taken
    Models(commands::models::Args),
    /// Break adapters, clients and functions on purpose, and see the suite notice
    Mutants(commands::mutants::Args),
    /// Measure: counts exactly, times as ratios with their spread
    Bench(bench::Args),
    /// Run real functions, and compare our side with AWS's own programs
    Oracles(oracles::Args),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Check(args) => commands::check::run(&args),
        Command::Contract(args) => commands::contract::run(&args),
        Command::Models(args) => commands::models::run(&args),
        Command::Mutants(args) => commands::mutants::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Oracles(args) => oracles::consult(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
