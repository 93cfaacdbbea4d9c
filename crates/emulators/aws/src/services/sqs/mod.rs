//! SQS: queues.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};
use crate::config::Config;

/// The state of the service.
#[derive(Debug)]
pub(crate) struct Sqs {}

impl Sqs {
    /// Nothing yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self {}
    }

    /// Every resource by its ARN, with a digest of its state.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        Value::Null
    }

    /// Takes what was kept.
    pub(crate) fn load(&self, _kept: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    Err(ApiError::not_served(Service::Sqs, call.operation))
}
