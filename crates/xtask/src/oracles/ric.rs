//! The engine's built-in Python and Node clients, compared with AWS's own by the engine's tests.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::report::Report;
use super::run;
use super::{Cache, peers};
use crate::commands::Failure;

/// Runs the comparisons with AWS's clients in place, and holds them to having run.
pub(crate) fn check(cache: &Cache, report: &mut Report) {
    let began = Instant::now();
    let outcome = compare(cache);
    report.line("ric", "our bundle clients beside AWS's own", began, outcome);
}

fn compare(cache: &Cache) -> Result<String, Failure> {
    // Whoever set this has installed them.
    let clients = match std::env::var_os("ANYPORT_RIC_DIR").map(PathBuf::from) {
        Some(clients) => clients,
        None => peers::runtime_clients(cache)?,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = run(Command::new(cargo)
        .args(["test", "--package", "anyport-engine", "--test", "it"])
        .args(["bundles", "--", "--nocapture", "--color", "never"])
        .env("ANYPORT_RIC_DIR", clients)
        .env("ANYPORT_REQUIRE", "python3,node")
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    if let Some(line) = said.lines().find(|line| line.contains("not run:")) {
        return Err(line.to_owned().into());
    }
    said.lines()
        .find(|line| line.starts_with("test result: ok.") && !line.contains(" 0 passed"))
        .map(|line| {
            line.split(';')
                .next()
                .unwrap_or(line)
                .replace("test result: ok. ", "")
        })
        .ok_or_else(|| "no comparison ran".into())
}
