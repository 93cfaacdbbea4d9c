//! Lambda: functions, and what becomes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::config::Config;
use crate::state::Blobs;

pub(crate) mod control;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod function;
pub(crate) mod ids;
pub(crate) mod invoke;
mod kept;
mod lifecycle;
mod location;
pub(crate) mod names;
mod policy;
pub(crate) mod run;
mod signing;
pub(crate) mod state;
pub(crate) mod url;
pub(crate) mod version;

/// The state of the service.
#[derive(Debug)]
pub(crate) struct Lambda {
    /// Functions, versions, aliases and their settings.
    pub(crate) functions: state::Functions,
    /// What runs.
    pub(crate) runs: run::Runs,
    /// What waits to be invoked.
    pub(crate) events: events::Events,
}

impl Lambda {
    /// Nothing yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            functions: state::Functions::new(config),
            runs: run::Runs::new(config),
            events: events::Events::new(config),
        }
    }

    /// Starts what goes on by itself, on the current tokio runtime, after kept state was loaded. It
    /// holds the cloud weakly.
    pub(crate) fn start(&self, cloud: &Arc<Cloud>) {
        self.runs.start(cloud);
        self.events.start(cloud);
    }

    /// Ends what goes on by itself and what runs.
    pub(crate) async fn stop(&self) {
        self.events.stop().await;
        self.runs.stop().await;
    }

    /// Ends what goes on by itself, at once. Called on drop, maybe after [`Self::stop`].
    pub(crate) fn abort(&self) {
        self.events.abort();
        self.runs.abort();
    }

    /// Every resource by its ARN, with a digest of its state.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        self.functions.inventory()
    }

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        json!({ "functions": self.functions.save(), "events": self.events.save() })
    }

    /// Takes what was kept.
    ///
    /// # Errors
    /// It can't be read, or code is missing.
    pub(crate) fn load(&self, kept: &Value, blobs: &Blobs) -> Result<(), String> {
        self.functions.load(&kept["functions"], blobs)?;
        self.events.load(&kept["events"]);
        Ok(())
    }
}

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.operation {
        "Invoke" | "InvokeAsync" | "InvokeWithResponseStream" => invoke::call(call).await,
        _ => control::call(call).await,
    }
}
