//! From an answer by the model's names to any protocol.

mod error;
pub(super) mod events;
mod json;
mod xml;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

pub(super) use error::error;

use super::body::ReplyBody;
use super::time;
use crate::answer::{Answer, AnswerBody};
use crate::call::Service;
use crate::model::{Kind, Location, Member, Model, Operation, Protocol, Structure, TimeFormat};

/// How a request came, as far as its reply depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) model: &'static Model,
    /// Whether it was a form, so that the reply is XML in any case.
    pub(super) form: bool,
    /// Whether it was `HEAD`, so that the reply has no body.
    pub(super) head: bool,
    pub(super) request_id: &'a str,
}

/// What a service answered and its model does not have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) String);

impl Unknown {
    /// A value that is not of its shape's type.
    fn shape(name: &str) -> Self {
        Self(format!(" (of the shape {name})"))
    }

    /// The same, inside of a member.
    fn within(self, member: &str) -> Self {
        let dot = if self.0.starts_with(' ') { "" } else { "." };
        Self(format!("{member}{dot}{}", self.0))
    }
}

/// Makes the reply.
///
/// # Errors
/// When the answer has a member that the model does not have, or of another type.
pub(super) fn answer(
    cx: Context<'_>,
    operation: &Operation,
    answer: Answer,
) -> Result<Response<ReplyBody>, Unknown> {
    let mut headers = HeaderMap::with_capacity(8);
    let mut status = answer.status.unwrap_or(operation.status);
    let mut output = answer.output;
    let nothing = Structure {
        members: Vec::new(),
        payload: None,
        event_stream: false,
    };
    let structure = operation
        .output
        .and_then(|id| cx.model.structure(id))
        .unwrap_or(&nothing);
    if let Some(unknown) = output.keys().find(|name| structure.member(name).is_none()) {
        return Err(Unknown(unknown.clone()));
    }
    let events = matches!(answer.payload, AnswerBody::Events(_));
    for member in &structure.members {
        let Some(value) = take(&mut output, member) else {
            continue;
        };
        match member.location {
            // An event stream has a media type of its own.
            Location::Header if events && member.wire.eq_ignore_ascii_case("content-type") => {}
            Location::Header => {
                let unknown = || Unknown(member.name.to_owned());
                let name = HeaderName::from_bytes(member.wire.as_bytes()).map_err(|_| unknown())?;
                headers.insert(name, header(cx.model, member, &value).ok_or_else(unknown)?);
            }
            Location::Headers => prefixed(&mut headers, member, &value),
            _ => {
                if let Some(code) = value.as_u64().and_then(|code| u16::try_from(code).ok()) {
                    status = code;
                }
            }
        }
    }
    let (body, media) = body(cx, operation, structure, output, answer.payload)?;
    if let Some(media) = media {
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static(media));
    }
    let no_content = matches!(status, 204 | 304);
    if no_content {
        headers.remove(CONTENT_TYPE);
    }
    if !cx.head {
        // It is the body's own to say.
        headers.remove(CONTENT_LENGTH);
    }
    request_ids(cx, &mut headers);
    for (name, value) in answer.headers {
        headers.insert(name, value);
    }
    let mut response = Response::new(if cx.head || no_content {
        ReplyBody::empty()
    } else {
        body
    });
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = headers;
    Ok(response)
}

/// Takes a member out that is not in the body. Nulls are absent.
fn take(output: &mut Map<String, Value>, member: &Member) -> Option<Value> {
    match member.location {
        Location::Header | Location::Headers | Location::Status => {
            output.remove(member.name).filter(|value| !value.is_null())
        }
        _ => None,
    }
}

/// The body and its media type.
fn body(
    cx: Context<'_>,
    operation: &Operation,
    structure: &Structure,
    mut output: Map<String, Value>,
    payload: AnswerBody,
) -> Result<(ReplyBody, Option<&'static str>), Unknown> {
    let model = cx.model;
    if cx.form {
        let text = xml::query(cx, operation, structure, &output)?;
        return Ok((ReplyBody::full(text), Some("text/xml")));
    }
    if let Some(member) = structure.payload() {
        let shape = model.shape(member.shape);
        return match (&shape.kind, output.remove(member.name)) {
            (Kind::Structure(inner), None) if inner.event_stream => {
                Ok((payload.into(), Some("application/vnd.amazon.eventstream")))
            }
            (Kind::Blob(_), None) => Ok((
                payload.into(),
                Some(match model.service {
                    Service::S3 => "binary/octet-stream",
                    _ => "application/json",
                }),
            )),
            (Kind::Text { .. }, Some(Value::String(text))) => {
                Ok((ReplyBody::full(text), Some("application/json")))
            }
            (_, None) => Ok((ReplyBody::empty(), None)),
            (Kind::Structure(_), Some(value)) if model.protocol == Protocol::RestXml => {
                let text = xml::payload(model, member, &value)?;
                Ok((ReplyBody::full(text), Some("application/xml")))
            }
            _ => Err(Unknown(member.name.to_owned())),
        };
    }
    Ok(match model.protocol {
        Protocol::RestJson | Protocol::Json(_) => {
            if operation.output.is_none() && model.protocol == Protocol::RestJson {
                return Ok((ReplyBody::empty(), Some("application/json")));
            }
            let media = match model.protocol {
                Protocol::Json("1.0") => "application/x-amz-json-1.0",
                Protocol::Json(_) => "application/x-amz-json-1.1",
                _ => "application/json",
            };
            if operation.output.is_none() && model.service == Service::Logs {
                return Ok((ReplyBody::empty(), Some(media)));
            }
            let value = json::structure(model, structure, output)?;
            (ReplyBody::full(bytes_of(&value)), Some(media))
        }
        Protocol::RestXml => {
            let has_body = structure
                .members
                .iter()
                .any(|member| member.location == Location::Body);
            if !has_body {
                return Ok((ReplyBody::empty(), None));
            }
            let text = xml::document(model, operation, structure, &output)?;
            (ReplyBody::full(text), Some("application/xml"))
        }
        Protocol::Query => {
            let text = xml::query(cx, operation, structure, &output)?;
            (ReplyBody::full(text), Some("text/xml"))
        }
    })
}

fn bytes_of(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn header(model: &Model, member: &Member, value: &Value) -> Option<HeaderValue> {
    let text = match (&model.shape(member.shape).kind, value) {
        (Kind::Timestamp(format), value) => {
            let written = time::write(value, format.unwrap_or(TimeFormat::Rfc822), true)?;
            match written {
                Value::String(text) => text,
                other => other.to_string(),
            }
        }
        (_, Value::String(text)) => return HeaderValue::from_bytes(text.as_bytes()).ok(),
        (_, Value::Bool(_) | Value::Number(_)) => value.to_string(),
        (_, Value::Array(items)) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(",")
        }
        _ => return None,
    };
    HeaderValue::from_str(&text).ok()
}

/// Headers with a prefix. What can't be a header is left out, as S3 does with metadata.
fn prefixed(headers: &mut HeaderMap, member: &Member, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(format!("{}{name}", member.wire).as_bytes());
        let value = value
            .as_str()
            .and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
        if let (Ok(name), Some(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
}

/// The headers that name the request.
fn request_ids(cx: Context<'_>, headers: &mut HeaderMap) {
    let value = |text: &str| HeaderValue::from_str(text).ok();
    if cx.model.service == Service::S3 {
        let id = s3_request_id(cx.request_id);
        headers.extend(
            [
                ("x-amz-request-id", value(&id)),
                ("x-amz-id-2", value(cx.request_id)),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), value?))),
        );
    } else if let Some(id) = value(cx.request_id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
}

/// S3's request ids are sixteen capital letters and digits.
fn s3_request_id(request_id: &str) -> String {
    request_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect::<String>()
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
