//! `versions`: the releases of a function that exist.

use anyport_core::error::Result;
use anyport_core::plan::Version;
use anyport_core::spec::Name;
use tracing::Instrument as _;

use crate::capabilities::need;
use crate::target::Target;

impl Target {
    /// The versions of `name`, oldest first, each with its share of the traffic.
    ///
    /// # Errors
    /// `Unsupported` where the target keeps no versions; `NotFound`, naming the nearest function; and whatever reading can fail with.
    pub async fn versions(&self, name: &Name) -> Result<Vec<Version>> {
        const VERB: &str = "list the versions of";
        async {
            need(
                &self.caps().await?.versions,
                "versions",
                VERB,
                name.as_str(),
            )?;
            Ok(self.seen(VERB, name).await?.versions)
        }
        .instrument(self.span("versions", name.as_str()))
        .await
    }
}
