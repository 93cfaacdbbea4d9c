//! What is installed for these oracles.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{Cache, run};
use crate::commands::Failure;

/// AWS's SDK for Python and their command line tool, which share one botocore; and an engine for the models' patterns.
const CLIENTS: [&str; 4] = [
    "boto3==1.44.5",
    "botocore==1.44.5",
    "awscli==1.46.3",
    "regex==2026.11.15",
];
/// A deployer of Rust functions. The compiler that it brings for other platforms is not needed.
const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";

/// boto3 and the AWS CLI in one folder.
///
/// # Errors
/// What installing fails with.
pub(super) fn clients(cache: &Cache) -> Result<PathBuf, Failure> {
    let python = interpreter("import sys; print(sys.implementation.cache_tag)")?;
    cache.once("boto3", &(CLIENTS.concat() + &python), |to| {
        pip(to, &CLIENTS)
    })
}

/// cargo-lambda's executable.
///
/// # Errors
/// What installing fails with.
pub(super) fn cargo_lambda(cache: &Cache) -> Result<PathBuf, Failure> {
    let folder = cache.once("cargo-lambda", CARGO_LAMBDA, |to| {
        pip(to, &["--no-deps", CARGO_LAMBDA])
    })?;
    Ok(folder.join("bin/cargo-lambda"))
}

fn interpreter(program: &str) -> Result<String, Failure> {
    run(Command::new("python3").args(["-c", program]))
}

fn pip(to: &Path, packages: &[&str]) -> Result<(), Failure> {
    run(Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-compile"])
        .args(["--disable-pip-version-check", "--root-user-action=ignore"])
        .arg("--target")
        .arg(to)
        .args(packages))
    .map(drop)
}
