//! JSON bodies.

use serde_json::{Map, Number, Value};

use super::{Input, unserializable};
use crate::answer::ApiError;
use crate::call::Service;
use crate::front::time;
use crate::model::{Kind, Location, Model, ShapeId, Structure};

/// The input of an operation whose body is all of it.
pub(super) fn input(model: &Model, shape: ShapeId, body: &[u8]) -> Result<Input, ApiError> {
    let mut members = Map::new();
    if let Some(structure) = model.structure(shape) {
        body_members(model, structure, body, &mut members)?;
    }
    Ok(Input {
        members,
        ..Input::default()
    })
}

/// Adds the members that are in the body. An empty body is an empty object.
pub(super) fn body_members(
    model: &Model,
    structure: &Structure,
    body: &[u8],
    members: &mut Map<String, Value>,
) -> Result<(), ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| not_json(model, &error))?;
    let Value::Object(mut map) = value else {
        return Err(unserializable("Unexpected field type"));
    };
    for member in &structure.members {
        if member.location != Location::Body {
            continue;
        }
        let key = if member.named {
            member.wire
        } else {
            member.name
        };
        if let Some(value) = map.remove(key).filter(|value| !value.is_null()) {
            members.insert(member.name.to_owned(), convert(model, member.shape, value)?);
        }
    }
    Ok(())
}

/// What a body that is no JSON is answered with. The parser's own words say where it stopped, and nothing
/// of what is there.
fn not_json(model: &Model, error: &serde_json::Error) -> ApiError {
    let place = format!("line {}, column {}", error.line(), error.column());
    if model.service == Service::Lambda {
        ApiError::new(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: Unexpected character or end of input at {place}"),
        )
    } else {
        unserializable(format!("The request body is no JSON at {place}"))
    }
    .status(400)
}

/// Holds a value against a shape's type: members by name, numbers whole, times in seconds.
pub(super) fn convert(model: &Model, id: ShapeId, value: Value) -> Result<Value, ApiError> {
    if value.is_null() {
        return Ok(value);
    }
    match (&model.shape(id).kind, value) {
        (Kind::Structure(structure), Value::Object(mut map)) => {
            let mut members = Map::new();
            for member in &structure.members {
                let key = if member.named {
                    member.wire
                } else {
                    member.name
                };
                if let Some(value) = map.remove(key).filter(|value| !value.is_null()) {
                    members.insert(member.name.to_owned(), convert(model, member.shape, value)?);
                }
            }
            Ok(Value::Object(members))
        }
        (Kind::List(list), Value::Array(items)) => items
            .into_iter()
            .map(|item| convert(model, list.member, item))
            .collect(),
        (Kind::Map(map), Value::Object(entries)) => entries
            .into_iter()
            .map(|(key, value)| Ok((key, convert(model, map.value, value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        (Kind::Text { .. }, value @ Value::String(_))
        | (Kind::Boolean, value @ Value::Bool(_))
        | (Kind::Float(_), value @ Value::Number(_)) => Ok(value),
        (Kind::Integer(_), Value::Number(number)) => whole(&number),
        (Kind::Blob(_), Value::String(text)) if is_base64(&text) => Ok(Value::String(text)),
        (Kind::Timestamp(_), Value::Number(number)) => Ok(Value::Number(number)),
        (Kind::Timestamp(_), Value::String(text)) => time::parse(&text)
            .map(Value::from)
            .ok_or_else(|| unserializable("Unable to parse the timestamp")),
        (kind, value) => Err(mismatch(kind, &value)),
    }
}

/// A number without its fraction, as the vendor's framework reads it.
fn whole(number: &Number) -> Result<Value, ApiError> {
    if number.is_i64() || number.is_u64() {
        return Ok(Value::Number(number.clone()));
    }
    let float = number.as_f64().unwrap_or(f64::NAN).trunc();
    if !(-9.0e18..=9.0e18).contains(&float) {
        return Err(unserializable("NUMBER_VALUE is out of range"));
    }
    #[allow(clippy::cast_possible_truncation)]
    Ok(Value::from(float as i64))
}

fn mismatch(wanted: &Kind, is: &Value) -> ApiError {
    let wanted = match wanted {
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => {
            return unserializable(match is {
                Value::Array(_) => "Start of list found where not expected",
                Value::Object(_) => "Start of structure or map found where not expected.",
                _ => "Unexpected field type",
            });
        }
        Kind::Text { .. } => "String",
        Kind::Integer(_) => "Integer",
        Kind::Float(_) => "Double",
        Kind::Boolean => "Boolean",
        Kind::Blob(_) => "Blob",
        Kind::Timestamp(_) => "Timestamp",
    };
    let is = match is {
        Value::Array(_) => return unserializable("Start of list found where not expected"),
        Value::Object(_) => {
            return unserializable("Start of structure or map found where not expected.");
        }
        Value::Number(_) => "NUMBER_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        _ => "STRING_VALUE",
    };
    let article = if wanted == "Integer" { "an" } else { "a" };
    unserializable(format!("{is} can not be converted to {article} {wanted}"))
}

/// Whether a text can be base64, without decoding it.
fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let data = bytes
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |last| last + 1);
    bytes.len().is_multiple_of(4)
        && bytes.len() - data <= 2
        && bytes[..data]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
