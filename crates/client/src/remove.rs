//! `remove`: takes away all that is a function's own.

use anyport_core::error::Result;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Force, State};
use anyport_core::spec::Name;

use crate::target::Target;

/// How a function is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removal {
    /// Also discards waiting events and dead letters; otherwise those that are not empty stay, and the outcome names them.
    pub purge: bool,
    /// Removes it although it is protected.
    pub force: bool,
}

impl Removal {
    /// Also discards waiting events and dead letters.
    #[must_use]
    pub const fn purge(mut self, purge: bool) -> Self {
        self.purge = purge;
        self
    }

    /// Removes it although it is protected.
    #[must_use]
    pub const fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }
}

impl Target {
    /// Removes `name` with everything that is its own. When nothing is there, the outcome is `Absent`.
    ///
    /// # Errors
    /// `AlreadyExists` when what is there is not this owner's; `Forbidden` when it is protected and not forced; `Incomplete` when some of it is
    /// gone and some is not; and whatever the provider fails with.
    pub async fn remove(&self, name: &Name, removal: Removal) -> Result<Outcome> {
        let state = State::Absent {
            purge: removal.purge,
        };
        let force = Force {
            protected: removal.force,
            ..Force::default()
        };
        let desired = self.desired(name.clone(), state).with_force(force);
        self.change("remove", desired).await
    }
}
