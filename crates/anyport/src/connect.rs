//! Opening a target by its URL.

use std::sync::Arc;

use anyport_client::{Cancel, Observer, Options, Progress, Target, Timeouts};
use anyport_core::context::RetryPolicy;
use anyport_core::error::{Error, ErrorKind, Result, Violation, Violations};
use anyport_core::mark::Owner;
use anyport_core::target::TargetUrl;

use crate::scheme;

/// Opens the target at `url` in the name of the application `default`, installation `default`. Choose the owner with [`Connect`].
///
/// # Errors
/// As for [`Connect::connect`].
pub async fn connect(url: impl Into<String>) -> Result<Target> {
    Connect::new(url).connect().await
}

/// How to open a target.
#[derive(Debug, Clone)]
pub struct Connect {
    url: String,
    options: Options,
    pub(crate) settings: Settings,
}

/// What adapters are told beside the URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Settings of `local://`.
    #[cfg(feature = "local")]
    pub(crate) local: Option<anyport_local::Config>,
    /// Settings of `lambda://`.
    #[cfg(feature = "aws")]
    pub(crate) lambda: Option<anyport_aws::Config>,
}

impl Connect {
    /// The target at `url`, with the defaults: application `default`, installation `default`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            options: Options::new(Owner::new("default", "default")),
            settings: Settings::default(),
        }
    }

    /// In whose name things are changed: an application, and one of its installations.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.options.owner = owner;
        self
    }

    /// How calls that may be repeated are repeated.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.options.retry = retry;
        self
    }

    /// How long verbs may take.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = timeouts;
        self
    }

    /// Who is told what happens to a plan while it is applied.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.options.progress = Some(progress);
        self
    }

    /// Who is told of every call.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.options.observer = Some(observer);
        self
    }

    /// Shares a handle that stops everything under way.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.options.cancel = cancel;
        self
    }

    /// Replaces all the options above at once.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Opens the target.
    ///
    /// # Errors
    /// `InvalidSpec` when the text is not a target's URL; `Unsupported` when no adapter knows its scheme, naming those that are known and the
    /// nearest; and what the adapter fails with.
    pub async fn connect(self) -> Result<Target> {
        let url: TargetUrl = self.url.parse().map_err(not_a_target)?;
        let open = scheme::find(&url)?;
        let provider = open(url, self.settings).await?;
        Ok(Target::new(provider, self.options))
    }
}

/// The refusal already words itself for people and hides what may be a password.
fn not_a_target(refusal: anyport_core::target::InvalidTarget) -> Error {
    let violation = Violation::new("target", refusal.to_string()).nearest("local://");
    Error::new(
        ErrorKind::InvalidSpec(Violations::from(vec![violation])),
        "connect",
    )
}
