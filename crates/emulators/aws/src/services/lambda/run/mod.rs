//! What runs: one pool per version of a function.

use crate::config::Config;

/// The pools.
#[derive(Debug)]
pub(crate) struct Runs {}

impl Runs {
    /// None yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self {}
    }

    /// Ends all of them.
    pub(crate) async fn stop(&self) {}
}
