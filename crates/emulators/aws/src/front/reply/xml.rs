//! XML bodies.

use serde_json::{Map, Value};

use super::{Context, Unknown};
use crate::call::Service;
use crate::front::time;
use crate::model::{Kind, Location, Member, Model, Operation, ShapeId, Structure, TimeFormat};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The root elements of S3's answers, which its model does not say. Source: the S3 API reference.
const ROOTS: [(&str, &str); 15] = [
    ("ListBuckets", "ListAllMyBucketsResult"),
    ("ListObjects", "ListBucketResult"),
    ("ListObjectsV2", "ListBucketResult"),
    ("ListObjectVersions", "ListVersionsResult"),
    ("ListParts", "ListPartsResult"),
    ("ListMultipartUploads", "ListMultipartUploadsResult"),
    ("CreateMultipartUpload", "InitiateMultipartUploadResult"),
    ("CompleteMultipartUpload", "CompleteMultipartUploadResult"),
    ("DeleteObjects", "DeleteResult"),
    ("GetBucketLifecycleConfiguration", "LifecycleConfiguration"),
    ("GetBucketLocation", "LocationConstraint"),
    ("GetBucketTagging", "Tagging"),
    ("GetBucketVersioning", "VersioningConfiguration"),
    ("GetObjectAttributes", "GetObjectAttributesResponse"),
    ("GetObjectTagging", "Tagging"),
];

/// An answer of the query protocol.
pub(super) fn query(
    cx: Context<'_>,
    operation: &Operation,
    structure: &Structure,
    output: &Map<String, Value>,
) -> Result<String, Unknown> {
    let model = cx.model;
    let mut xml = Writer::default();
    let response = format!("{}Response", operation.name);
    xml.open(&response, &namespace(model.namespace));
    if operation.output.is_some() {
        let default = format!("{}Result", operation.name);
        let wrapper = operation.wrapper.unwrap_or(&default);
        xml.open(wrapper, "");
        xml.members(model, structure, output)?;
        xml.close(wrapper);
    }
    xml.open("ResponseMetadata", "");
    xml.text("RequestId", cx.request_id);
    xml.close("ResponseMetadata");
    xml.close(&response);
    Ok(xml.0)
}

/// An answer of S3 that is made of the members that are in its body.
pub(super) fn document(
    model: &Model,
    operation: &Operation,
    structure: &Structure,
    output: &Map<String, Value>,
) -> Result<String, Unknown> {
    let root = ROOTS
        .iter()
        .find(|(name, _)| *name == operation.name)
        .map_or(operation.name, |(_, root)| root);
    let mut xml = Writer(DECLARATION.to_owned());
    xml.open(root, &namespace(model.namespace));
    if operation.name == "GetBucketLocation" {
        // The one answer whose member is the root element.
        let location = output.get("LocationConstraint").and_then(Value::as_str);
        escape(&mut xml.0, location.unwrap_or_default());
    } else {
        xml.members(model, structure, output)?;
    }
    xml.close(root);
    Ok(xml.0)
}

/// An answer of S3 whose body is one member.
pub(super) fn payload(model: &Model, member: &Member, value: &Value) -> Result<String, Unknown> {
    let shape = model.shape(member.shape);
    let root = if member.named {
        member.wire
    } else {
        shape.name
    };
    let (Kind::Structure(structure), Value::Object(output)) = (&shape.kind, value) else {
        return Err(Unknown(member.name.to_owned()));
    };
    let mut xml = Writer(DECLARATION.to_owned());
    xml.open(root, &namespace(model.namespace));
    xml.members(model, structure, output)?;
    xml.close(root);
    Ok(xml.0)
}

/// An error of the query protocol.
pub(super) fn query_error(
    model: &Model,
    (kind, code, message): (&str, &str, &str),
    request_id: &str,
) -> String {
    let mut xml = Writer::default();
    xml.open("ErrorResponse", &namespace(model.namespace));
    xml.open("Error", "");
    xml.text("Type", kind);
    xml.text("Code", code);
    xml.text("Message", message);
    xml.close("Error");
    xml.text("RequestId", request_id);
    xml.close("ErrorResponse");
    xml.0
}

/// An error of S3: code, message, fields, request id, host id.
pub(super) fn s3_error(texts: &[(&str, &str)]) -> String {
    let mut xml = Writer(DECLARATION.to_owned());
    xml.open("Error", "");
    for (name, text) in texts {
        xml.text(name, text);
    }
    xml.close("Error");
    xml.0
}

fn namespace(uri: Option<&str>) -> String {
    uri.map_or_else(String::new, |uri| format!(" xmlns=\"{uri}\""))
}

#[derive(Default)]
struct Writer(String);

impl Writer {
    fn open(&mut self, name: &str, attributes: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push_str(attributes);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.open(name, "");
        escape(&mut self.0, text);
        self.close(name);
    }

    fn members(
        &mut self,
        model: &Model,
        structure: &Structure,
        output: &Map<String, Value>,
    ) -> Result<(), Unknown> {
        if let Some(unknown) = output.keys().find(|name| structure.member(name).is_none()) {
            return Err(Unknown(unknown.clone()));
        }
        for member in &structure.members {
            if member.location != Location::Body || member.attribute {
                continue;
            }
            if let Some(value) = output.get(member.name).filter(|value| !value.is_null()) {
                self.member(model, member, value)
                    .map_err(|unknown| unknown.within(member.name))?;
            }
        }
        Ok(())
    }

    fn member(&mut self, model: &Model, member: &Member, value: &Value) -> Result<(), Unknown> {
        match (&model.shape(member.shape).kind, value) {
            (Kind::List(list), Value::Array(items)) if list.flattened || member.flattened => {
                for item in items {
                    self.value(model, list.member, member.wire, item)?;
                }
                Ok(())
            }
            (Kind::Map(map), Value::Object(entries)) if map.flattened || member.flattened => {
                for (key, value) in entries {
                    self.entry(
                        model,
                        member.wire,
                        (map.key_wire, key),
                        (map.value_wire, map.value, value),
                    )?;
                }
                Ok(())
            }
            _ => self.value(model, member.shape, member.wire, value),
        }
    }

    fn entry(
        &mut self,
        model: &Model,
        name: &str,
        (key_name, key): (&str, &str),
        (value_name, shape, value): (&str, ShapeId, &Value),
    ) -> Result<(), Unknown> {
        self.open(name, "");
        self.text(key_name, key);
        self.value(model, shape, value_name, value)?;
        self.close(name);
        Ok(())
    }

    fn value(
        &mut self,
        model: &Model,
        id: ShapeId,
        name: &str,
        value: &Value,
    ) -> Result<(), Unknown> {
        let shape = model.shape(id);
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Object(output)) => {
                self.open(name, &attributes(structure, output));
                self.members(model, structure, output)?;
            }
            (Kind::List(list), Value::Array(items)) => {
                self.open(name, "");
                for item in items {
                    self.value(model, list.member, list.wire.unwrap_or("member"), item)?;
                }
            }
            (Kind::Map(map), Value::Object(entries)) => {
                self.open(name, "");
                for (key, value) in entries {
                    self.entry(
                        model,
                        "entry",
                        (map.key_wire, key),
                        (map.value_wire, map.value, value),
                    )?;
                }
            }
            (Kind::Timestamp(format), value) => {
                let format = format.unwrap_or(TimeFormat::Iso8601);
                let written = time::write(value, format, model.service == Service::S3)
                    .ok_or_else(|| Unknown::shape(shape.name))?;
                self.text(name, written.as_str().unwrap_or(&written.to_string()));
                return Ok(());
            }
            (Kind::Text { .. } | Kind::Blob(_), Value::String(text)) => {
                self.text(name, text);
                return Ok(());
            }
            (Kind::Integer(_) | Kind::Float(_), Value::Number(_))
            | (Kind::Boolean, Value::Bool(_)) => {
                self.text(name, &value.to_string());
                return Ok(());
            }
            _ => return Err(Unknown::shape(shape.name)),
        }
        self.close(name);
        Ok(())
    }
}

/// The members that are attributes of their structure's element.
fn attributes(structure: &Structure, output: &Map<String, Value>) -> String {
    let mut text = String::new();
    for member in structure.members.iter().filter(|member| member.attribute) {
        if let Some(value) = output.get(member.name).and_then(Value::as_str) {
            if let Some((prefix, _)) = member.wire.split_once(':') {
                text.push_str(&format!(
                    " xmlns:{prefix}=\"http://www.w3.org/2001/XMLSchema-instance\""
                ));
            }
            text.push_str(&format!(" {}=\"", member.wire));
            escape(&mut text, value);
            text.push('"');
        }
    }
    text
}

/// Adds text. Characters that XML 1.0 can't hold, even escaped, become the replacement character.
fn escape(into: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\r' => into.push_str("&#13;"),
            '\t' | '\n' => into.push(char),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => into.push('\u{fffd}'),
            _ => into.push(char),
        }
    }
}
