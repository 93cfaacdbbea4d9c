//! What nobody has here: event source mappings and layers.

use serde_json::json;

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::state::arn_prefix;
use super::op::Op;

fn prefix(op: &Op) -> String {
    arn_prefix(&op.cx().account, &op.cx().region)
}

/// Event source mappings: none.
///
/// # Errors
/// The operation's.
pub(super) fn event_source_mappings(op: &Op) -> Result<Answer, ApiError> {
    op.allow_on("*", Vec::new())?;
    Ok(Answer::json(json!({ "EventSourceMappings": [] })))
}

/// Layers: none.
///
/// # Errors
/// The operation's.
pub(super) fn layers(op: &Op) -> Result<Answer, ApiError> {
    op.allow_on("*", Vec::new())?;
    Ok(Answer::json(json!({ "Layers": [] })))
}

/// One event source mapping: there is none.
///
/// # Errors
/// Always.
pub(super) fn event_source_mapping(op: &Op) -> Result<Answer, ApiError> {
    let id = op.text("UUID").unwrap_or_default();
    op.allow_on(
        &format!("{}:event-source-mapping:{id}", prefix(op)),
        Vec::new(),
    )?;
    Err(errors::no_resource())
}

/// Versions of a layer: none.
///
/// # Errors
/// The operation's.
pub(super) fn layer_versions(op: &Op) -> Result<Answer, ApiError> {
    op.allow_on("*", Vec::new())?;
    Ok(Answer::json(json!({ "LayerVersions": [] })))
}

/// One version of a layer: there is none.
///
/// # Errors
/// Always.
pub(super) fn layer_version(op: &Op) -> Result<Answer, ApiError> {
    let name = op.text("LayerName").unwrap_or_default();
    let number = op.input().number("VersionNumber").unwrap_or_default();
    let layer = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        format!("{}:layer:{name}", prefix(op))
    };
    op.allow_on(&format!("{layer}:{number}"), Vec::new())?;
    Err(errors::no_resource())
}
