//! What people and machines read. Results go to standard output, everything else to standard error.

pub(crate) mod excerpt;
mod failure;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod view;
pub(crate) mod words;

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use style::Style;

pub(crate) use failure::json_failure;

/// The version of every JSON object that is printed.
pub(crate) const JSON_SCHEMA: u32 = 1;

/// How to print.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the terminal or a flag, none excludes another"
)]
pub(crate) struct Output {
    pub json: bool,
    pub quiet: bool,
    pub verbose: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    pub stdin_is_terminal: bool,
    pub stdout_colours: bool,
    pub stderr_colours: bool,
}

/// An object in one line, its keys in the order of the alphabet: whether they would keep another one is up to what else is in the build.
pub(crate) fn sorted(mut object: Value) -> String {
    object.sort_all_objects();
    object.to_string()
}

impl Output {
    /// Colours for results.
    pub(crate) fn style(&self) -> Style {
        Style(self.stdout_colours && !self.json)
    }

    /// Colours for everything else.
    pub(crate) fn error_style(&self) -> Style {
        Style(self.stderr_colours && !self.json)
    }

    /// Prints a result for people, with a line end.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Prints bytes of a result as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .map_err(|error| {
                if error.kind() == io::ErrorKind::BrokenPipe {
                    Failure::broken_pipe()
                } else {
                    Failure::new("output", "cannot write the result").with_source(error)
                }
            })
    }

    /// Prints a result for machines: `fields` with the version and the command.
    pub(crate) fn object(&self, command: &str, fields: Value) -> Result<(), Failure> {
        let mut object = json!({ "schema": JSON_SCHEMA, "command": command });
        if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
            object.extend(fields);
        }
        self.line(&sorted(object))
    }

    /// Says something that is not a result. A machine wants to hear it only when it asked for more.
    pub(crate) fn note(&self, text: &str) {
        if self.json && self.verbose {
            self.aside("note", text);
        } else if !self.quiet && !self.json {
            self.say(text);
        }
    }

    /// Says something that only the curious want to read.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.note(text);
        }
    }

    /// Says what a user should not miss.
    pub(crate) fn warn(&self, text: &str) {
        if self.json {
            return self.aside("warning", text);
        }
        self.say(&format!(
            "{} {text}",
            self.error_style().warning("warning:")
        ));
    }

    /// Standard error is one JSON object a line too.
    fn aside(&self, kind: &str, text: &str) {
        self.say(&sorted(json!({ "schema": JSON_SCHEMA, kind: text })));
    }

    fn say(&self, text: &str) {
        // When nobody reads standard error there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says why a command failed, and how the process ends.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        if !failure.silent {
            if self.json {
                failure::json_failure(failure);
            } else {
                self.say(&failure::human(failure, self.error_style()));
            }
        }
        failure.exit
    }
}
