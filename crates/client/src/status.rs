//! `status`: what is there under a name.

use anyport_core::error::Result;
use anyport_core::plan::Observed;
use anyport_core::spec::Name;
use tracing::Instrument as _;

use crate::target::Target;

impl Target {
    /// What is there under `name`, whoever made it.
    ///
    /// # Errors
    /// `NotFound`, naming the nearest function; and whatever reading can fail with.
    pub async fn status(&self, name: &Name) -> Result<Observed> {
        self.seen("read the status of", name)
            .instrument(self.span("status", name.as_str()))
            .await
    }

    /// What is there under `name`, which must be there.
    pub(crate) async fn seen(&self, verb: &'static str, name: &Name) -> Result<Observed> {
        let cx = self.read_cx(verb);
        match self.observe(&cx, name).await? {
            Some(seen) => Ok(seen),
            None => Err(self.not_found(verb, name).await),
        }
    }
}
