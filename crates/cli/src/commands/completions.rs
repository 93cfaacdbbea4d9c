//! `anyport completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Print completions for a shell, to be put where it looks for them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "anyport", &mut script);
    context.output.bytes(&script)?;
    Ok(Exit::Clean)
}
