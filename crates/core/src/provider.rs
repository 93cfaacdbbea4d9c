//! The trait that an adapter implements: small, object-safe, every method required.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::call::{Accepted, Call, DeadLetter, Identity, LogLine, LogQuery, Reply};
use crate::capability::Capabilities;
use crate::content::Content;
use crate::context::Ctx;
use crate::digest::Digest;
use crate::error::Result;
use crate::mark::Owner;
use crate::outcome::{Outputs, StepDone};
use crate::plan::{Desired, Health, Observed, Owned, Plan, Step, VersionId};
use crate::spec::Name;
use crate::target::TargetUrl;

/// One product in one place, for adapter authors. Users hold the client's `Target`, which validates, checks capabilities,
/// orders steps and audits, once for every adapter.
///
/// Rules for implementers:
/// - every request to the provider goes through [`Ctx::call`]; writes happen only inside [`apply`](Self::apply);
/// - [`plan`](Self::plan) is pure; it compares observed fields with asked fields, never the mark alone;
/// - nothing whose [`Owned`] is not the asker's is changed, except by `Adopt`;
/// - what the target cannot do is refused as `Unsupported` before any write.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The target's URL.
    fn id(&self) -> &TargetUrl;

    /// Who the caller is to the target and where requests go. Reads only.
    ///
    /// # Errors
    /// `Unauthorized`, `Unavailable`, and whatever else reading can fail with.
    async fn identify(&self, cx: &Ctx) -> Result<Identity>;

    /// What the target can do. Reads only.
    ///
    /// # Errors
    /// As for every read.
    async fn discover(&self, cx: &Ctx) -> Result<Capabilities>;

    /// What is there under `name`. Reads only; `None` when nothing is.
    ///
    /// # Errors
    /// As for every read.
    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>>;

    /// One page of what is there, ordered by name. Reads only.
    ///
    /// # Errors
    /// As for every read. What exists but cannot be read is an [`Entry::Unreadable`], not an error.
    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page>;

    /// The steps from `seen` to `want`. Pure. `want`'s spec is already fitted to `caps`.
    ///
    /// # Errors
    /// `AlreadyExists` when what is there is not the asker's; `Conflict` when a change is under way or traffic is split; `Forbidden` when it is protected;
    /// `NotFound` when what should change is not there; `Unsupported` when the target cannot.
    fn plan(&self, caps: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan>;

    /// Takes one step of `plan`, all of its writes through [`Ctx::call`].
    ///
    /// # Errors
    /// `Conflict` when the step's guard does not hold any more; `RolloutFailed` when a release cannot start; whatever the provider fails with.
    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone>;

    /// Calls a function and waits for its answer.
    ///
    /// # Errors
    /// `NotFound`, `PayloadTooLarge`, `Function`, `Timeout`, `Throttled`, and whatever the provider fails with.
    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply>;

    /// Accepts an asynchronous invocation durably.
    ///
    /// # Errors
    /// `NotFound` for a function that does not exist, `PayloadTooLarge`, `Unsupported`.
    async fn enqueue(&self, cx: &Ctx, call: Call) -> Result<Accepted>;

    /// Events of a function that were given up, oldest first.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported`.
    async fn dead_letters(
        &self,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>>;

    /// The bytes of the artifact with this digest, which a version of `name` runs. Reads only; they are fetched when the content is opened.
    ///
    /// # Errors
    /// `NotFound` when no version runs it; `Unsupported` where the target does not give artifacts back.
    async fn artifact(&self, cx: &Ctx, name: &Name, digest: Digest) -> Result<Arc<dyn Content>>;

    /// Log lines, oldest first.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported`.
    async fn logs(&self, cx: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>>;

    /// The vendor's own client, for what this interface does not cover. Not covered by semantic versioning.
    fn raw(&self) -> &(dyn Any + Send + Sync);
}

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// What carries this owner's mark.
    Owned(Owner),
    /// Everything, also what others made.
    Everything,
}

/// Where a page ended. Opaque to everyone but the adapter that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// What is on it.
    pub entries: Vec<Entry>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
}

impl Page {
    /// A page, and where to go on.
    #[must_use]
    pub const fn new(entries: Vec<Entry>, next: Option<Cursor>) -> Self {
        Self { entries, next }
    }
}

/// One function in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// A function that could be read.
    Function(Summary),
    /// Something that is there and could not be read.
    Unreadable {
        /// Its name, as the provider has it.
        name: String,
        /// Why.
        why: String,
    },
}

/// A function in a listing, as far as listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The name, as the provider has it: what others made need not follow our rules.
    pub name: String,
    /// Whose it is.
    pub owned: Owned,
    /// Whether it serves.
    pub health: Health,
    /// The newest version.
    pub version: Option<VersionId>,
}

impl Summary {
    /// A function that serves.
    #[must_use]
    pub fn new(name: impl Into<String>, owned: Owned) -> Self {
        Self {
            name: name.into(),
            owned,
            health: Health::Ready,
            version: None,
        }
    }
}
