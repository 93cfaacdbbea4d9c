//! What a verb did.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capability::Approximation;
use crate::plan::{Change, VersionId};
use crate::spec::Name;

/// What a step gave that later steps and the outcome need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outputs {
    /// The version that was made or is live.
    pub version: Option<VersionId>,
    /// Where the function can be reached.
    pub endpoint: Option<String>,
    /// The revision after the last step, which the next step guards.
    pub revision: Option<String>,
    /// The provider's ids, by what they name.
    pub ids: BTreeMap<String, String>,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepDone {
    /// It changed something.
    Changed,
    /// An earlier run had done it already.
    AlreadyDone,
}

/// What a verb did: created, updated, unchanged or removed, and everything a caller needs afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The target's URL.
    pub target: String,
    /// The function.
    pub name: Name,
    /// What happened.
    pub change: Change,
    /// The version that is live now, or was made.
    pub version: Option<VersionId>,
    /// Where it can be reached, if the target has addresses.
    pub endpoint: Option<String>,
    /// The provider's ids, by what they name.
    pub ids: BTreeMap<String, String>,
    /// Values the target rounded.
    pub approximations: Vec<Approximation>,
    /// What an interrupted run had left.
    pub found: Vec<String>,
    /// What stays although removal was asked, and why.
    pub kept: Vec<String>,
    /// The steps that were taken, in words.
    pub steps: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Outcome {
    /// An outcome without details.
    #[must_use]
    pub fn new(target: impl Into<String>, name: Name, change: Change) -> Self {
        Self {
            target: target.into(),
            name,
            change,
            version: None,
            endpoint: None,
            ids: BTreeMap::new(),
            approximations: Vec::new(),
            found: Vec::new(),
            kept: Vec::new(),
            steps: Vec::new(),
            duration: Duration::ZERO,
        }
    }
}
