//! Resource policies, for the evaluation of calls.

use serde_json::Value;

use crate::access::{Kind, Policy};

/// A policy document, ready to be evaluated. `None` if it can't be read.
pub(crate) fn parse(document: &Value) -> Option<Policy> {
    Policy::from_value(document, Kind::Resource).ok()
}
