//! `traffic`: splits live traffic over versions.

use anyport_core::error::Result;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Force, Split, State};
use anyport_core::spec::Name;

use crate::target::Target;

impl Target {
    /// Splits the live traffic of `name`.
    ///
    /// # Errors
    /// `Unsupported` where traffic cannot be split, or not over so many versions; `NotFound` when the function or one of the versions is not
    /// there; `Forbidden` when it is protected; and as for [`apply`](Self::apply).
    pub async fn traffic(&self, name: &Name, split: Split) -> Result<Outcome> {
        self.traffic_with(name, split, Force::default()).await
    }

    /// Splits the live traffic of `name`, although it is protected if `force` says so.
    ///
    /// # Errors
    /// As for [`traffic`](Self::traffic).
    pub async fn traffic_with(&self, name: &Name, split: Split, force: Force) -> Result<Outcome> {
        let desired = self
            .desired(name.clone(), State::Traffic(split))
            .with_force(force);
        self.change("split the traffic of", desired).await
    }
}
