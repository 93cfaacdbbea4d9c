//! `identify`: who the caller is to the target.

use anyport_core::call::Identity;
use anyport_core::error::Result;
use tracing::Instrument as _;

use crate::plan::named;
use crate::target::Target;

impl Target {
    /// Who the caller is to the target and where requests go: to be shown before any write.
    ///
    /// # Errors
    /// `Unauthorized`, `Unavailable`, and whatever else reading can fail with.
    pub async fn identify(&self) -> Result<Identity> {
        let cx = self.read_cx("identify the caller at");
        self.provider()
            .identify(&cx)
            .instrument(self.span("identify", ""))
            .await
            .map_err(|error| named(error, self.id()))
    }
}
