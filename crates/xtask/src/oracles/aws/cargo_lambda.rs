//! cargo-lambda, a deployer of Rust functions by others: deploys, calls and updates a function that is built with AWS's runtime crate.

use std::process::Command;
use std::time::{Duration, Instant};

use super::super::report::Report;
use super::super::{Cache, peers, run};
use super::cloud::Clouds;
use super::install;
use crate::commands::Failure;

/// How long a function may take to become active.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the life; one line.
pub(super) fn check(cache: &Cache, clouds: &Clouds, report: &mut Report) {
    let began = Instant::now();
    let outcome = tell(cache, clouds);
    report.line(
        "aws",
        "cargo-lambda: deploy, invoke, deploy",
        began,
        outcome,
    );
}

fn tell(cache: &Cache, clouds: &Clouds) -> Result<String, Failure> {
    let tool = install::cargo_lambda(cache)?;
    let home = tempfile::Builder::new()
        .prefix("anyport-cargo-lambda-")
        .tempdir()?;
    let program = home.path().join("bootstrap");
    std::fs::copy(peers::cargo(cache, "lambda-runtime-fn")?, &program)?;
    let lambda = |arguments: &[&str]| {
        let mut command = Command::new(&tool);
        clouds.sign_in(&mut command);
        run(command
            .arg("lambda")
            .args(arguments)
            .args(["--endpoint-url", clouds.endpoint()])
            // It asks cargo about the package, though it builds nothing.
            .current_dir(peers::source("lambda-runtime-fn")))
    };
    let path = program.to_string_lossy();
    // Without `--role`, it makes one, and waits until Lambda may assume it.
    let deploy = ["deploy", "oracle-cargo-lambda", "--binary-path", &path];
    lambda(&[&deploy[..], &["--env-var", "GREETING=good day"]].concat())?;
    let call = [
        "invoke",
        "oracle-cargo-lambda",
        "--remote",
        "--data-ascii",
        r#"{"name":"Ada"}"#,
    ];
    let answer = patiently(|| lambda(&call))?;
    if !answer.contains("Ada") {
        return Err(format!("it answered {answer}").into());
    }
    lambda(&[&deploy[..], &["--memory", "512", "--timeout", "7"]].concat())?;
    let again = patiently(|| lambda(&call))?;
    if again.contains("Ada") {
        return Ok(format!("answered {}", answer.trim()));
    }
    Err(format!("after an update, it answered {again}").into())
}

/// A function is not called before it is active, which this tool does not wait for.
fn patiently(call: impl Fn() -> Result<String, Failure>) -> Result<String, Failure> {
    let began = Instant::now();
    loop {
        match call() {
            Err(why) if why.to_string().contains("Pending") && began.elapsed() < PATIENCE => {}
            outcome => return outcome,
        }
    }
}
