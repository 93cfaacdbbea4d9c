//! A folder of its own for each test, with a state folder, and the executable started in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use crate::scrub::scrub;

pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::Builder::new().prefix("cli").tempdir().unwrap(),
        }
    }

    /// With this manifest.
    pub(crate) fn with(manifest: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("anyport.toml", manifest);
        sandbox
    }

    /// With the probe deployed from a manifest that has these lines in its function.
    pub(crate) fn with_probe(lines: &str) -> Self {
        Self::with(&probe_manifest("shop", lines))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The target's state: what was sent anywhere is in it.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anyport"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env("ANYPORT_STATE", self.state())
            .stdin(Stdio::null());
        // Where the user's own Rust is, although the home is another.
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let own = std::env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from);
            command.env(name, own);
        }
        for name in ["CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it and returns everything a user sees, without what differs from run to run.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let shown: Vec<String> = arguments
            .iter()
            .map(|argument| {
                if argument.contains([' ', '{']) {
                    format!("'{argument}'")
                } else {
                    (*argument).to_owned()
                }
            })
            .collect();
        format!(
            "$ anyport {}\n{}",
            shown.join(" "),
            self.seen(&self.output(arguments))
        )
    }

    /// Runs several, one after the other.
    pub(crate) fn session(&self, commands: &[&[&str]]) -> String {
        commands
            .iter()
            .map(|arguments| self.run(arguments))
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn seen(&self, output: &Output) -> String {
        let mut text = match output.status.code() {
            Some(code) => format!("exit: {code}\n"),
            None => format!("{}\n", output.status),
        };
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let stream = scrub(&String::from_utf8_lossy(bytes), self.folder.path());
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", stream.trim_end_matches('\n')));
            }
        }
        text
    }

    /// Runs it, requires this exit code, and returns standard output.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(code), "{}", self.seen(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts it and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// A manifest of `app` with one function, `probe`, that has these lines.
pub(crate) fn probe_manifest(app: &str, lines: &str) -> String {
    format!(
        "schema = 1\napp = \"{app}\"\n[env.dev.at]\nhere = \"local://\"\n[function.probe]\nsource = {{ bin = {:?} }}\n{lines}\n",
        probe()
    )
}

/// The probe function's executable, built once.
pub(crate) fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| anyport_testkit::build_probe().unwrap())
}

/// Whether a program is there. Where the environment says that it must be, its absence is a failure.
pub(crate) fn has(program: &str) -> bool {
    let there = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        let required = std::env::var("ANYPORT_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|one| one == program),
            "{program} is required and not there"
        );
        println!("not run: no {program}");
    }
    there
}
