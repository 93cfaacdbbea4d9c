//! `capabilities`: what the target can do, discovered once.

use std::sync::Arc;

use anyport_core::capability::{Capabilities, Support};
use anyport_core::error::{Error, ErrorKind, Result};
use tracing::Instrument as _;

use crate::plan::named;
use crate::target::Target;

impl Target {
    /// What the target can do, with its limits. Discovered at the first use and kept: a new target discovers anew.
    ///
    /// # Errors
    /// As for every read. A failure is not kept.
    pub async fn capabilities(&self) -> Result<Arc<Capabilities>> {
        self.caps().await.cloned()
    }

    pub(crate) async fn caps(&self) -> Result<&Arc<Capabilities>> {
        if let Some(known) = self.capabilities_cell().get() {
            return Ok(known);
        }
        self.capabilities_cell()
            .get_or_try_init(|| async {
                let cx = self.read_cx("read the capabilities of");
                match self.provider().discover(&cx).await {
                    Ok(caps) => Ok(Arc::new(caps)),
                    Err(error) => Err(named(error, self.id())),
                }
            })
            .instrument(self.span("capabilities", ""))
            .await
    }
}

/// Refuses `verb` on `resource` when the target lacks `capability`.
pub(crate) fn need<'a, T>(
    support: &'a Support<T>,
    capability: &str,
    verb: &'static str,
    resource: &str,
) -> Result<&'a T> {
    support.get().ok_or_else(|| {
        unsupported(
            capability,
            support.hint().unwrap_or_default(),
            verb,
            resource,
        )
    })
}

pub(crate) fn unsupported(
    capability: &str,
    hint: &str,
    verb: &'static str,
    resource: &str,
) -> Error {
    Error::new(
        ErrorKind::Unsupported {
            capability: capability.to_owned(),
            hint: hint.to_owned(),
        },
        verb,
    )
    .on(resource)
}
