//! The contract's words in the platform's. Pure.

use anyport_core::spec::{Packaging, Protocol};

use crate::capability::MAX_INSTANCES;
use crate::protocol::Launch;
use crate::state::Live;

/// What a release's daemon is to run.
#[must_use]
pub fn launch(live: &Live) -> Launch {
    let spec = &live.spec;
    let http = matches!(
        spec.artifact.packaging,
        Packaging::Zip {
            protocol: Protocol::Http,
            ..
        }
    );
    Launch {
        function: spec.name.to_string(),
        version: live.version().to_string(),
        http,
        memory_mb: spec.memory_mb,
        timeout_ms: u64::try_from(spec.timeout.as_millis()).unwrap_or(u64::MAX),
        max_instances: spec.max_instances.unwrap_or(MAX_INSTANCES),
        env: spec.env.clone(),
    }
}
