//! What is there under one name, in the spec's own words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::version::{Split, Version};
use crate::mark::{Mark, Owner};
use crate::spec::{Fields, Name};

/// What is there under one name, in the spec's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Observed {
    /// The name.
    pub name: Name,
    /// Whose it is.
    pub owned: Owned,
    /// What changes whenever anything about the function changes.
    pub revision: String,
    /// What is there now, in the same fields that a spec has; read from the provider, never from the mark.
    pub fields: Fields,
    /// Versions that exist, oldest first.
    pub versions: Vec<Version>,
    /// How traffic is split, when anything is live.
    pub split: Option<Split>,
    /// Whether it serves.
    pub health: Health,
    /// Where it can be reached, if the target has addresses.
    pub endpoint: Option<String>,
    /// The provider's own ids, by what they name.
    pub ids: BTreeMap<String, String>,
    /// What an interrupted run left, in words.
    pub residue: Vec<String>,
    /// Asynchronous events that wait or were given up.
    pub events: EventCounts,
}

impl Observed {
    /// What is there under `name`: everything else at its empty value, serving.
    #[must_use]
    pub fn new(name: Name, owned: Owned, revision: impl Into<String>) -> Self {
        Self {
            name,
            owned,
            revision: revision.into(),
            fields: Fields::new(),
            versions: Vec::new(),
            split: None,
            health: Health::Ready,
            endpoint: None,
            ids: BTreeMap::new(),
            residue: Vec::new(),
            events: EventCounts::default(),
        }
    }

    /// The newest version.
    #[must_use]
    pub fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// Whether `protect` is set on what is there.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.fields
            .get("protect")
            .is_some_and(|value| value.expose() == "true")
    }
}

/// Asynchronous events of one function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCounts {
    /// Accepted and not yet delivered.
    pub waiting: u64,
    /// Given up, kept as dead letters.
    pub dead: u64,
}

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Owned {
    /// It carries a mark of Anyport; the text names the owner as far as it can be read.
    Marked {
        /// The mark.
        mark: Mark,
        /// The owner in words.
        owner: String,
    },
    /// Somebody else made it, named as far as can be read.
    Foreign(String),
}

impl Owned {
    /// Whether it carries this owner's mark.
    #[must_use]
    pub fn is_by(&self, owner: &Owner) -> bool {
        matches!(self, Self::Marked { mark, .. } if mark.is_by(owner))
    }

    /// The owner in words.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Marked { owner, .. } => owner,
            Self::Foreign(words) => words,
        }
    }
}

/// Whether it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Health {
    /// It serves.
    Ready,
    /// A change is under way.
    Pending,
    /// It does not serve; the provider's reason.
    Failed(String),
    /// There is a record, but nothing is live.
    Empty,
}
