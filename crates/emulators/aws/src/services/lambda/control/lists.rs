//! Lists of what nobody has here.

use serde_json::json;

use crate::answer::{Answer, ApiError};

use super::op::Op;

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
