//! Requests of the query protocol: `Tags.member.1.Key=a`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Input;
use crate::answer::ApiError;
use crate::front::time;
use crate::model::{Kind, Model, Query, ShapeId, Structure};

/// How many parts a name may have.
const DEPTH: usize = 16;

/// The names of a form as a tree.
#[derive(Debug, Default)]
struct Node<'a> {
    value: Option<&'a str>,
    children: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    fn add(&mut self, name: &'a str, value: &'a str) {
        let mut node = self;
        for part in name.splitn(DEPTH, '.') {
            node = node.children.entry(part).or_default();
        }
        node.value = Some(value);
    }

    fn child<'b>(&'b self, names: &[&str]) -> Option<&'b Node<'a>> {
        names.iter().find_map(|name| self.children.get(*name))
    }

    /// The children whose names are numbers, by number.
    fn numbered(&self) -> Vec<&Node<'a>> {
        let mut items: Vec<(u64, &Node<'a>)> = self
            .children
            .iter()
            .filter_map(|(name, node)| Some((name.parse().ok()?, node)))
            .collect();
        items.sort_unstable_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }
}

/// The input of an operation.
pub(super) fn input(model: &Model, shape: ShapeId, form: &Query) -> Result<Input, ApiError> {
    let mut root = Node::default();
    for (name, value) in form.iter() {
        root.add(name, value);
    }
    let members = match model.structure(shape) {
        Some(structure) => members(model, structure, &root)?,
        None => Map::new(),
    };
    Ok(Input {
        members,
        ..Input::default()
    })
}

fn members(
    model: &Model,
    structure: &Structure,
    node: &Node<'_>,
) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    for member in &structure.members {
        let shape = &model.shape(member.shape).kind;
        // Flattened lists are named by their element, by the list's own word or by the member's.
        let mut names = vec![member.wire, member.name];
        if let Kind::List(list) = shape
            && list.flattened
        {
            names.extend(list.wire);
        }
        let Some(child) = node.child(&names) else {
            continue;
        };
        if let Some(value) = convert(model, member.shape, child, member.flattened)? {
            members.insert(member.name.to_owned(), value);
        }
    }
    Ok(members)
}

fn convert(
    model: &Model,
    id: ShapeId,
    node: &Node<'_>,
    flattened: bool,
) -> Result<Option<Value>, ApiError> {
    let wrong = || {
        let message = format!("A value is not of type {}", model.shape(id).name);
        ApiError::new("MalformedInput", message).status(400)
    };
    let kind = &model.shape(id).kind;
    match kind {
        Kind::Structure(structure) => {
            return members(model, structure, node).map(|members| Some(Value::Object(members)));
        }
        Kind::List(list) => {
            let inside = if flattened || list.flattened {
                Some(node)
            } else {
                node.child(&[list.wire.unwrap_or("member"), "member"])
            };
            let mut items = Vec::new();
            for item in inside.map(Node::numbered).unwrap_or_default() {
                items.extend(convert(model, list.member, item, false)?);
            }
            // A name without a number is an empty list.
            return Ok((!items.is_empty() || node.value.is_some()).then_some(Value::Array(items)));
        }
        Kind::Map(map) => {
            let inside = if flattened || map.flattened {
                Some(node)
            } else {
                node.child(&["entry"])
            };
            let mut entries = Map::new();
            for entry in inside.map(Node::numbered).unwrap_or_default() {
                let key = entry.child(&[map.key_wire, "Name", "Key", "key"]);
                let value = entry.child(&[map.value_wire, "Value", "value"]);
                if let (Some(Some(key)), Some(value)) = (key.map(|key| key.value), value)
                    && let Some(value) = convert(model, map.value, value, false)?
                {
                    entries.insert(key.to_owned(), value);
                }
            }
            return Ok((!entries.is_empty()).then_some(Value::Object(entries)));
        }
        _ => {}
    }
    let Some(text) = node.value else {
        return Ok(None);
    };
    Ok(Some(match kind {
        Kind::Integer(_) => Value::from(text.parse::<i64>().map_err(|_| wrong())?),
        Kind::Float(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::from(number),
            _ => return Err(wrong()),
        },
        Kind::Boolean => match text {
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            _ => return Err(wrong()),
        },
        Kind::Timestamp(_) => Value::from(time::parse(text).ok_or_else(wrong)?),
        _ => Value::from(text),
    }))
}
