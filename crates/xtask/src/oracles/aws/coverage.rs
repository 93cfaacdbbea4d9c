//! `crates/emulators/aws/SEEN.md`: which operations and errors of the vendor's models boto3 has seen.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyport_emulator_aws::ServedOperation;
use serde_json::Value;

use super::drive::Seen;
use crate::commands::Failure;

/// Compares the table with what was seen, or writes it.
///
/// # Errors
/// Where it differs, where an operation of Lambda is served that boto3 never got an answer of.
pub(super) fn check(seen: &Seen, write: bool) -> Result<String, Failure> {
    let served: Vec<_> = anyport_emulator_aws::served().collect();
    let missed: Vec<_> = served
        .iter()
        .filter(|one| one.service == "lambda" && calls(seen, one).is_none())
        .map(|one| one.operation)
        .collect();
    if !missed.is_empty() {
        return Err(format!("served and never called: {}", missed.join(", ")).into());
    }
    let table = table(seen, &served)?;
    let path = emulator().join("SEEN.md");
    if write {
        std::fs::write(&path, &table)?;
        return Ok(format!("written to {}", path.display()));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept == table {
        let errors: usize = seen
            .get("lambda")
            .into_iter()
            .flat_map(|all| all.values())
            .map(|calls| calls.errors.len())
            .sum();
        return Ok(format!("{errors} errors of Lambda's operations seen"));
    }
    let differs: Vec<_> = table
        .lines()
        .filter(|line| !kept.lines().any(|old| old == *line))
        .collect();
    Err(format!(
        "{} is not what was seen; `cargo xtask oracles aws --write` writes it:\n{}",
        path.display(),
        differs.join("\n")
    )
    .into())
}

fn calls<'a>(seen: &'a Seen, one: &ServedOperation) -> Option<&'a super::drive::Calls> {
    seen.get(one.service)?.get(one.operation)
}

fn emulator() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulators/aws")
}

fn table(seen: &Seen, served: &[ServedOperation]) -> Result<String, Failure> {
    let mut text = String::from(
        "# What a vendor's client saw\n\n\
         Written by `cargo xtask oracles aws --write`: boto3 drives every operation of Lambda that is served, and each answer, \
         errors too, is held against the model in botocore. What the model lists for each is in [COVERAGE.md](COVERAGE.md). The errors of a model that are about what is not served here \
         (networks, file systems, keys, images, snapshots) cannot be seen.\n\n## Lambda\n\n\
         | operation | served | errors of the model, seen | common errors, seen |\n|---|---|---|---|\n",
    );
    for name in names("lambda")? {
        let one = served
            .iter()
            .find(|one| one.service == "lambda" && one.operation == name);
        let Some(one) = one else {
            writeln!(text, "| `{name}` | no | | |")?;
            continue;
        };
        let errors: BTreeSet<&str> = calls(seen, one)
            .iter()
            .flat_map(|calls| calls.errors.iter().map(String::as_str))
            .collect();
        let (own, common): (Vec<&str>, Vec<&str>) =
            errors.iter().partition(|code| one.errors.contains(code));
        writeln!(
            text,
            "| `{name}` | yes | {} | {} |",
            own.join(", "),
            common.join(", ")
        )?;
    }
    text += "\n## The services around it\n\n| service | operations | served | driven by boto3 | of these without an error |\n|---|---|---|---|---|\n";
    for service in ["s3", "sqs", "sts", "iam", "logs"] {
        let ours: Vec<_> = served.iter().filter(|one| one.service == service).collect();
        let driven: Vec<_> = ours.iter().filter_map(|one| calls(seen, one)).collect();
        let fine = driven.iter().filter(|calls| calls.results > 0).count();
        writeln!(
            text,
            "| `{service}` | {} | {} | {} | {fine} |",
            names(service)?.len(),
            ours.len(),
            driven.iter().filter(|calls| calls.calls > 0).count(),
        )?;
    }
    Ok(text)
}

/// All operations of a service, served or not.
fn names(service: &str) -> Result<Vec<String>, Failure> {
    let path = emulator()
        .join("model")
        .join(service)
        .with_extension("json");
    let model: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let operations = model["operations"]
        .as_object()
        .ok_or("the model has no operations")?;
    Ok(operations.keys().cloned().collect())
}
