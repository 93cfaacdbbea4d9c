//! `adopt`: makes ours what others made.

use anyport_core::error::Result;
use anyport_core::outcome::Outcome;
use anyport_core::plan::State;
use anyport_core::spec::Name;

use crate::target::Target;

impl Target {
    /// Takes over `name`, which carries another mark or none. It runs on unchanged; from now on this owner may change and remove it.
    ///
    /// # Errors
    /// `NotFound`, naming the nearest function; `Unsupported`; and as for [`apply`](Self::apply).
    pub async fn adopt(&self, name: &Name) -> Result<Outcome> {
        self.change("adopt", self.desired(name.clone(), State::Adopt))
            .await
    }
}
