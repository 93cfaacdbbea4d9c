//! What is asked for, what is there, and the steps between, made before anything changes.

mod desired;
mod observed;
mod step;
mod version;

use serde::{Deserialize, Serialize};

pub use desired::{Desired, Force, State};
pub use observed::{EventCounts, Health, Observed, Owned};
pub use step::{Action, Step};
pub use version::{InvalidSplit, Split, Version, VersionId};

use crate::capability::{Approximation, PortabilityCost};
use crate::spec::FieldChange;

/// What a plan was made on, and what a step requires to be still true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Nothing is there.
    Absent,
    /// This revision is there.
    Revision(String),
    /// Anything may be there: the step is right on every base.
    Any,
}

impl Base {
    /// The base of an observation.
    #[must_use]
    pub fn of(seen: Option<&Observed>) -> Self {
        seen.map_or(Self::Absent, |seen| Self::Revision(seen.revision.clone()))
    }
}

/// What a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Something new.
    Created,
    /// Something changed.
    Updated,
    /// Nothing to do.
    Unchanged,
    /// Something is removed.
    Removed,
    /// There was nothing to remove.
    Absent,
    /// It becomes ours.
    Adopted,
    /// It stops being ours.
    Released,
}

impl Change {
    /// The word for people and machines.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::Absent => "absent",
            Self::Adopted => "adopted",
            Self::Released => "released",
        }
    }
}

/// The steps from what is observed to what is asked. Nothing has changed yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The target's URL.
    pub target: String,
    /// What is asked, fitted to the target.
    pub desired: Desired,
    /// What it was made on.
    pub base: Base,
    /// What it comes to.
    pub change: Change,
    /// Every field that differs.
    pub fields: Vec<FieldChange>,
    /// The steps, in order. Empty when there is nothing to do.
    pub steps: Vec<Step>,
    /// Values the target rounds.
    pub approximations: Vec<Approximation>,
    /// What ties the spec to this target.
    pub costs: Vec<PortabilityCost>,
    /// What an interrupted run left and this plan finishes or clears.
    pub found: Vec<String>,
    /// What stays although removal was asked, and why.
    pub kept: Vec<String>,
}

impl Plan {
    /// A plan without steps.
    #[must_use]
    pub fn new(target: impl Into<String>, desired: Desired, base: Base, change: Change) -> Self {
        Self {
            target: target.into(),
            desired,
            base,
            change,
            fields: Vec::new(),
            steps: Vec::new(),
            approximations: Vec::new(),
            costs: Vec::new(),
            found: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Adds a step; its number is its place.
    pub fn push(&mut self, action: Action, guard: Base, why: Vec<FieldChange>) {
        let number = u32::try_from(self.steps.len()).unwrap_or(u32::MAX) + 1;
        self.steps.push(Step {
            number,
            action,
            guard,
            why,
        });
    }

    /// Whether applying it changes anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
