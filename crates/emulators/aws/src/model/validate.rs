//! Whether an input is within the constraints of its shape, and what the vendor says if not.
//!
//! Source of the wording: the messages that Lambda, IAM, STS and CloudWatch Logs answer, which one
//! framework of the vendor makes for all of them.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::Model;
use super::shape::{Bounds, Kind, Location, Shape, ShapeId, Structure};
use crate::call::Service;

/// How many violations are told at most.
const TOLD: usize = 100;

/// How much of a value is told. Guessed.
const SHOWN: usize = 1024;

/// One constraint that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Where, as the vendor writes it: `environment.variables`.
    pub(crate) path: String,
    /// The name of the member on the wire, and where it should have been.
    pub(crate) member: (&'static str, Location),
    /// Whether the member is required and absent.
    pub(crate) missing: bool,
    /// What is there, in quotes, or `null`.
    value: String,
    /// What it must be.
    constraint: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Value {} at '{}' failed to satisfy constraint: {}",
            self.value, self.path, self.constraint
        )
    }
}

/// All that is wrong with the input of an operation. `payload` is whether the blob that is the body is there.
pub(crate) fn violations(
    model: &Model,
    input: ShapeId,
    value: &Map<String, Value>,
    payload: bool,
) -> Vec<Violation> {
    let mut check = Check {
        model,
        // These two answer in words of their own, which their rooms know.
        required_only: matches!(model.service, Service::S3 | Service::Sqs),
        found: Vec::new(),
    };
    if let Some(structure) = model.structure(input) {
        check.structure(structure, value, "", payload);
    }
    check.found
}

struct Check<'a> {
    model: &'a Model,
    required_only: bool,
    found: Vec<Violation>,
}

impl Check<'_> {
    fn structure(
        &mut self,
        structure: &Structure,
        value: &Map<String, Value>,
        path: &str,
        payload: bool,
    ) {
        let body = structure.payload().map(|member| member.name);
        for member in &structure.members {
            let place = (member.wire, member.location);
            match value.get(member.name) {
                Some(value) if !value.is_null() => {
                    self.value(member.shape, value, &join(path, member.name), place);
                }
                _ if member.required && !(payload && body == Some(member.name)) => {
                    self.found.push(Violation {
                        path: join(path, member.name),
                        member: place,
                        missing: true,
                        value: "null".to_owned(),
                        constraint: "Member must not be null".to_owned(),
                    });
                }
                _ => {}
            }
            if self.found.len() >= TOLD {
                return;
            }
        }
    }

    fn value(&mut self, id: ShapeId, value: &Value, path: &str, place: (&'static str, Location)) {
        let model = self.model;
        let shape = model.shape(id);
        if !self.required_only {
            for constraint in broken(model, shape, value) {
                self.found.push(Violation {
                    path: path.to_owned(),
                    member: place,
                    missing: false,
                    value: shown(shape, value),
                    constraint,
                });
            }
        }
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Object(map)) => {
                self.structure(structure, map, path, false);
            }
            (Kind::List(list), Value::Array(items)) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| ((index + 1).to_string(), item));
                self.parts(list.member, items, path, place);
            }
            (Kind::Map(map), Value::Object(entries)) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value));
                self.parts(map.value, entries, path, place);
            }
            _ => {}
        }
    }

    /// Elements that have parts are looked at one by one.
    fn parts<'v>(
        &mut self,
        id: ShapeId,
        parts: impl Iterator<Item = (String, &'v Value)>,
        path: &str,
        place: (&'static str, Location),
    ) {
        if !has_parts(self.model.shape(id)) {
            return;
        }
        for (name, part) in parts {
            if self.found.len() >= TOLD {
                return;
            }
            self.value(id, part, &format!("{path}.{name}.member"), place);
        }
    }
}

/// Whether a shape's own parts are looked at one by one. Elements of other lists and maps are told of
/// together, at the list or map.
fn has_parts(shape: &Shape) -> bool {
    matches!(
        shape.kind,
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_)
    )
}

/// The constraints of a shape that a value does not meet.
fn broken(model: &Model, shape: &Shape, value: &Value) -> Vec<String> {
    match (&shape.kind, value) {
        (Kind::List(list), Value::Array(items)) => {
            let mut broken = outside(list.size, items.len(), "length");
            let member = model.shape(list.member);
            if !has_parts(member)
                && items
                    .iter()
                    .any(|item| item.is_null() || breaks(member, item))
            {
                broken.push(format!("Member must satisfy constraint: {}", rules(member)));
            }
            broken
        }
        (Kind::Map(map), Value::Object(entries)) => {
            let mut broken = outside(map.size, entries.len(), "length");
            let key = model.shape(map.key);
            if entries
                .keys()
                .any(|name| breaks(key, &Value::String(name.clone())))
            {
                broken.push(format!("Map keys must satisfy constraint: {}", rules(key)));
            }
            let member = model.shape(map.value);
            if !has_parts(member)
                && entries
                    .values()
                    .any(|value| value.is_null() || breaks(member, value))
            {
                broken.push(format!(
                    "Map value must satisfy constraint: {}",
                    rules(member)
                ));
            }
            broken
        }
        _ => scalar(shape, value),
    }
}

fn breaks(shape: &Shape, value: &Value) -> bool {
    !scalar(shape, value).is_empty()
}

/// The constraints that a text, number or blob does not meet.
fn scalar(shape: &Shape, value: &Value) -> Vec<String> {
    match (&shape.kind, value) {
        (
            Kind::Text {
                length,
                pattern,
                values,
            },
            Value::String(text),
        ) => {
            let mut broken = outside(*length, text.chars().count(), "length");
            if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
                broken.push(format!(
                    "Member must satisfy regular expression pattern: {}",
                    pattern.source()
                ));
            }
            // What runtime exists is Lambda's own to tell.
            if !values.is_empty()
                && !values.iter().any(|value| value == text)
                && shape.name != "Runtime"
            {
                broken.push(enumeration(values));
            }
            broken
        }
        (Kind::Integer(bounds) | Kind::Float(bounds), Value::Number(number)) => {
            let below = bounds.min.is_some_and(|min| less(number, min));
            let above = bounds.max.is_some_and(|max| {
                number.as_i64().map_or_else(
                    || number.as_f64().is_some_and(|n| n > to_f64(max)),
                    |n| n > max,
                )
            });
            let mut broken = Vec::new();
            if let (true, Some(max)) = (above, bounds.max) {
                broken.push(format!(
                    "Member must have value less than or equal to {max}"
                ));
            }
            if let (true, Some(min)) = (below, bounds.min) {
                broken.push(format!(
                    "Member must have value greater than or equal to {min}"
                ));
            }
            broken
        }
        (Kind::Blob(bounds), Value::String(base64)) => {
            let padding = base64
                .bytes()
                .rev()
                .take_while(|byte| *byte == b'=')
                .count();
            outside(
                *bounds,
                (base64.len() / 4 * 3).saturating_sub(padding),
                "length",
            )
        }
        _ => Vec::new(),
    }
}

fn less(number: &serde_json::Number, min: i64) -> bool {
    match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => number < min,
        (None, Some(_)) => false,
        _ => number.as_f64().is_some_and(|number| number < to_f64(min)),
    }
}

#[allow(clippy::cast_precision_loss)]
fn to_f64(bound: i64) -> f64 {
    bound as f64
}

fn outside(bounds: Bounds, size: usize, what: &str) -> Vec<String> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let mut broken = Vec::new();
    if let Some(max) = bounds.max.filter(|max| size > *max) {
        broken.push(format!(
            "Member must have {what} less than or equal to {max}"
        ));
    }
    if let Some(min) = bounds.min.filter(|min| size < *min) {
        broken.push(format!(
            "Member must have {what} greater than or equal to {min}"
        ));
    }
    broken
}

fn enumeration(values: &[std::borrow::Cow<'static, str>]) -> String {
    format!(
        "Member must satisfy enum value set: [{}]",
        values.join(", ")
    )
}

/// All constraints of the elements of a list or map, as the vendor lists them when one is not met.
fn rules(shape: &Shape) -> String {
    let mut rules = Vec::new();
    match &shape.kind {
        Kind::Text {
            length,
            pattern,
            values,
        } => {
            if let Some(max) = length.max {
                rules.push(format!(
                    "Member must have length less than or equal to {max}"
                ));
            }
            if let Some(min) = length.min {
                rules.push(format!(
                    "Member must have length greater than or equal to {min}"
                ));
            }
            if let Some(pattern) = pattern {
                rules.push(format!(
                    "Member must satisfy regular expression pattern: {}",
                    pattern.source()
                ));
            }
            if !values.is_empty() {
                rules.push(enumeration(values));
            }
        }
        Kind::Integer(bounds) | Kind::Float(bounds) => {
            if let Some(max) = bounds.max {
                rules.push(format!(
                    "Member must have value less than or equal to {max}"
                ));
            }
            if let Some(min) = bounds.min {
                rules.push(format!(
                    "Member must have value greater than or equal to {min}"
                ));
            }
        }
        _ => {}
    }
    rules.push("Member must not be null".to_owned());
    format!("[{}]", rules.join(", "))
}

/// The value as the vendor shows it.
fn shown(shape: &Shape, value: &Value) -> String {
    if shape.sensitive || matches!(shape.kind, Kind::Blob(_)) {
        return "'***'".to_owned();
    }
    let mut text = String::from("'");
    write(&mut text, value);
    if text.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    text.push('\'');
    text
}

fn write(text: &mut String, value: &Value) {
    if text.len() > SHOWN {
        return;
    }
    match value {
        Value::String(value) => text.push_str(value),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write(text, item);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                text.push_str(key);
                text.push('=');
                write(text, value);
            }
            text.push('}');
        }
        other => {
            // Writing to a text does not fail.
            let _ = write!(text, "{other}");
        }
    }
}

/// The path of a member: each name starts with a small letter.
fn join(path: &str, name: &str) -> String {
    let mut joined = String::with_capacity(path.len() + name.len() + 1);
    joined.push_str(path);
    if !path.is_empty() {
        joined.push('.');
    }
    let mut chars = name.chars();
    joined.extend(chars.next().map(|first| first.to_ascii_lowercase()));
    joined.push_str(chars.as_str());
    joined
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(service: Service, operation: &str, input: Value) -> Vec<String> {
        let model = Model::of(service);
        let shape = model.operation(operation).unwrap().input.unwrap();
        violations(model, shape, input.as_object().unwrap(), false)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_is_right_passes() {
        let input = json!({
            "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "nonsense",
            "Code": { "ZipFile": "AAAA" }, "Timeout": 900, "Tags": { "a": "b" },
        });
        assert_eq!(check(Service::Lambda, "CreateFunction", input), [""; 0]);
    }

    #[test]
    fn each_violation_is_told_in_the_vendors_words() {
        let input = json!({
            "FunctionName": "a b", "Role": "arn:aws:iam::000000000000:role/r",
            "Code": {}, "Timeout": 0, "MemorySize": 100_000, "PackageType": "Tar",
            "Architectures": ["mips"],
            "Environment": { "Variables": { "1": "x" } },
        });
        let found = check(Service::Lambda, "CreateFunction", input);
        assert_eq!(found.len(), 6, "{found:#?}");
        for told in [
            "Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:",
            "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1",
            "Value '100000' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to ",
            "Value 'Tar' at 'packageType' failed to satisfy constraint: Member must satisfy enum value set: [Zip, Image]",
            "Value '[mips]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
            // What is in the environment is kept out of messages.
            "Value '***' at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: ",
        ] {
            assert!(
                found.iter().any(|violation| violation.starts_with(told)),
                "{told}\n{found:#?}"
            );
        }
    }

    #[test]
    fn what_is_required_must_be_there() {
        assert_eq!(
            check(Service::Logs, "CreateLogGroup", json!({})),
            ["Value null at 'logGroupName' failed to satisfy constraint: Member must not be null"]
        );
        assert_eq!(
            check(
                Service::Iam,
                "TagRole",
                json!({ "RoleName": "r", "Tags": [{ "Key": "a", "Value": "b" }, { "Key": "" }] })
            ),
            [
                "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
                "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
                "Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null",
            ]
        );
    }

    #[test]
    fn s3_and_sqs_are_asked_for_what_is_required_only() {
        assert_eq!(
            check(
                Service::Sqs,
                "CreateQueue",
                json!({ "QueueName": "", "Attributes": { "x": "y" } })
            ),
            [""; 0]
        );
        assert_eq!(check(Service::Sqs, "CreateQueue", json!({})).len(), 1);
    }
}
