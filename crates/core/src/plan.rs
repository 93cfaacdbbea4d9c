//! What is asked for, what is there, and the steps between, made before anything changes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::capability::{Approximation, PortabilityCost};
use crate::content::Content;
use crate::digest::Digest;
use crate::mark::{Mark, Owner};
use crate::spec::{FieldChange, Fields, Name, Spec};

/// What is asked of one name. Everything that changes something is a `Desired` and a [`Plan`].
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

/// A version's id, as the target names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionId(String);

impl VersionId {
    /// Wraps the target's own id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shares of traffic in whole percent. The shares add up to 100 and none is 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<VersionId, u8>", into = "BTreeMap<VersionId, u8>")]
pub struct Split(BTreeMap<VersionId, u8>);

/// Shares that do not add up to 100, or a share of 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("traffic shares must be 1 to 100 percent each and add up to 100, these add up to {sum}")]
pub struct InvalidSplit {
    /// What they add up to.
    pub sum: u32,
}

impl Split {
    /// All traffic to one version.
    #[must_use]
    pub fn all_to(version: VersionId) -> Self {
        Self(BTreeMap::from([(version, 100)]))
    }

    /// Traffic by shares. Shares of 0 are dropped.
    ///
    /// # Errors
    /// [`InvalidSplit`] when the shares do not add up to 100.
    pub fn new(shares: impl IntoIterator<Item = (VersionId, u8)>) -> Result<Self, InvalidSplit> {
        let mut map: BTreeMap<VersionId, u8> = BTreeMap::new();
        let mut sum = 0u32;
        for (version, share) in shares.into_iter().filter(|(_, share)| *share > 0) {
            sum += u32::from(share);
            let total = map.entry(version).or_default();
            *total = total.saturating_add(share);
        }
        if sum == 100 {
            Ok(Self(map))
        } else {
            Err(InvalidSplit { sum })
        }
    }

    /// The shares by version.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = (&VersionId, u8)> {
        self.0.iter().map(|(version, share)| (version, *share))
    }

    /// The only version, when there is just one.
    #[must_use]
    pub fn only(&self) -> Option<&VersionId> {
        if self.0.len() == 1 {
            self.0.keys().next()
        } else {
            None
        }
    }

    /// The share of a version, 0 when it has none.
    #[must_use]
    pub fn share(&self, version: &VersionId) -> u8 {
        self.0.get(version).copied().unwrap_or_default()
    }
}

impl TryFrom<BTreeMap<VersionId, u8>> for Split {
    type Error = InvalidSplit;

    fn try_from(map: BTreeMap<VersionId, u8>) -> Result<Self, Self::Error> {
        Self::new(map)
    }
}

impl From<Split> for BTreeMap<VersionId, u8> {
    fn from(split: Split) -> Self {
        split.0
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (version, share)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{share}% to version {version}")?;
        }
        Ok(())
    }
}

/// An immutable release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// The id.
    pub id: VersionId,
    /// When it was made, where the target says.
    pub created: Option<SystemTime>,
    /// The artifact it runs, where the target says.
    pub artifact: Option<Digest>,
    /// Its share of live traffic in percent.
    pub share: u8,
}

impl Version {
    /// A version that carries `share` percent of the traffic.
    #[must_use]
    pub const fn new(id: VersionId, share: u8) -> Self {
        Self {
            id,
            created: None,
            artifact: None,
            share,
        }
    }
}

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
