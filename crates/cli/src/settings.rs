//! What the flags mean, with the terminal and the environment taken into account. Nothing else reads those.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyport::target::TargetUrl;

use crate::args::{Global, When};
use crate::failure::Failure;
use crate::render::Output;

/// Which target is meant by `--on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    Target(TargetUrl),
    Place(String),
}

/// Settings that every command has.
#[derive(Debug)]
pub(crate) struct Settings {
    pub on: Option<On>,
    pub environment: Option<String>,
    pub manifest: Option<PathBuf>,
}

impl Settings {
    pub(crate) fn resolve(global: &Global) -> Result<Self, Failure> {
        let on = match &global.on {
            Some(text) if text.contains("://") => {
                Some(On::Target(text.parse().map_err(|error| {
                    Failure::new("wrong_target", format!("--on: {error}"))
                })?))
            }
            Some(text) if text.trim().is_empty() => {
                return Err(Failure::new("wrong_target", "--on is empty").next(
                    "name a target by its URL, such as local://, or a place of the manifest",
                ));
            }
            Some(text) => Some(On::Place(text.clone())),
            None => None,
        };
        Ok(Self {
            on,
            environment: global.env.clone(),
            manifest: global.manifest.clone(),
        })
    }
}

/// How to print, from the flags, the terminal and `NO_COLOR`, `TERM`.
pub(crate) fn output(global: &Global) -> Output {
    let dumb = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let colours = |terminal: bool| match global.color {
        When::Always => true,
        When::Never => false,
        When::Auto => terminal && !dumb,
    };
    let (stdout, stderr) = (
        std::io::stdout().is_terminal(),
        std::io::stderr().is_terminal(),
    );
    Output {
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose,
        stdout_is_terminal: stdout,
        stderr_is_terminal: stderr,
        stdin_is_terminal: std::io::stdin().is_terminal(),
        stdout_colours: colours(stdout),
        stderr_colours: colours(stderr),
    }
}
