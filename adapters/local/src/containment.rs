//! How functions' processes are held on this machine.

use anyport_core::Result;
use anyport_engine::{Containment, Engine, EngineConfig};

use crate::error;

/// How functions' processes are held on this machine: found out by starting what holds them, and stopping it again.
///
/// # Errors
/// `Unavailable` when functions cannot run here at all.
pub async fn containment() -> Result<Containment> {
    let engine = Engine::start(EngineConfig::default())
        .await
        .map_err(error::engine)?;
    let found = engine.containment();
    engine.shutdown().await;
    Ok(found)
}
