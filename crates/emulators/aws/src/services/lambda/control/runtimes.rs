//! Runtimes: which there are, and which of them can run here.

use std::path::{Path, PathBuf};

use anyport_engine::{Engine, Interpreter, Language};

use crate::answer::ApiError;

use super::super::errors;

/// How a runtime's functions are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Launcher {
    /// By the executable `bootstrap`.
    Bootstrap,
    /// By this interpreter.
    Interpreted(Language, Interpreter),
}

/// Runtimes that functions can't be created with any more. Source: Lambda developer guide, runtime
/// deprecation policy.
const BLOCKED: &[&str] = &[
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
];

/// Refuses a runtime that new code can't be deployed for.
///
/// # Errors
/// It is deprecated, or not one that any embedded cloud runs.
pub(super) fn check(runtime: &str) -> Result<(), ApiError> {
    if BLOCKED.contains(&runtime) {
        return Err(errors::invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    Ok(())
}

/// The language of an interpreted runtime and its version as an interpreter tells it.
fn interpreted(runtime: &str) -> Option<(Language, &str)> {
    if let Some(version) = runtime.strip_prefix("python") {
        return Some((Language::Python, version));
    }
    let version = runtime.strip_prefix("nodejs")?.strip_suffix(".x")?;
    Some((Language::Node, version))
}

/// How functions of this runtime are started on this machine.
///
/// # Errors
/// They can't be: what is missing.
pub(crate) async fn launcher(engine: &Engine, runtime: &str) -> Result<Launcher, ApiError> {
    if matches!(runtime, "provided.al2" | "provided.al2023") {
        return Ok(Launcher::Bootstrap);
    }
    let Some((language, version)) = interpreted(runtime) else {
        return Err(errors::invalid(format!(
            "The runtime {runtime} can't run here: the embedded AWS runs provided.al2023, provided.al2, and those python3.* and nodejs* runtimes whose interpreters are on this machine."
        )));
    };
    let mut found = Vec::new();
    for name in names(language, version) {
        let Ok(interpreter) = engine.interpreter(language, name.as_deref()).await else {
            continue;
        };
        if interpreter.version == version {
            return Ok(Launcher::Interpreted(language, interpreter));
        }
        found.push(interpreter.version);
    }
    let (what, found) = (
        match language {
            Language::Python => "Python",
            _ => "Node.js",
        },
        if found.is_empty() {
            "none was found".to_owned()
        } else {
            format!("found {}", found.join(", "))
        },
    );
    Err(errors::invalid(format!(
        "The runtime {runtime} can't run here: it needs {what} {version} on the PATH of the embedded AWS, and {found}. Install it, or choose another runtime."
    )))
}

/// Under what names to look for an interpreter: the engine's own first, then by version.
fn names(language: Language, version: &str) -> [Option<PathBuf>; 2] {
    let versioned = match language {
        Language::Python => format!("python{version}"),
        _ => format!("node{version}"),
    };
    [None, Some(Path::new(&versioned).to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_name_their_interpreters() {
        assert_eq!(interpreted("python3.12"), Some((Language::Python, "3.12")));
        assert_eq!(interpreted("nodejs22.x"), Some((Language::Node, "22")));
        assert_eq!(interpreted("java21"), None);
    }

    #[test]
    fn deprecated_runtimes_are_refused() {
        assert!(check("nodejs14.x").is_err());
        assert!(check("provided.al2023").is_ok());
    }
}
