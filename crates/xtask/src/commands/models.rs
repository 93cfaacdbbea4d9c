//! `cargo xtask models`: takes from a vendor's service models what an embedded cloud serves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::Failure;
use crate::repo;

/// Where the trimmed models are, and the list of what is served.
const MODELS: &str = "crates/emulators/aws/model";

/// The table of what is served.
const COVERAGE: &str = "crates/emulators/aws/COVERAGE.md";

/// What no model needs that only reads and writes messages.
const DROPPED: [&str; 12] = [
    "documentation",
    "documentationUrl",
    "deprecated",
    "deprecatedMessage",
    "deprecatedSince",
    "synthetic",
    "contextParam",
    "staticContextParams",
    "idempotencyToken",
    "hostLabel",
    "box",
    "union",
];

/// What is kept of a model's metadata.
const METADATA: [&str; 8] = [
    "apiVersion",
    "awsQueryCompatible",
    "jsonVersion",
    "protocol",
    "serviceFullName",
    "serviceId",
    "targetPrefix",
    "xmlNamespace",
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// An unpacked release of botocore, which carries the vendor's models
    #[arg(long, value_name = "DIR")]
    botocore: PathBuf,
    /// Change nothing; fail where a model is not what it would be
    #[arg(long)]
    check: bool,
}

/// Writes or checks the models.
///
/// # Errors
/// When a model cannot be read, or serves no operation of that name.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let root = repo::root()?;
    let list = fs::read_to_string(root.join(MODELS).join("served.txt"))?;
    let mut coverage = String::from(HEAD);
    let mut pages = Vec::new();
    for (service, version, operations) in served(&list)? {
        let model = read(&args.botocore, &service, &version)?;
        let trimmed = trim(&model, &operations).map_err(|error| format!("{service}: {error}"))?;
        cover(&trimmed, &mut coverage)?;
        pages.push((format!("{MODELS}/{service}.json"), page(&trimmed)?));
    }
    pages.push((COVERAGE.to_owned(), coverage));
    let mut stale = 0;
    for (name, text) in pages {
        let path = root.join(&name);
        if fs::read_to_string(&path).is_ok_and(|is| is == text) {
            println!("{name}: up to date");
        } else if args.check {
            println!("{name}: out of date; run `cargo xtask models --botocore DIR`");
            stale += 1;
        } else {
            fs::write(&path, &text)?;
            println!("{name}: written, {} KiB", text.len() / 1024);
        }
    }
    Ok(if stale == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How the table of what is served begins.
const HEAD: &str = "\
# What the embedded AWS serves

Made by `cargo xtask models` from `model/served.txt` and the vendor's models: the operations that are served, and the
errors that the vendor lists for each. Errors that every operation of a service may have (of signatures, permissions,
throttling, constraints) are not repeated. Whatever is not served answers with status 501 and says so. What an
operation leaves out is in [BEHAVIOURS.md](BEHAVIOURS.md).
";

/// Adds a service to the table.
fn cover(model: &Value, text: &mut String) -> Result<(), Failure> {
    let operations = object(model, "operations")?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = |operation: &Value| -> Option<Vec<String>> {
        Some(
            operation
                .get("errors")?
                .as_array()?
                .iter()
                .map(word)
                .collect(),
        )
    };
    let (mut rows, mut others) = (Vec::new(), Vec::new());
    for (name, operation) in operations {
        match errors(operation) {
            Some(errors) => rows.push(format!("| {name} | {} |", errors.join(", "))),
            None => others.push(name.as_str()),
        }
    }
    let metadata = &model["metadata"];
    write!(
        text,
        "\n## {} ({}): {} of {} operations\n\n| operation | errors |\n|---|---|\n{}\n",
        word(&metadata["serviceFullName"]),
        word(&metadata["apiVersion"]),
        rows.len(),
        operations.len(),
        rows.join("\n")
    )?;
    if !others.is_empty() {
        writeln!(text, "\nNot served: {}.", others.join(", "))?;
    }
    Ok(())
}

/// The list: a service and its version at the start of a line, its operations indented below.
fn served(list: &str) -> Result<Vec<(String, String, BTreeSet<String>)>, Failure> {
    let mut all: Vec<(String, String, BTreeSet<String>)> = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            let (.., operations) = all
                .last_mut()
                .ok_or("the list starts with an operation, not with a service")?;
            operations.extend(words.into_iter().map(str::to_owned));
        } else if let [service, version] = words[..] {
            all.push((service.to_owned(), version.to_owned(), BTreeSet::new()));
        } else {
            return Err(format!("not a service and its version: {line:?}").into());
        }
    }
    Ok(all)
}

/// Reads a model out of its gzip file.
fn read(botocore: &Path, service: &str, version: &str) -> Result<Value, Failure> {
    let mut path = botocore.join("data");
    if !path.is_dir() {
        path = botocore.join("botocore/data");
    }
    path.extend([service, version, "service-2.json.gz"]);
    let failed = |error: std::io::Error| format!("could not read {}: {error}", path.display());
    let file = File::open(&path).map_err(failed)?;
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).map_err(failed)?;
    Ok(serde_json::from_str(&text)?)
}

/// The model with what the operations need, and the addresses of the others.
fn trim(model: &Value, operations: &BTreeSet<String>) -> Result<Value, Failure> {
    let all = object(model, "operations")?;
    let shapes = object(model, "shapes")?;
    if let Some(unknown) = operations.iter().find(|name| !all.contains_key(*name)) {
        return Err(format!("the model has no operation {unknown}").into());
    }
    let mut kept_operations = Map::new();
    let mut needed = BTreeSet::new();
    for (name, operation) in all {
        let mut kept = json!({ "http": without_noise(&operation["http"]) });
        if operations.contains(name) {
            for side in ["input", "output"] {
                if let Some(shape) = operation.get(side) {
                    kept[side] = without_noise(shape);
                    reach(shape, shapes, &mut needed);
                }
            }
            let errors = operation.get("errors").and_then(Value::as_array);
            let mut names = Vec::new();
            for error in errors.into_iter().flatten() {
                reach(error, shapes, &mut needed);
                names.push(error["shape"].clone());
            }
            kept["errors"] = Value::Array(names);
        }
        kept_operations.insert(name.clone(), kept);
    }
    let metadata: BTreeMap<String, Value> = object(model, "metadata")?
        .iter()
        .filter(|(key, _)| METADATA.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let kept_shapes: BTreeMap<&String, Value> = needed
        .iter()
        .filter_map(|name| Some((name, without_noise(shapes.get(name)?))))
        .collect();
    Ok(json!({ "metadata": metadata, "operations": kept_operations, "shapes": kept_shapes }))
}

fn object<'a>(value: &'a Value, key: &str) -> Result<&'a Map<String, Value>, Failure> {
    Ok(value
        .get(key)
        .and_then(Value::as_object)
        .ok_or_else(|| format!("the model has no {key}"))?)
}

/// Adds the shape that `reference` names, and all that it is made of.
fn reach(reference: &Value, shapes: &Map<String, Value>, needed: &mut BTreeSet<String>) {
    let Some(name) = reference.get("shape").and_then(Value::as_str) else {
        return;
    };
    if !needed.insert(name.to_owned()) {
        return;
    }
    let Some(shape) = shapes.get(name) else {
        return;
    };
    for part in ["member", "key", "value"] {
        if let Some(reference) = shape.get(part) {
            reach(reference, shapes, needed);
        }
    }
    let members = shape.get("members").and_then(Value::as_object);
    for reference in members.into_iter().flat_map(Map::values) {
        reach(reference, shapes, needed);
    }
}

/// The shape without what is for readers and for clients' generators, with its keys in order.
fn without_noise(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept: BTreeMap<String, Value> = map
                .iter()
                .filter(|(key, value)| !DROPPED.contains(&key.as_str()) || is_member(value))
                .map(|(key, value)| (key.clone(), without_noise(value)))
                .collect();
            Value::Object(kept.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(without_noise).collect(),
        other => other.clone(),
    }
}

/// Whether this is a member that only happens to be called like something that is dropped.
fn is_member(value: &Value) -> bool {
    value.get("shape").is_some()
}

/// The model as text: one line per operation and shape, so that differences can be read.
fn page(model: &Value) -> Result<String, Failure> {
    let mut text = format!("{{\n\"metadata\": {},\n", model["metadata"]);
    for part in ["operations", "shapes"] {
        write!(text, "\"{part}\": {{")?;
        for (index, (name, value)) in object(model, part)?.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(text, "{comma}\n{}: {value}", json!(name))?;
        }
        text.push_str(if part == "shapes" {
            "\n}\n}\n"
        } else {
            "\n},\n"
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Value {
        json!({
            "metadata": { "protocol": "query", "uid": "x" },
            "operations": {
                "Get": {
                    "name": "Get",
                    "documentation": "long",
                    "http": { "method": "POST", "requestUri": "/" },
                    "input": { "shape": "In" },
                    "errors": [{ "shape": "Gone" }],
                },
                "Put": { "name": "Put", "http": { "method": "PUT", "requestUri": "/" }, "input": { "shape": "Other" } },
            },
            "shapes": {
                "In": { "type": "structure", "members": {
                    "documentation": { "shape": "Text", "documentation": "long" },
                    "self": { "shape": "In" },
                } },
                "Text": { "type": "string", "documentation": "long", "max": 3 },
                "Gone": { "type": "structure", "members": {}, "exception": true },
                "Other": { "type": "string" },
            },
        })
    }

    #[test]
    fn what_is_served_is_kept_without_documentation() {
        let trimmed = trim(&model(), &BTreeSet::from(["Get".to_owned()])).unwrap();
        assert_eq!(
            trimmed,
            json!({
                "metadata": { "protocol": "query" },
                "operations": {
                    "Get": {
                        "http": { "method": "POST", "requestUri": "/" },
                        "input": { "shape": "In" },
                        "errors": ["Gone"],
                    },
                    "Put": { "http": { "method": "PUT", "requestUri": "/" } },
                },
                "shapes": {
                    "Gone": { "type": "structure", "members": {}, "exception": true },
                    "In": { "type": "structure", "members": {
                        "documentation": { "shape": "Text" },
                        "self": { "shape": "In" },
                    } },
                    "Text": { "type": "string", "max": 3 },
                },
            })
        );
    }

    #[test]
    fn the_table_tells_what_is_served_and_what_is_not() {
        let mut trimmed = trim(&model(), &BTreeSet::from(["Get".to_owned()])).unwrap();
        trimmed["metadata"] = json!({ "serviceFullName": "Things", "apiVersion": "1" });
        let mut text = String::new();
        cover(&trimmed, &mut text).unwrap();
        assert_eq!(
            text,
            "\n## Things (1): 1 of 2 operations\n\n| operation | errors |\n|---|---|\n| Get | Gone |\n\nNot served: Put.\n"
        );
    }

    #[test]
    fn an_operation_that_is_not_there_is_refused() {
        let error = trim(&model(), &BTreeSet::from(["Gte".to_owned()])).unwrap_err();
        assert_eq!(error.to_string(), "the model has no operation Gte");
    }

    #[test]
    fn the_list_has_services_and_operations() {
        let list = "# about\na 1\n  Get Put\n  List\nb 2\n  Get\n";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            served(list).unwrap(),
            [
                (
                    "a".to_owned(),
                    "1".to_owned(),
                    names(&["Get", "Put", "List"])
                ),
                ("b".to_owned(), "2".to_owned(), names(&["Get"])),
            ]
        );
    }
}
