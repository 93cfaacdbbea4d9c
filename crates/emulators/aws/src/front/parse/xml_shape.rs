//! From XML elements to shapes.

use serde_json::{Map, Value};

use super::malformed_xml;
use super::xml::Element;
use crate::answer::ApiError;
use crate::front::time;
use crate::model::{Kind, Model, ShapeId, Structure};

/// Holds an element against a shape.
pub(super) fn convert(model: &Model, id: ShapeId, element: &Element) -> Result<Value, ApiError> {
    let text = element.text.as_str();
    match &model.shape(id).kind {
        Kind::Structure(structure) => members(model, structure, element).map(Value::Object),
        Kind::List(list) => {
            let name = list.wire.unwrap_or("member");
            named(element, name)
                .map(|item| convert(model, list.member, item))
                .collect()
        }
        Kind::Map(map) => entries(
            model,
            (map.key_wire, map.value_wire, map.value),
            named(element, "entry"),
        ),
        Kind::Integer(_) => text
            .trim()
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| malformed_xml()),
        Kind::Float(_) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::from(number)),
            _ => Err(malformed_xml()),
        },
        Kind::Boolean => match text.trim() {
            "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(malformed_xml()),
        },
        Kind::Timestamp(_) => time::parse(text).map(Value::from).ok_or_else(malformed_xml),
        Kind::Text { .. } | Kind::Blob(_) => Ok(Value::from(text)),
    }
}

fn members(
    model: &Model,
    structure: &Structure,
    element: &Element,
) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    for member in &structure.members {
        if member.attribute {
            let attribute = element
                .attributes
                .iter()
                .find(|(name, _)| name == member.wire);
            if let Some((_, value)) = attribute {
                members.insert(member.name.to_owned(), Value::from(value.as_str()));
            }
            continue;
        }
        let value = match &model.shape(member.shape).kind {
            Kind::List(list) if list.flattened || member.flattened => {
                let items: Vec<Value> = named(element, member.wire)
                    .map(|item| convert(model, list.member, item))
                    .collect::<Result<_, _>>()?;
                (!items.is_empty()).then_some(Value::Array(items))
            }
            Kind::Map(map) if map.flattened || member.flattened => {
                let mut found = named(element, member.wire).peekable();
                found
                    .peek()
                    .is_some()
                    .then(|| entries(model, (map.key_wire, map.value_wire, map.value), found))
                    .transpose()?
            }
            _ => {
                let mut found = named(element, member.wire);
                let first = found.next();
                if found.next().is_some() {
                    return Err(malformed_xml());
                }
                first
                    .map(|child| convert(model, member.shape, child))
                    .transpose()?
            }
        };
        if let Some(value) = value {
            members.insert(member.name.to_owned(), value);
        }
    }
    Ok(members)
}

fn entries<'a>(
    model: &Model,
    (key, value, shape): (&str, &str, ShapeId),
    elements: impl Iterator<Item = &'a Element>,
) -> Result<Value, ApiError> {
    let mut entries = Map::new();
    for entry in elements {
        let key = named(entry, key).next().ok_or_else(malformed_xml)?;
        let value = named(entry, value).next().ok_or_else(malformed_xml)?;
        entries.insert(key.text.clone(), convert(model, shape, value)?);
    }
    Ok(Value::Object(entries))
}

fn named<'a>(element: &'a Element, name: &'a str) -> impl Iterator<Item = &'a Element> {
    element
        .children
        .iter()
        .filter(move |child| child.name == name)
}
