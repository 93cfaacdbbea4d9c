//! Builds a function's executable with cargo.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use crate::error::Error;

/// As much of the compiler's text as an error keeps: its last part, which says why it stopped.
const KEPT: usize = 32 * 1024;

/// A build of one package's executable.
///
/// ```no_run
/// # fn main() -> Result<(), anyport_package::Error> {
/// let built = anyport_package::CargoBuild::new("thumbnails").run(&mut |line| eprintln!("{line}"))?;
/// anyport_package::Packer::default().file(&built, "target/thumbnails.zip".as_ref())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CargoBuild {
    package: String,
    binary: Option<String>,
    profile: String,
    target: Option<String>,
    folder: Option<PathBuf>,
    target_folder: Option<PathBuf>,
    cargo: PathBuf,
}

impl CargoBuild {
    /// A release build of `package`, found from the current folder, for this machine.
    pub fn new(package: impl Into<String>) -> Self {
        Self {
            package: package.into(),
            binary: None,
            profile: "release".to_owned(),
            target: None,
            folder: None,
            target_folder: None,
            cargo: "cargo".into(),
        }
    }

    /// Names the binary, for a package with several.
    pub fn binary(mut self, name: impl Into<String>) -> Self {
        self.binary = Some(name.into());
        self
    }

    /// Builds with another profile than `release`.
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = profile.into();
        self
    }

    /// Builds for another machine, by its target triple, such as `aarch64-unknown-linux-musl`.
    pub fn target(mut self, triple: impl Into<String>) -> Self {
        self.target = Some(triple.into());
        self
    }

    /// Builds in another folder than the current one.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Puts what is built here instead of where cargo puts it by itself.
    pub fn target_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.target_folder = Some(folder.into());
        self
    }

    /// Uses this cargo instead of the one on the path.
    pub fn cargo(mut self, program: impl Into<PathBuf>) -> Self {
        self.cargo = program.into();
        self
    }

    /// Builds and returns the executable. `progress` gets what cargo says, line by line.
    ///
    /// # Errors
    /// [`Error::Cargo`] with the compiler's own text where the build fails, and where the package
    /// has no executable or several; [`Error::Io`] where cargo cannot be started.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, Error> {
        let mut child = self
            .command()
            .spawn()
            .map_err(Error::io("start", &self.cargo))?;
        let (executables, text) = self.follow(&mut child, progress)?;
        let status = child.wait().map_err(Error::io("wait for", &self.cargo))?;
        if status.success() {
            self.choose(executables)
        } else {
            Err(self.failed(text.trim_end()))
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        // `--flag=value` throughout: a value that starts with a dash stays a value.
        command
            .arg("build")
            .arg(format!("--package={}", self.package))
            .arg(format!("--profile={}", self.profile))
            .arg("--message-format=json-render-diagnostics")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match &self.binary {
            Some(binary) => command.arg(format!("--bin={binary}")),
            None => command.arg("--bins"),
        };
        if let Some(triple) = &self.target {
            command.arg(format!("--target={triple}"));
        }
        if let Some(folder) = &self.target_folder {
            command.arg("--target-dir").arg(folder);
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Reads both outputs of cargo to their end.
    fn follow(
        &self,
        child: &mut Child,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(Vec<Executable>, String), Error> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // Messages are read beside the text: a full pipe would stop cargo.
        std::thread::scope(|scope| {
            let messages = scope.spawn(|| stdout.map(executables).unwrap_or_default());
            let mut text = String::new();
            for line in stderr
                .into_iter()
                .flat_map(|pipe| BufReader::new(pipe).split(b'\n'))
            {
                let line = line.map_err(Error::io("read the output of", &self.cargo))?;
                let line = String::from_utf8_lossy(&line);
                progress(&line);
                text.push_str(&line);
                text.push('\n');
                if text.len() > 2 * KEPT {
                    keep_end(&mut text);
                }
            }
            keep_end(&mut text);
            Ok((messages.join().unwrap_or_default(), text))
        })
    }

    fn choose(&self, mut found: Vec<Executable>) -> Result<PathBuf, Error> {
        if let [only] = found.as_mut_slice() {
            return Ok(std::mem::take(&mut only.path));
        }
        // One that is named like its package is the package's main program.
        if let Some(main) = found.iter().find(|program| program.name == self.package) {
            return Ok(main.path.clone());
        }
        let names: Vec<_> = found.iter().map(|program| program.name.as_str()).collect();
        Err(self.failed(&if names.is_empty() {
            "it has no executable; a function needs a `src/main.rs`".to_owned()
        } else {
            format!(
                "it has several executables ({}); name the one to pack",
                names.join(", ")
            )
        }))
    }

    fn failed(&self, problem: &str) -> Error {
        Error::Cargo {
            package: self.package.clone(),
            problem: problem.to_owned(),
        }
    }
}

#[derive(Debug)]
struct Executable {
    name: String,
    path: PathBuf,
}

/// The part of cargo's messages that says where an executable is.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

fn executables(pipe: impl Read) -> Vec<Executable> {
    let lines = BufReader::new(pipe).split(b'\n').map_while(Result::ok);
    // Lines of other kinds may come from build scripts, and are none of our business.
    lines
        .filter_map(|line| serde_json::from_slice(&line).ok())
        .filter_map(executable)
        .collect()
}

fn executable(message: Message) -> Option<Executable> {
    let target = message.target?;
    let binary =
        message.reason == "compiler-artifact" && target.kind.iter().any(|kind| kind == "bin");
    let path = message.executable.filter(|_| binary)?;
    Some(Executable {
        name: target.name,
        path,
    })
}

fn keep_end(text: &mut String) {
    if let Some(cut) = text.len().checked_sub(KEPT) {
        let start = text.as_bytes()[cut..]
            .iter()
            .position(|byte| *byte == b'\n');
        text.drain(..start.map_or(text.len(), |line| cut + line + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn only_binaries_count_among_the_messages() {
        let lines = br#"
{"reason":"compiler-artifact","target":{"name":"dep","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"build-script-build","kind":["custom-build"]},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"app","kind":["bin"]},"executable":"/t/app"}
{"reason":"build-finished","success":true}
"#;
        let found = executables(&lines[..]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].path.as_path()),
            ("app", Path::new("/t/app"))
        );
    }

    #[test]
    fn the_end_of_a_long_text_is_kept_at_a_line() {
        let mut text = "line\n".repeat(KEPT);
        keep_end(&mut text);
        assert!(text.len() <= KEPT && text.starts_with("line\n"));
        let mut long = "x".repeat(2 * KEPT);
        keep_end(&mut long);
        assert_eq!(long, "");
    }
}
