//! Which language runtimes this machine has.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyport_core::spec::Family;
use tokio::process::Command;

/// An interpreter that was found and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    family: Family,
    /// The version as bundles name it: `3.11`, `20`.
    version: String,
    /// The program itself, without wrappers that choose one.
    pub(crate) program: PathBuf,
}

impl Interpreter {
    /// The runtimes that a bundle may name and this interpreter is.
    pub(crate) fn names(&self) -> Vec<String> {
        let version = &self.version;
        match self.family {
            Family::Node => vec![format!("nodejs{version}"), format!("nodejs{version}.x")],
            _ => vec![format!("python{version}")],
        }
    }

    /// Asks a program which interpreter it is. `None` when it is not there or does not answer as one.
    pub(crate) async fn find(family: Family, program: &Path) -> Option<Self> {
        let script: &[&str] = match family {
            Family::Node => &["-p", "process.versions.node + '\\n' + process.execPath"],
            _ => &[
                // Without the site packages it answers in a tenth of the time.
                "-ISc",
                "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)",
            ],
        };
        let answer = Command::new(program)
            .args(script)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let answer = tokio::time::timeout(std::time::Duration::from_secs(10), answer);
        let answer = answer.await.ok()?.ok()?;
        if !answer.status.success() {
            return None;
        }
        Self::read(family, &String::from_utf8(answer.stdout).ok()?)
    }

    fn read(family: Family, answer: &str) -> Option<Self> {
        let (version, program) = answer.trim_end().split_once('\n')?;
        let version = match family {
            Family::Node => version.split('.').next()?,
            _ => version.strip_prefix("3.").map(|_| version)?,
        };
        let program = PathBuf::from(program);
        program.is_absolute().then(|| Self {
            family,
            version: version.to_owned(),
            program,
        })
    }
}

/// The interpreters of this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runtimes {
    pub(crate) python: Option<Interpreter>,
    pub(crate) node: Option<Interpreter>,
}

impl Runtimes {
    /// Looks for both.
    pub(crate) async fn find(python: &Path, node: &Path) -> Self {
        let (python, node) = tokio::join!(
            Interpreter::find(Family::Python, python),
            Interpreter::find(Family::Node, node)
        );
        Self { python, node }
    }

    /// Every runtime that a bundle may name here.
    pub(crate) fn names(&self) -> Vec<String> {
        let found = self.python.iter().chain(&self.node);
        found.flat_map(Interpreter::names).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_others_are_not_interpreters() {
        let python = Interpreter::read(Family::Python, "3.11\n/usr/bin/python3.11\n").unwrap();
        assert_eq!(python.names(), ["python3.11"]);
        let node = Interpreter::read(Family::Node, "20.20.2\n/usr/bin/node\n").unwrap();
        assert_eq!(node.names(), ["nodejs20", "nodejs20.x"]);
        for (family, answer) in [
            (Family::Python, "2.7\n/usr/bin/python2\n"),
            (Family::Python, ""),
            (Family::Node, "20.0.0\nnode\n"),
        ] {
            assert_eq!(Interpreter::read(family, answer), None, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_not_found() {
        assert_eq!(
            Interpreter::find(Family::Python, Path::new("/nonexistent/python")).await,
            None
        );
        assert_eq!(
            Interpreter::find(Family::Python, Path::new("/bin/false")).await,
            None
        );
    }
}
