//! boto3 tells a function's whole life, and each answer is held against the model before botocore reads it: `drive.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::super::report::Report;
use super::super::{Cache, peers, run};
use super::cloud::Clouds;
use crate::commands::Failure;

/// What was seen of each operation, by service.
pub(super) type Seen = BTreeMap<String, BTreeMap<String, Calls>>;

/// What was seen of one operation.
#[derive(Deserialize)]
pub(super) struct Calls {
    /// How often it was called.
    pub(super) calls: usize,
    /// How often it did not fail.
    pub(super) results: usize,
    /// The codes that it failed with.
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Part {
        part: String,
        found: Vec<String>,
        seen: String,
        seconds: f64,
    },
    Coverage {
        coverage: Seen,
    },
}

/// Runs the story; a line for each part of it.
///
/// # Errors
/// When it did not come to its end.
pub(super) fn check(
    cache: &Cache,
    clients: Result<&Path, String>,
    clouds: &Clouds,
    report: &mut Report,
) -> Result<Seen, Failure> {
    let began = Instant::now();
    let said = clients
        .map_err(Failure::from)
        .and_then(|clients| tell(cache, clients, clouds));
    let said = match said {
        Ok(said) => said,
        Err(why) => {
            report.line("aws", "boto3", began, Err(why));
            return Err("boto3 did not get to the end".into());
        }
    };
    let mut seen = None;
    for line in said.lines() {
        match serde_json::from_str(line)? {
            Line::Coverage { coverage } => seen = Some(coverage),
            Line::Part {
                part,
                found,
                seen,
                seconds,
            } => {
                let took = Duration::from_secs_f64(seconds);
                let began = Instant::now().checked_sub(took).unwrap_or(began);
                let outcome = if found.is_empty() {
                    Ok(seen)
                } else {
                    Err(found.join("\n").into())
                };
                report.line("aws", &format!("boto3: {part}"), began, outcome);
            }
        }
    }
    seen.ok_or_else(|| "boto3 did not get to the end".into())
}

fn tell(cache: &Cache, clients: &Path, clouds: &Clouds) -> Result<String, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oracles/aws/drive.py");
    let served: Vec<_> = anyport_emulator_aws::served()
        .filter(|one| one.service == "lambda")
        .map(|one| one.operation)
        .collect();
    let mut command = Command::new("python3");
    let keys = clouds.sign_in(&mut command);
    run(keys
        .arg(script)
        .env("PYTHONPATH", clients)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ORACLE_ENDPOINT", clouds.endpoint())
        .env("ORACLE_LIMITED_ENDPOINT", clouds.limited_endpoint())
        .env("ORACLE_SERVED", serde_json::to_string(&served)?)
        .env("ORACLE_ACCOUNT", clouds.account())
        .env("ORACLE_RIE", peers::emulator(cache)?)
        .env("ORACLE_BOOTSTRAP", peers::ours("quickstart")?))
}
