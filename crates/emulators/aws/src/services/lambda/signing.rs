//! Code signing configurations: which publishers' code may be deployed.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// One configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SigningConfig {
    pub(crate) id: String,
    pub(crate) description: String,
    /// The signing profiles that are trusted.
    pub(crate) publishers: Vec<String>,
    /// What becomes of other code: `Warn` or `Enforce`.
    pub(crate) untrusted: String,
    pub(crate) modified: SystemTime,
    pub(crate) tags: std::collections::BTreeMap<String, String>,
}
