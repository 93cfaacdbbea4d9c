//! From any protocol to one object by the model's names, within the model's constraints.

mod form;
mod json;
mod rest;
mod xml;
mod xml_shape;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::answer::ApiError;
use crate::call::Service;
use crate::model::{self, Location, Model, Operation, Protocol, Query};

/// A request whose operation is known.
pub(super) struct Raw<'a> {
    pub(super) model: &'static Model,
    pub(super) operation: &'static Operation,
    /// Decoded labels of the path.
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) query: &'a Query,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
    /// The parsed body of a query request.
    pub(super) form: Option<&'a Query>,
}

/// The input of an operation.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) members: Map<String, Value>,
    pub(super) payload: Bytes,
}

/// Parses the request and holds it against the model.
///
/// # Errors
/// What the service answers to what can't be parsed or is not within its constraints.
pub(super) fn input(raw: Raw<'_>) -> Result<Input, ApiError> {
    let Some(shape) = raw.operation.input else {
        return Ok(Input::default());
    };
    let model = raw.model;
    let (input, has_payload) = match (model.protocol, raw.form) {
        (_, Some(form)) => (form::input(model, shape, form)?, false),
        (Protocol::RestJson | Protocol::RestXml, None) => rest::input(raw, shape)?,
        (Protocol::Json(_) | Protocol::Query, None) => {
            (json::input(model, shape, &raw.body)?, false)
        }
    };
    let violations = model::violations(model, shape, &input.members, has_payload);
    if violations.is_empty() {
        return Ok(input);
    }
    Err(match model.service {
        Service::S3 => {
            let (name, location) = violations[0].member;
            s3_missing(name, location, violations[0].path.contains('.'))
        }
        Service::Sqs => ApiError::new(
            "MissingParameter",
            format!(
                "The request must contain the parameter {}.",
                violations[0].member.0
            ),
        ),
        service => {
            let errors = if violations.len() == 1 {
                "error"
            } else {
                "errors"
            };
            let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
            let code = match service {
                Service::Iam | Service::Sts => "ValidationError",
                Service::Logs => "InvalidParameterException",
                _ => "ValidationException",
            };
            ApiError::new(
                code,
                format!(
                    "{} validation {errors} detected: {}",
                    told.len(),
                    told.join("; ")
                ),
            )
            .status(400)
        }
    })
}

/// What S3 says when something is not there. Which code for which place is guessed in part.
fn s3_missing(name: &str, location: Location, nested: bool) -> ApiError {
    match location {
        Location::Header => ApiError::new(
            "InvalidRequest",
            format!("Missing required header for this request: {name}"),
        ),
        Location::Query => ApiError::new(
            "InvalidArgument",
            format!("Missing required parameter for this request: {name}"),
        )
        .with("ArgumentName", name),
        _ if nested => malformed_xml(),
        _ => ApiError::new("MissingRequestBodyError", "Request Body is empty"),
    }
    .status(400)
}

fn malformed_xml() -> ApiError {
    ApiError::new(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    .status(400)
}

/// What services with JSON bodies answer to a value of another type. Source: the messages of the vendor's
/// framework as clients report them.
fn unserializable(message: impl Into<String>) -> ApiError {
    ApiError::new("SerializationException", message).status(400)
}

#[cfg(test)]
mod tests;
