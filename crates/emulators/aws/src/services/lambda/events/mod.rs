//! Events that wait for their function, their retries and where they end.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::invoke::Trace;
use super::names::Target;
use crate::answer::ApiError;
use crate::call::Service;
use crate::cloud::Cloud;
use crate::config::Config;

/// The queue of asynchronous invocations.
#[derive(Debug)]
pub(crate) struct Events {}

impl Events {
    /// None yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self {}
    }

    /// Starts to deliver.
    pub(crate) fn start(&self, _cloud: &Arc<Cloud>) {}

    /// Ends delivering; what was not delivered stays in the queue.
    pub(crate) async fn stop(&self) {}

    /// Ends delivering at once.
    pub(crate) fn abort(&self) {}

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        Value::Null
    }

    /// Takes what was kept.
    pub(crate) fn load(&self, _kept: &Value) {}

    pub(crate) async fn accept(
        &self,
        _cloud: &Arc<Cloud>,
        _request: &str,
        _target: &Target,
        _payload: Bytes,
        _trace: &Trace,
    ) -> Result<(), ApiError> {
        Err(ApiError::not_served(Service::Lambda, "Invoke"))
    }
}
