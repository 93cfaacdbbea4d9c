//! Why a command failed, in the one shape that is rendered for people and for machines.

use std::error::Error as StdError;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use anyport::manifest::{Diagnostic, Diagnostics};
use anyport::{Error, ErrorKind, package};

use crate::exit::Exit;

/// Why a command failed. One word wide: results are passed around a lot.
#[derive(Debug)]
pub(crate) struct Failure(Box<Facts>);

/// What there is to say about a failure.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Stable for machines.
    pub code: String,
    /// What was tried, on what, and why it failed.
    pub message: String,
    /// What lies underneath, outermost first.
    pub causes: Vec<String>,
    /// Lines that others wrote: a stack, the last log lines, a compiler's text.
    pub attachments: Vec<Attachment>,
    /// Places in the manifest.
    pub excerpts: Option<Excerpts>,
    /// What to do next.
    pub next: Option<String>,
    /// How the process ends.
    pub exit: Exit,
    /// Failures of single functions, where several were worked on.
    pub parts: Vec<Failure>,
    /// Nobody reads the output any more: nothing is to be said.
    pub silent: bool,
}

/// Lines that others wrote.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub heading: &'static str,
    pub lines: Vec<String>,
}

/// Places in a text, with what is wrong there.
#[derive(Debug, Clone)]
pub(crate) struct Excerpts {
    pub path: PathBuf,
    pub text: String,
    pub found: Vec<Diagnostic>,
}

impl Failure {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            code: code.into(),
            message: message.into(),
            causes: Vec::new(),
            attachments: Vec::new(),
            excerpts: None,
            next: None,
            exit: Exit::Error,
            parts: Vec::new(),
            silent: false,
        }))
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError) -> Self {
        self.causes = std::iter::once(source.to_string())
            .chain(chain(&source))
            .collect();
        self.say_once();
        self
    }

    pub(crate) fn attach(mut self, heading: &'static str, lines: &[String]) -> Self {
        if !lines.is_empty() {
            // Some runtimes write a stack as one line, with carriage returns in it.
            let lines = lines
                .iter()
                .flat_map(|line| line.trim_end().split(['\r', '\n']))
                .map(str::to_owned);
            self.attachments.push(Attachment {
                heading,
                lines: lines.collect(),
            });
        }
        self
    }

    /// Leaves out causes that only say again what stands above them.
    fn say_once(&mut self) {
        let mut said = self.message.clone();
        self.causes.retain(|cause| {
            let is_new = !said.contains(cause.as_str());
            if is_new {
                said.push('\n');
                said.push_str(cause);
            }
            is_new
        });
    }

    /// Nobody reads standard output any more.
    pub(crate) fn broken_pipe() -> Self {
        let mut failure = Self::new("broken_pipe", "nobody reads the output").exit(Exit::Clean);
        failure.silent = true;
        failure
    }

    /// What is wrong with a manifest.
    pub(crate) fn manifest(path: &Path, text: &str, found: &Diagnostics) -> Self {
        let count = match found.len() {
            1 => "a problem".to_owned(),
            many => format!("{many} problems"),
        };
        let mut failure = Self::new("manifest", format!("{} has {count}", path.display()));
        failure.excerpts = Some(Excerpts {
            path: path.to_owned(),
            text: text.to_owned(),
            found: found.iter().cloned().collect(),
        });
        failure
    }

    /// What is wrong with a file or folder.
    pub(crate) fn file(action: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new("file", format!("cannot {action} {}", path.display())).with_source(error)
    }

    /// Some of several functions failed.
    pub(crate) fn several(done: usize, parts: Vec<Self>) -> Self {
        let exit = if done > 0 || parts.iter().any(|part| part.exit == Exit::Partial) {
            Exit::Partial
        } else if parts.iter().all(|part| part.exit == Exit::Refused) {
            Exit::Refused
        } else {
            Exit::Error
        };
        let failed = parts.len();
        let message = match (done, failed) {
            (0, _) => format!("{failed} functions failed, nothing was done"),
            (done, 1) => format!("1 function failed, {done} done"),
            (done, failed) => format!("{failed} functions failed, {done} done"),
        };
        let mut failure = Self::new("several", message).exit(exit);
        if exit == Exit::Partial {
            failure.next = Some(
                "mend what failed and run the same command again; what is done stays done"
                    .to_owned(),
            );
        }
        failure.parts = parts;
        failure
    }
}

impl Deref for Failure {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The causes underneath.
fn chain(error: &dyn StdError) -> Vec<String> {
    std::iter::successors(error.source(), |&error| error.source())
        .map(ToString::to_string)
        .collect()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut message = error.to_string();
        let next = error.next_step().map(str::to_owned);
        if let Some(next) = &next
            && let Some(rest) = message.strip_suffix(&format!("; {next}"))
        {
            message.truncate(rest.len());
        }
        let exit = match error.kind() {
            ErrorKind::AlreadyExists { .. } | ErrorKind::Forbidden => Exit::Refused,
            ErrorKind::Incomplete { .. } => Exit::Partial,
            _ => Exit::Error,
        };
        let mut failure = Self::new(error.kind().name(), message).exit(exit);
        failure.causes = chain(&error);
        failure.say_once();
        failure.next = next;
        match error.kind() {
            ErrorKind::Function(why) => failure
                .attach("stack", &why.stack)
                .attach("last log lines", &why.logs),
            ErrorKind::RolloutFailed(why) => failure.attach("last log lines", &why.logs),
            _ => failure,
        }
    }
}

impl From<package::Error> for Failure {
    fn from(error: package::Error) -> Self {
        match &error {
            package::Error::Refused { path, refusals } => {
                let mut failure = Self::new("artifact", format!("{} is refused", path.display()));
                failure.causes = refusals
                    .as_slice()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                if refusals.more() > 0 {
                    failure.causes.push(format!("and {} more", refusals.more()));
                }
                failure
            }
            package::Error::Cargo { package, problem } => {
                let lines: Vec<String> = problem.lines().map(str::to_owned).collect();
                if let [only] = lines.as_slice() {
                    return Self::new(
                        "build",
                        format!("cannot build `{package}` with cargo: {only}"),
                    );
                }
                Self::new("build", format!("cannot build `{package}` with cargo"))
                    .attach("cargo says", &lines)
            }
            other => {
                let mut failure = Self::new("artifact", other.to_string());
                failure.causes = chain(other);
                failure.say_once();
                failure
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_twice() {
        let inner = std::io::Error::other("boom at import");
        let outer = Failure::new("a", "cannot start v1: boom at import").with_source(inner);
        assert!(outer.causes.is_empty(), "{:?}", outer.causes);
        let other = Failure::new("a", "cannot start v1").with_source(std::io::Error::other("boom"));
        assert_eq!(other.causes, ["boom"]);
    }

    #[test]
    fn a_stack_in_one_line_is_shown_in_lines() {
        let failure = Failure::new("a", "b").attach("stack", &["one\r  two\r\n".to_owned()]);
        assert_eq!(failure.attachments[0].lines, ["one", "  two"]);
    }
}
