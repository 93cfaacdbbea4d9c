//! The handle that users hold.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyport_core::capability::Capabilities;
use anyport_core::context::{Ctx, RetryPolicy, Seam};
use anyport_core::mark::Owner;
use anyport_core::plan::{Desired, State};
use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use anyport_core::target::TargetUrl;
use tokio::sync::OnceCell;

use crate::options::{Options, Timeouts};
use crate::progress::{Event, Progress};
use crate::seam::{Calls, Cancel, LiveSeam};

/// One product in one place: deploy, invoke and inspect functions there. Cheap to clone; clones share connections, counters and
/// cancellation.
#[derive(Clone)]
pub struct Target(Arc<Inner>);

struct Inner {
    provider: Arc<dyn Provider>,
    owner: Owner,
    retry: RetryPolicy,
    timeouts: Timeouts,
    progress: Option<Arc<dyn Progress>>,
    seam: Arc<dyn Seam>,
    cancel: Cancel,
    calls: Calls,
    capabilities: OnceCell<Arc<Capabilities>>,
    #[cfg(feature = "mutants")]
    mutation: Option<crate::mutation::Mutation>,
}

impl Target {
    /// Wraps an adapter. Nothing is called yet.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, options: Options) -> Self {
        let calls = Calls::default();
        let seam = options.seam.unwrap_or_else(|| {
            Arc::new(LiveSeam::new(
                options.cancel.clone(),
                calls.clone(),
                options.observer,
            ))
        });
        Self(Arc::new(Inner {
            provider,
            owner: options.owner,
            retry: options.retry,
            timeouts: options.timeouts,
            progress: options.progress,
            seam,
            cancel: options.cancel,
            calls,
            capabilities: OnceCell::new(),
            #[cfg(feature = "mutants")]
            mutation: options.mutation,
        }))
    }

    /// The target's URL.
    #[must_use]
    pub fn id(&self) -> &TargetUrl {
        self.0.provider.id()
    }

    /// In whose name things are changed.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// The adapter underneath.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.0.provider
    }

    /// The vendor's own client, for what this interface does not cover. Not covered by semantic versioning.
    #[must_use]
    pub fn raw(&self) -> &(dyn Any + Send + Sync) {
        self.0.provider.raw()
    }

    /// The handle that stops everything this target has under way.
    #[must_use]
    pub fn canceller(&self) -> Cancel {
        self.0.cancel.clone()
    }

    /// What was sent so far, by operation. Stays at zero when the options brought their own seam.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Asks for `state` of `name` in the name of this target's owner: a start for [`plan`](Self::plan).
    #[must_use]
    pub fn desired(&self, name: Name, state: State) -> Desired {
        Desired::new(name, self.0.owner.clone(), state)
    }

    /// A context for `verb` that ends `timeout` from now.
    pub(crate) fn cx(&self, verb: &'static str, timeout: Duration) -> Ctx {
        Ctx::new(Arc::clone(&self.0.seam))
            .for_verb(verb)
            .with_retry(self.0.retry)
            .with_timeout(timeout)
    }

    pub(crate) fn read_cx(&self, verb: &'static str) -> Ctx {
        self.cx(verb, self.0.timeouts.read)
    }

    pub(crate) fn change_cx(&self, verb: &'static str) -> Ctx {
        self.cx(verb, self.0.timeouts.change)
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.0.timeouts
    }

    pub(crate) fn seam(&self) -> &Arc<dyn Seam> {
        &self.0.seam
    }

    pub(crate) fn capabilities_cell(&self) -> &OnceCell<Arc<Capabilities>> {
        &self.0.capabilities
    }

    #[cfg(feature = "mutants")]
    pub(crate) fn mutation(&self) -> Option<crate::mutation::Mutation> {
        self.0.mutation
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        if let Some(progress) = &self.0.progress {
            progress.on(event);
        }
    }

    /// The span of one verb; every call it makes is traced inside it.
    pub(crate) fn span(&self, verb: &'static str, name: &str) -> tracing::Span {
        tracing::info_span!(target: "anyport", "verb", verb, on = self.id().as_str(), name)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("id", self.id())
            .field("owner", self.owner())
            .finish_non_exhaustive()
    }
}
