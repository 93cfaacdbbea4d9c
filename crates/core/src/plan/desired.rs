//! What is asked of one name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::version::Split;
use crate::content::Content;
use crate::mark::Owner;
use crate::spec::{Name, Spec};

/// What is asked of one name. Everything that changes something is a `Desired` and a [`Plan`](super::Plan).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Desired {
    /// The name.
    pub name: Name,
    /// Who asks.
    pub owner: Owner,
    /// The state asked for.
    pub state: State,
    /// Go on where the contract would otherwise stop and ask.
    #[serde(default)]
    pub force: Force,
    /// The artifact's bytes, for states that need them. Not part of a saved plan.
    #[serde(skip)]
    pub content: Option<Arc<dyn Content>>,
}

impl Desired {
    /// Asks for `state` of `name` in the name of `owner`.
    #[must_use]
    pub const fn new(name: Name, owner: Owner, state: State) -> Self {
        Self {
            name,
            owner,
            state,
            force: Force {
                protected: false,
                split: false,
            },
            content: None,
        }
    }

    /// Attaches the artifact's bytes.
    #[must_use]
    pub fn with_content(mut self, content: Arc<dyn Content>) -> Self {
        self.content = Some(content);
        self
    }

    /// Sets what to go on with.
    #[must_use]
    pub const fn with_force(mut self, force: Force) -> Self {
        self.force = force;
        self
    }
}

/// What the caller insists on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Force {
    /// Change or remove although it is protected.
    pub protected: bool,
    /// Deploy although traffic is split; the split ends.
    pub split: bool,
}

/// The state asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// The spec is deployed and live.
    Present(Box<Spec>),
    /// Traffic is split like this.
    Traffic(Split),
    /// Nothing of ours is left.
    Absent {
        /// Also queues and dead letters that still hold events.
        purge: bool,
    },
    /// What is there without a mark, or with another's, is ours from now on, unchanged otherwise.
    Adopt,
    /// What is there keeps running and is not ours any more.
    Release,
}
