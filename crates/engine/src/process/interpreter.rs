//! Finding the interpreters of language bundles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;

use crate::error::StartFailureKind;
use crate::spec::{Interpreter, Language};

/// Remembers where interpreters are. What is missing is looked for again each time.
#[derive(Default)]
pub(crate) struct Finder {
    found: Mutex<HashMap<PathBuf, Interpreter>>,
}

impl Language {
    /// Arguments that make an interpreter print its own path and its version, a line each.
    fn query(self) -> [&'static str; 2] {
        match self {
            Self::Python => [
                "-c",
                "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])",
            ],
            Self::Node => [
                "-e",
                "console.log(process.execPath); console.log(process.versions.node.split('.')[0])",
            ],
        }
    }
}

/// How long an interpreter may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(20);

impl Finder {
    /// The real program behind `name`.
    ///
    /// Version managers put a shim on the `PATH` that needs its owner's environment and is slow, so the
    /// interpreter itself is asked once, in this process's environment, where it is.
    pub(crate) async fn find(
        &self,
        name: &Path,
        language: Language,
        path: &str,
    ) -> Result<Interpreter, StartFailureKind> {
        let mut found = self.found.lock().await;
        if let Some(interpreter) = found.get(name)
            && interpreter.program.is_file()
        {
            return Ok(interpreter.clone());
        }
        let missing = |searched: String| StartFailureKind::MissingInterpreter {
            name: name.display().to_string(),
            searched,
        };
        let shim =
            look_up(name, path).ok_or_else(|| missing(format!("looked on the PATH {path}")))?;
        let asked = Command::new(&shim)
            .args(language.query())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, asked)
            .await
            .map_err(|_| missing(format!("{} did not answer", shim.display())))?
            .map_err(|error| missing(format!("{}: {error}", shim.display())))?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let mut lines = answer.lines().map(str::trim);
        let program = PathBuf::from(lines.next().unwrap_or_default());
        if !output.status.success() || !program.is_file() {
            return Err(missing(format!("{} does not run", shim.display())));
        }
        let interpreter = Interpreter {
            program,
            version: lines.next().unwrap_or_default().to_owned(),
        };
        found.insert(name.to_owned(), interpreter.clone());
        Ok(interpreter)
    }
}

/// The file that `name` stands for: itself if it has a slash, else the first on `path`.
pub(crate) fn look_up(name: &Path, path: &str) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_owned());
    }
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}
