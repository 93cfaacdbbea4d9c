//! Requests whose members are in the path, the query, the headers and the body.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use super::{Input, Raw, json, malformed_xml, unserializable, xml, xml_shape};
use crate::answer::ApiError;
use crate::call::Service;
use crate::front::time;
use crate::model::{Kind, Location, Member, Model, Protocol, Query, ShapeId, Structure};

/// How large an XML body may be. Source: S3's messages have at most 10,000 parts or 1,000 keys.
const MAX_XML: usize = 4 << 20;

/// Parses a REST request. The second value is whether there is a blob that is the body.
pub(super) fn input(raw: Raw<'_>, shape: ShapeId) -> Result<(Input, bool), ApiError> {
    let model = raw.model;
    let Some(structure) = model.structure(shape) else {
        return Ok((Input::default(), false));
    };
    let mut members = Map::new();
    for (label, text) in raw.labels {
        let member = structure
            .members
            .iter()
            .find(|member| member.location == Location::Path && member.wire == label);
        if let Some(member) = member {
            members.insert(member.name.to_owned(), Value::String(text));
        }
    }
    for member in &structure.members {
        let value = match member.location {
            Location::Query => query(model, structure, member, raw.query)?,
            Location::Header => header(model, member, raw.headers)?,
            Location::Headers => prefixed(member, raw.headers),
            _ => None,
        };
        if let Some(value) = value {
            members.insert(member.name.to_owned(), value);
        }
    }
    let mut input = Input {
        members,
        payload: Bytes::new(),
    };
    let has_payload = body(model, structure, raw.body, &mut input)?;
    Ok((input, has_payload))
}

/// Adds what is in the body.
fn body(
    model: &Model,
    structure: &Structure,
    body: Bytes,
    input: &mut Input,
) -> Result<bool, ApiError> {
    let Some(payload) = structure.payload() else {
        if model.protocol == Protocol::RestJson {
            json::body_members(model, structure, &body, &mut input.members)?;
        }
        return Ok(false);
    };
    let value = match &model.shape(payload.shape).kind {
        Kind::Blob(_) => {
            input.payload = body;
            return Ok(true);
        }
        _ if body.is_empty() => return Ok(false),
        Kind::Text { .. } => {
            let text = String::from_utf8(body.into()).map_err(|_| {
                ApiError::new("InvalidRequest", "The request body is not UTF-8").status(400)
            })?;
            Value::String(text)
        }
        _ if model.protocol == Protocol::RestXml => {
            if body.len() > MAX_XML {
                return Err(malformed_xml());
            }
            let root = xml::parse(&body).map_err(|_| malformed_xml())?;
            if root.name != payload.wire && root.name != model.shape(payload.shape).name {
                return Err(malformed_xml());
            }
            xml_shape::convert(model, payload.shape, &root)?
        }
        _ => {
            let value = serde_json::from_slice(&body)
                .map_err(|_| unserializable("The request body is no JSON"))?;
            json::convert(model, payload.shape, value)?
        }
    };
    input.members.insert(payload.name.to_owned(), value);
    Ok(false)
}

fn query(
    model: &Model,
    structure: &Structure,
    member: &Member,
    query: &Query,
) -> Result<Option<Value>, ApiError> {
    match &model.shape(member.shape).kind {
        Kind::List(list) => {
            let items: Vec<Value> = query
                .all(member.wire)
                .map(|text| scalar(model, member, list.member, text))
                .collect::<Result<_, _>>()?;
            Ok((!items.is_empty()).then_some(Value::Array(items)))
        }
        Kind::Map(_) => {
            // All that no other member takes.
            let taken = |name: &str| {
                structure
                    .members
                    .iter()
                    .any(|other| other.location == Location::Query && other.wire == name)
            };
            let rest: Map<String, Value> = query
                .iter()
                .filter(|(name, _)| !taken(name))
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            Ok((!rest.is_empty()).then_some(Value::Object(rest)))
        }
        _ => query
            .get(member.wire)
            .map(|text| scalar(model, member, member.shape, text))
            .transpose(),
    }
}

fn header(model: &Model, member: &Member, headers: &HeaderMap) -> Result<Option<Value>, ApiError> {
    if let Kind::List(list) = &model.shape(member.shape).kind {
        let mut items = Vec::new();
        for value in headers.get_all(member.wire) {
            for text in text(value).split(',') {
                items.push(scalar(model, member, list.member, text.trim())?);
            }
        }
        return Ok((!items.is_empty()).then_some(Value::Array(items)));
    }
    headers
        .get(member.wire)
        .map(|value| scalar(model, member, member.shape, &text(value)))
        .transpose()
}

fn prefixed(member: &Member, headers: &HeaderMap) -> Option<Value> {
    let prefix = member.wire.to_ascii_lowercase();
    let mut found = Map::new();
    for name in headers.keys() {
        if let Some(rest) = name.as_str().strip_prefix(prefix.as_str()) {
            let values: Vec<_> = headers.get_all(name).iter().map(text).collect();
            found.insert(rest.to_owned(), values.join(",").into());
        }
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

/// A header's value; S3 lets metadata be UTF-8.
fn text(value: &http::HeaderValue) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// A value that is text on the wire.
fn scalar(model: &Model, member: &Member, shape: ShapeId, text: &str) -> Result<Value, ApiError> {
    let wrong = |what: &str| {
        let message = if model.service == Service::S3 && what == "an integer" {
            format!(
                "Provided {} not an integer or within integer range",
                member.wire
            )
        } else {
            format!("{} is not {what}", member.wire)
        };
        if model.service == Service::S3 {
            ApiError::new("InvalidArgument", message)
                .status(400)
                .with("ArgumentName", member.wire)
                .with("ArgumentValue", text)
        } else {
            unserializable(message)
        }
    };
    match &model.shape(shape).kind {
        Kind::Integer(_) => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| wrong("an integer")),
        Kind::Float(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::from(number)),
            _ => Err(wrong("a number")),
        },
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        Kind::Boolean => Err(wrong("a boolean")),
        Kind::Timestamp(_) => time::parse(text)
            .map(Value::from)
            .ok_or_else(|| wrong("a time")),
        _ => Ok(Value::from(text)),
    }
}
