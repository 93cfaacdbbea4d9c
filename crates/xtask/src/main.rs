//! Keeps the house in order: `cargo xtask check` and what else no compiler checks.
//!
//! One file per command in `commands`, one per check in `check`.

mod check;
mod commands;
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
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Check(args) => commands::check::run(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
