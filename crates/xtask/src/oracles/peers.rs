//! Programs of others, and functions written for others, ready to be deployed: what is in `peers`, with its dependencies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyport_package::CargoBuild;

use super::Cache;
use super::run;
use crate::commands::Failure;

/// AWS's emulator of the Runtime API comes inside the wheel of their command line tool.
const SAM: &str = "aws-sam-cli==1.170.0 \
    --hash=sha256:24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf";
/// AWS's runtime client for Python, with what it needs.
const PYTHON_RIC: &str = "awslambdaric==4.2.2";
/// AWS's runtime client for Node.js. It is compiled here, which needs a C++ compiler, make, cmake, autoconf, automake and libtool.
const NODE_RIC: &str = "aws-lambda-ric@3.3.0";

/// What deploys and serves Rust functions for Lambda. The compiler that it brings for other platforms is not needed.
#[cfg(feature = "aws")]
const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";
/// A cloud on one port, with what it needs.
#[cfg(feature = "aws")]
const MINISTACK: &str = "ministack==1.5.33";

/// A folder in `peers`.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}

/// The Python function with its dependency.
pub(crate) fn python(cache: &Cache) -> Result<PathBuf, Failure> {
    let from = source("python");
    let pins = fs::read_to_string(from.join("requirements.txt"))?;
    let handler = fs::read_to_string(from.join("app.py"))?;
    cache.once("python", &(pins + &handler), |to| {
        pip(to, &["--no-deps", "--require-hashes", "--requirement"])
            .arg(from.join("requirements.txt"))
            .run()?;
        fs::copy(from.join("app.py"), to.join("app.py"))?;
        Ok(())
    })
}

/// The Node function with its dependencies.
pub(crate) fn node(cache: &Cache) -> Result<PathBuf, Failure> {
    let from = source("node");
    let files = ["package.json", "package-lock.json", "index.js"];
    let mut pins = String::new();
    for file in files {
        pins += &fs::read_to_string(from.join(file))?;
    }
    cache.once("node", &pins, |to| {
        for file in files {
            fs::copy(from.join(file), to.join(file))?;
        }
        npm(to, &["ci", "--ignore-scripts"])
    })
}

/// A Rust peer's executable, built with its own lock file.
pub(crate) fn cargo(cache: &Cache, name: &str) -> Result<PathBuf, Failure> {
    build(
        CargoBuild::new(name)
            .folder(source(name))
            .target_folder(cache.folder("peers")),
    )
}

/// A release build of a package of this workspace.
pub(crate) fn ours(package: &str) -> Result<PathBuf, Failure> {
    build(CargoBuild::new(package).folder(env!("CARGO_MANIFEST_DIR")))
}

/// A release build of one of the programs of a package of this workspace.
pub(crate) fn ours_named(package: &str, binary: &str) -> Result<PathBuf, Failure> {
    build(
        CargoBuild::new(package)
            .binary(binary)
            .folder(env!("CARGO_MANIFEST_DIR")),
    )
}

/// A release build of the suite's probe function.
pub(crate) fn probe() -> Result<PathBuf, Failure> {
    ours_named("anyport-testkit", "anyport-probe")
}

fn build(cargo: CargoBuild) -> Result<PathBuf, Failure> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Ok(cargo.cargo(program).run(&mut |_| {})?)
}

/// A folder with both of AWS's runtime clients, made for the interpreters here: their machine code belongs to one version of each.
pub(crate) fn runtime_clients(cache: &Cache) -> Result<PathBuf, Failure> {
    let python = "import sys; print(sys.implementation.cache_tag)";
    let python = run(Command::new("python3").args(["-c", python]))?;
    let node = run(Command::new("node").args(["-p", "process.versions.modules"]))?;
    cache.once(
        "ric",
        &[PYTHON_RIC, NODE_RIC, &python, &node].concat(),
        |to| {
            pip(to, &[PYTHON_RIC]).run()?;
            npm(to, &["install", NODE_RIC])?;
            if !to
                .join("node_modules/aws-lambda-ric/dist/rapid-client.node")
                .is_file()
            {
                return Err("npm did not build its machine code".into());
            }
            Ok(())
        },
    )
}

/// AWS's Runtime Interface Emulator.
pub(crate) fn emulator(cache: &Cache) -> Result<PathBuf, Failure> {
    let folder = cache.once("rie", SAM, |to| {
        let pins = to.join("requirements.txt");
        fs::write(&pins, SAM)?;
        run(Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-deps", "--require-hashes", "--requirement"])
            .arg(&pins)
            .arg("--dest")
            .arg(to))?;
        let wheel = fs::read_dir(to)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|end| end == "whl"))
            .ok_or("pip downloaded no wheel")?;
        let inside = format!("samcli/local/rapid/aws-lambda-rie-{}", machine());
        let take = "import os, sys, zipfile; \
             data = zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]); \
             open(sys.argv[3], 'wb').write(data); os.chmod(sys.argv[3], 0o755)";
        run(Command::new("python3")
            .args(["-c", take])
            .arg(&wheel)
            .arg(inside)
            .arg(to.join("rie")))?;
        fs::remove_file(wheel)?;
        Ok(())
    })?;
    Ok(folder.join("rie"))
}

/// The `cargo-lambda` executable.
#[cfg(feature = "aws")]
pub(crate) fn cargo_lambda(cache: &Cache) -> Result<PathBuf, Failure> {
    let folder = cache.once("cargo-lambda", CARGO_LAMBDA, |to| {
        pip(to, &["--no-deps", CARGO_LAMBDA]).run()
    })?;
    Ok(folder.join("bin/cargo-lambda"))
}

/// A folder with ministack's packages, for `PYTHONPATH`: `python3 -m ministack` runs it.
#[cfg(feature = "aws")]
pub(crate) fn ministack(cache: &Cache) -> Result<PathBuf, Failure> {
    let python = "import sys; print(sys.implementation.cache_tag)";
    let python = run(Command::new("python3").args(["-c", python]))?;
    cache.once("ministack", &[MINISTACK, &python].concat(), |to| {
        pip(to, &[MINISTACK]).run()
    })
}

fn machine() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// A pip installation into one folder.
struct Pip(Command);

fn pip(target: &Path, arguments: &[&str]) -> Pip {
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--no-compile", "--root-user-action", "ignore"])
        .arg("--target")
        .arg(target)
        .args(arguments);
    Pip(command)
}

impl Pip {
    fn arg(mut self, argument: PathBuf) -> Self {
        self.0.arg(argument);
        self
    }

    fn run(mut self) -> Result<(), Failure> {
        run(&mut self.0).map(drop)
    }
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    run(Command::new("npm")
        .args(arguments)
        .args(["--no-audit", "--no-fund", "--loglevel", "error"])
        .current_dir(folder))
    .map(drop)
}
