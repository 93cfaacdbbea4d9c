//! `release`: gives up what is ours without stopping it.

use anyport_core::error::Result;
use anyport_core::outcome::Outcome;
use anyport_core::plan::State;
use anyport_core::spec::Name;

use crate::target::Target;

impl Target {
    /// Gives up `name`: it runs on unchanged, and this owner will not change or remove it any more.
    ///
    /// # Errors
    /// `NotFound`, naming the nearest function; `AlreadyExists` when it is not this owner's; `Unsupported`; and as for [`apply`](Self::apply).
    pub async fn release(&self, name: &Name) -> Result<Outcome> {
        self.change("release", self.desired(name.clone(), State::Release))
            .await
    }
}
