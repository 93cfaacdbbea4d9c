//! The engine on systems where it runs nothing: it can't be started, so the rest is never called.

use std::convert::Infallible;
use std::time::Duration;

use crate::config::{Containment, EngineConfig};
use crate::error::{EngineError, InvokeError, StartFailure};
use crate::request::{Request, Response};
use crate::spec::{PoolSpec, PoolStats};

/// Runs functions; not on this system.
#[derive(Clone)]
pub struct Engine(Infallible);

/// One version of one function; not on this system.
#[derive(Debug, Clone)]
pub struct Pool(Infallible);

impl Engine {
    /// Fails.
    ///
    /// # Errors
    /// Always [`EngineError::Unsupported`].
    pub async fn start(_config: EngineConfig) -> Result<Self, EngineError> {
        Err(EngineError::Unsupported {
            os: std::env::consts::OS,
        })
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn pool(&self, _spec: PoolSpec) -> Result<Pool, EngineError> {
        match self.0 {}
    }

    /// Is never called.
    #[must_use]
    pub fn live_instances(&self) -> usize {
        match self.0 {}
    }

    /// Is never called.
    #[must_use]
    pub fn guardian_pid(&self) -> Option<u32> {
        match self.0 {}
    }

    /// Is never called.
    #[must_use]
    pub fn containment(&self) -> Containment {
        match self.0 {}
    }

    /// Is never called.
    pub async fn shutdown(&self) {
        match self.0 {}
    }
}

impl Pool {
    /// Is never called.
    #[must_use]
    pub fn spec(&self) -> &PoolSpec {
        match self.0 {}
    }

    /// Is never called.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub async fn probe(&self) -> Result<Duration, StartFailure> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub async fn warm(&self, _count: usize) -> Result<(), StartFailure> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub async fn invoke(&self, _request: Request) -> Result<Response, InvokeError> {
        match self.0 {}
    }

    /// Is never called.
    pub async fn drain(&self) {
        match self.0 {}
    }

    /// Is never called.
    pub async fn close(&self) {
        match self.0 {}
    }
}
