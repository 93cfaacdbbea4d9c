//! What the target is told once, when it is opened.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a local target.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The state folder of `local://`; a URL with a path names its own. Made by the first change.
    pub state: PathBuf,
    /// The most instances of one version that run at a time, and what functions get that ask for no cap.
    /// Default: 100 for each processor, at most 1,000.
    pub max_instances: u32,
    /// How long an idle instance is kept. Default: 5 minutes.
    pub idle_after: Duration,
    /// How long an instance may take to get ready. Default: 10 seconds.
    pub start_limit: Duration,
    /// Whether this process delivers asynchronous events while it holds the target. Default: yes.
    ///
    /// A process that only looks (a listing, a status) leaves delivery to those that stay.
    pub deliver: bool,
    /// The Python for bundles. Default: `python3` on the path.
    pub python: PathBuf,
    /// The Node.js for bundles. Default: `node` on the path.
    pub node: PathBuf,
}

impl Config {
    /// Default settings with the given state folder.
    #[must_use]
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            state: state.into(),
            max_instances: u32::try_from(processors)
                .unwrap_or(u32::MAX)
                .saturating_mul(100)
                .min(1_000),
            idle_after: Duration::from_secs(300),
            start_limit: Duration::from_secs(10),
            deliver: true,
            python: PathBuf::from("python3"),
            node: PathBuf::from("node"),
        }
    }

    /// Sets whether this process delivers asynchronous events.
    #[must_use]
    pub const fn deliver(mut self, deliver: bool) -> Self {
        self.deliver = deliver;
        self
    }

    /// Sets the most instances of one version.
    #[must_use]
    pub const fn max_instances(mut self, most: u32) -> Self {
        self.max_instances = most;
        self
    }

    /// Sets how long an idle instance is kept.
    #[must_use]
    pub const fn idle_after(mut self, time: Duration) -> Self {
        self.idle_after = time;
        self
    }
}
