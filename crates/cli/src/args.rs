//! The command line as it is written. What the flags mean is resolved in `settings`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::exit;

/// Any port for your code: deploy, invoke and inspect functions anywhere.
///
/// Reads `anyport.toml` from this folder or the nearest one above. Start with `anyport init`, or see it all with `anyport demo`.
#[derive(Debug, Parser)]
#[command(name = "anyport", version, after_help = exit::HELP, max_term_width = 100, propagate_version = true)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Work on this target (such as `local://`), or on the one that this place is bound to, wherever the manifest puts things
    #[arg(long, global = true, value_name = "TARGET|PLACE")]
    pub on: Option<String>,
    /// The environment of the manifest: the only one, or `dev`, unless named
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// The manifest: the nearest `anyport.toml` unless named
    #[arg(long, global = true, value_name = "PATH")]
    pub manifest: Option<PathBuf>,
    /// Print JSON: one object with `"schema": 1`, or one a line for streams; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See what Anyport does, on a sample and a throw-away target
    Demo(commands::demo::Args),
    /// Start a function: a manifest and code, never overwriting anything
    Init(commands::init::Args),
    /// Check the manifest, without connecting to anything
    Check(commands::check::Args),
    /// Show what `deploy` would change
    Plan(commands::plan::Args),
    /// Make the changes of a saved plan
    Apply(commands::apply::Args),
    /// Bring functions to the state that the manifest asks for
    Deploy(commands::deploy::Args),
    /// Call a function
    Invoke(commands::invoke::Args),
    /// Show what functions wrote
    Logs(commands::logs::Args),
    /// Show how deployed functions are
    Status(commands::status::Args),
    /// List what is deployed
    List(commands::list::Args),
    /// List the versions of a function
    Versions(commands::versions::Args),
    /// Split traffic over versions
    Traffic(commands::traffic::Args),
    /// Send all traffic to an earlier version
    Rollback(commands::rollback::Args),
    /// Remove functions
    Remove(commands::remove::Args),
    /// Make functions yours that others deployed
    Adopt(commands::adopt::Args),
    /// Leave functions running that are not yours any more
    Release(commands::release::Args),
    /// Make a function's artifact, and say what is in it
    Package(commands::package::Args),
    /// Prove that a target keeps the contract
    Conformance(commands::conformance::Args),
    /// Hold local targets open: events are delivered, logs are shown
    Dev(commands::dev::Args),
    /// Say what this machine has and what is missing
    Doctor(commands::doctor::Args),
    /// Print completions for a shell
    Completions(commands::completions::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
