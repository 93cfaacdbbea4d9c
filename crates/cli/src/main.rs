//! The anyport command line tool: arguments -> settings -> one short file per command -> render.

mod args;
mod artifact;
mod commands;
mod context;
mod exit;
mod failure;
mod interrupt;
mod payload;
mod project;
mod render;
mod scratch;
mod session;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

use args::Cli;
use context::Context;
use exit::Exit;
use failure::Failure;
use render::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    let output = settings::output(&cli.global);
    let exit = match start(cli, &output) {
        Ok(exit) => exit,
        Err(failure) => output.failure(&failure),
    };
    exit.into()
}

fn start(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let context = Context::new(settings::Settings::resolve(&cli.global)?, output.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("internal", "cannot start the runtime").with_source(error))?;
    let exit = runtime.block_on(interrupt::guard(
        &context,
        commands::run(cli.command, &context),
    ));
    // A build or a read that was interrupted must not keep the process.
    runtime.shutdown_background();
    exit
}

/// Help and the version are results; wrong arguments are an error like any other, and 2 means something else here.
fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Nobody is left to be told when this fails.
        let _ = error.print();
        return Exit::Clean;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let mut message = first.trim_start_matches("error: ").to_owned();
        if message.ends_with(':') {
            let named: Vec<&str> = rest
                .lines()
                .take_while(|line| line.starts_with("  "))
                .map(str::trim)
                .collect();
            message.push_str(&format!(" {}", named.join(", ")));
        }
        let failure = Failure::new("usage", message);
        let failure = match rest
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("tip: "))
        {
            Some(tip) => failure.next(tip.trim_start_matches("tip: ")),
            None => failure.next("see `anyport --help`"),
        };
        render::json_failure(&failure);
    } else {
        let _ = error.print();
    }
    Exit::Error
}
