//! `local://`: functions as processes on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_core::error::Result;
use anyport_core::provider::Provider;
use anyport_core::target::TargetUrl;
pub use anyport_local::{Config, Containment, containment};
use futures_core::future::BoxFuture;

use crate::connect::{Connect, Settings};
use crate::state::Keeper;

impl Connect {
    /// Settings for a `local://` target. Without them, the state folder of a URL without a path is the user's own: see [`state_folder`].
    #[must_use]
    pub fn local(mut self, config: Config) -> Self {
        self.settings.local = Some(config);
        self
    }
}

/// The user's state folder: `$ANYPORT_STATE`, else `$XDG_STATE_HOME/anyport/local`, else `~/.local/state/anyport/local`.
///
/// # Errors
/// `InvalidSpec` when `ANYPORT_STATE` is set to a path that is not absolute; `NotFound` when none of `ANYPORT_STATE`, `XDG_STATE_HOME` and
/// `HOME` is set to an absolute path.
pub fn state_folder() -> Result<PathBuf> {
    Keeper::Local.folder()
}

pub(crate) fn open(
    url: TargetUrl,
    settings: Settings,
) -> BoxFuture<'static, Result<Arc<dyn Provider>>> {
    Box::pin(async move {
        let config = match settings.local {
            Some(config) => config,
            None if url.place().is_empty() => Config::new(state_folder()?),
            None => Config::new(Path::new(url.place())),
        };
        anyport_local::connect(&url, config)
    })
}
