//! The steps of a plan.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Base;
use super::version::{Split, VersionId};
use crate::digest::Digest;
use crate::spec::FieldChange;

/// One write, or a group of writes that the provider makes atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// Its place in the plan, from 1.
    pub number: u32,
    /// What it does.
    pub action: Action,
    /// What must still be true.
    pub guard: Base,
    /// The field differences that make it necessary.
    pub why: Vec<FieldChange>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)
    }
}

/// What a step does. Adapters use those that fit and name their own with [`Action::Native`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Puts the artifact where the target can read it.
    Upload(Digest),
    /// Makes the function.
    Create,
    /// Changes the code.
    UpdateCode,
    /// Changes the configuration.
    Configure,
    /// Makes an immutable version.
    Publish,
    /// Starts the new version once and waits until it is ready.
    Check,
    /// Sets live traffic; `None` means: all to the version that this plan makes.
    Route(Option<Split>),
    /// Writes or clears the mark.
    Mark,
    /// Removes one version.
    RemoveVersion(VersionId),
    /// Clears what an interrupted run left, named in words.
    Clear(String),
    /// Removes waiting events and dead letters.
    Purge,
    /// Removes the function with everything that is its own.
    Remove,
    /// Something only this product has.
    Native {
        /// What it does, a verb phrase.
        does: String,
        /// The adapter's own parameters.
        with: String,
    },
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload(digest) => write!(f, "upload artifact {}", digest.short()),
            Self::Create => f.write_str("create the function"),
            Self::UpdateCode => f.write_str("update the code"),
            Self::Configure => f.write_str("update the configuration"),
            Self::Publish => f.write_str("publish a new version"),
            Self::Check => f.write_str("start the new version and wait until it is ready"),
            Self::Route(None) => f.write_str("send all traffic to the new version"),
            Self::Route(Some(split)) => write!(f, "send {split}"),
            Self::Mark => f.write_str("write the owner's mark"),
            Self::RemoveVersion(version) => write!(f, "remove version {version}"),
            Self::Clear(what) => write!(f, "clear {what}"),
            Self::Purge => f.write_str("discard waiting events and dead letters"),
            Self::Remove => f.write_str("remove the function"),
            Self::Native { does, .. } => f.write_str(does),
        }
    }
}
