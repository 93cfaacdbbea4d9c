//! The engine on systems where it runs nothing: it can't be started, so the rest is never called.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use crate::config::{Containment, EngineConfig};
use crate::error::{EngineError, InvokeError, StartFailure, StartFailureKind};
use crate::request::{Metrics, Request, Response};
use crate::spec::{Interpreter, Language, PoolSpec, PoolStats};

/// Runs functions; not on this system.
#[derive(Clone)]
pub struct Engine(Infallible);

/// One version of one function; not on this system.
#[derive(Debug, Clone)]
pub struct Pool(Infallible);

/// What is known of a call; not on this system.
#[derive(Debug)]
pub struct Trail(Infallible);

impl Trail {
    /// Is never called.
    #[must_use]
    pub fn instance(&self) -> &str {
        match self.0 {}
    }

    /// Is never called.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        match self.0 {}
    }
}

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
    ///
    /// # Errors
    /// None.
    pub async fn interpreter(
        &self,
        _language: Language,
        _name: Option<&Path>,
    ) -> Result<Interpreter, StartFailureKind> {
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
    pub async fn invoke_traced(
        &self,
        _request: Request,
    ) -> (Result<Response, InvokeError>, Option<Trail>) {
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
