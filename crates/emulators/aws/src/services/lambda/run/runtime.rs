//! Which interpreter a runtime means on this machine.

use std::fmt;
use std::path::PathBuf;

use anyport_engine::{Engine, Interpreters, Language, Launch};

use crate::services::lambda::version::VersionConfig;

/// How a function is started.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) launch: Launch,
    /// The interpreter, where it is a certain one.
    pub(crate) interpreter: Option<PathBuf>,
}

/// A runtime that this machine can't run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Such as `python3.12`.
    pub(crate) runtime: String,
    reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The runtime {} can't be run here: {}",
            self.runtime, self.reason
        )
    }
}

/// What a runtime's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    /// An executable `bootstrap`.
    Provided,
    /// A language and its version as interpreters are told by it: `3.12`, `20`.
    Managed(Language, &'a str),
}

fn kind(runtime: &str) -> Option<Kind<'_>> {
    if runtime == "provided" || runtime.starts_with("provided.") {
        return Some(Kind::Provided);
    }
    if let Some(version) = runtime.strip_prefix("python") {
        return Some(Kind::Managed(Language::Python, version));
    }
    let version = runtime.strip_prefix("nodejs")?.strip_suffix(".x")?;
    Some(Kind::Managed(Language::Node, version))
}

/// Whether the runtime brings its own client of the Runtime API: what OS-only ones don't.
pub(crate) fn is_managed(runtime: &str) -> bool {
    !matches!(kind(runtime), Some(Kind::Provided))
}

/// How to start a function of this runtime.
///
/// # Errors
/// There is no interpreter of exactly that version, or the embedded AWS does not know the runtime.
pub(crate) async fn find(
    engine: &Engine,
    interpreters: &Interpreters,
    config: &VersionConfig,
) -> Result<Found, Missing> {
    let handler = config.settings.handler.clone();
    let runtime = &config.settings.runtime;
    let interpreter = interpreter(engine, interpreters, runtime).await?;
    let launch = match kind(runtime) {
        Some(Kind::Managed(Language::Python, _)) => Launch::Python { handler },
        Some(Kind::Managed(..)) => Launch::Node { handler },
        _ => Launch::Bootstrap,
    };
    Ok(Found {
        launch,
        interpreter,
    })
}

/// The interpreter for this runtime; `None` where none is needed. What is found is remembered.
///
/// # Errors
/// As [`find`].
pub(crate) async fn interpreter(
    engine: &Engine,
    interpreters: &Interpreters,
    runtime: &str,
) -> Result<Option<PathBuf>, Missing> {
    let missing = |reason: String| Missing {
        runtime: runtime.to_owned(),
        reason,
    };
    let (language, version) = match kind(runtime) {
        None => {
            return Err(missing(
                "the embedded AWS runs provided.*, python3.* and nodejs*".to_owned(),
            ));
        }
        Some(Kind::Provided) => return Ok(None),
        Some(Kind::Managed(language, version)) => (language, version),
    };
    let (given, name, what) = match language {
        Language::Python => (&interpreters.python, format!("python{version}"), "Python"),
        _ => (&interpreters.node, format!("node{version}"), "Node.js"),
    };
    for candidate in [given.clone(), PathBuf::from(name)] {
        if let Ok(found) = engine.interpreter(language, Some(&candidate)).await
            && found.version == version
        {
            return Ok(Some(candidate));
        }
    }
    Err(missing(format!(
        "no {what} {version} was found; install it or use the runtime of a version that is installed"
    )))
}

/// The runtime's name as log lines have it: `python:3.12`, `nodejs:20`, `provided:al2023`.
pub(crate) fn shown(runtime: &str) -> String {
    match kind(runtime) {
        Some(Kind::Managed(Language::Python, version)) => format!("python:{version}"),
        Some(Kind::Managed(_, version)) => format!("nodejs:{version}"),
        _ => runtime.replacen('.', ":", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_told_apart() {
        assert_eq!(kind("provided.al2023"), Some(Kind::Provided));
        assert_eq!(
            kind("python3.12"),
            Some(Kind::Managed(Language::Python, "3.12"))
        );
        assert_eq!(
            kind("nodejs20.x"),
            Some(Kind::Managed(Language::Node, "20"))
        );
        assert_eq!(kind("java21"), None);
        assert_eq!(shown("python3.12"), "python:3.12");
        assert_eq!(shown("nodejs20.x"), "nodejs:20");
        assert_eq!(shown("provided.al2023"), "provided:al2023");
        assert!(is_managed("python3.12") && !is_managed("provided.al2023"));
    }
}
