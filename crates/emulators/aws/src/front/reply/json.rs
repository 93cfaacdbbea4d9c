//! JSON bodies.

use serde_json::{Map, Value};

use super::Unknown;
use crate::front::time;
use crate::model::{Kind, Model, ShapeId, Structure, TimeFormat};

/// The members as they are on the wire.
pub(super) fn structure(
    model: &Model,
    structure: &Structure,
    output: Map<String, Value>,
) -> Result<Value, Unknown> {
    let mut body = Map::new();
    for (name, value) in output {
        let member = structure
            .member(&name)
            .ok_or_else(|| Unknown(name.clone()))?;
        if value.is_null() {
            continue;
        }
        let value = convert(model, member.shape, value).map_err(|unknown| unknown.within(&name))?;
        let key = if member.named {
            member.wire.to_owned()
        } else {
            name
        };
        body.insert(key, value);
    }
    Ok(Value::Object(body))
}

fn convert(model: &Model, id: ShapeId, value: Value) -> Result<Value, Unknown> {
    let shape = model.shape(id);
    match (&shape.kind, value) {
        (Kind::Structure(inner), Value::Object(map)) => structure(model, inner, map),
        (Kind::List(list), Value::Array(items)) => items
            .into_iter()
            .map(|item| convert(model, list.member, item))
            .collect(),
        (Kind::Map(map), Value::Object(entries)) => entries
            .into_iter()
            .map(|(key, value)| Ok((key, convert(model, map.value, value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        (Kind::Timestamp(format), value) => {
            time::write(&value, format.unwrap_or(TimeFormat::Unix), false)
                .ok_or_else(|| Unknown::shape(shape.name))
        }
        (Kind::Text { .. } | Kind::Blob(_), value @ Value::String(_))
        | (Kind::Integer(_) | Kind::Float(_), value @ Value::Number(_))
        | (Kind::Boolean, value @ Value::Bool(_)) => Ok(value),
        _ => Err(Unknown::shape(shape.name)),
    }
}
