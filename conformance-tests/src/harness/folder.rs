//! A harness for adapters that keep all of their state in one folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use async_trait::async_trait;

use super::{Edit, FileKind, Harness, Inventory, Missing, Site};

/// What the suite must know of a folder's layout.
#[async_trait]
pub trait FolderHooks: Send + Sync + 'static {
    /// Opens the folder as a new client process would.
    ///
    /// # Errors
    /// Whatever connecting fails with.
    async fn open(&self, folder: &Path) -> anyport_core::Result<Arc<dyn Provider>>;

    /// What a file is, by its path from the folder. A thing of its own unless overridden.
    fn kind(&self, path: &str) -> FileKind {
        let _ = path;
        FileKind::Thing
    }

    /// Puts something called `name` there that carries no mark.
    ///
    /// # Errors
    /// [`Missing`] with the reason.
    fn foreign(&self, folder: &Path, name: &Name) -> Result<(), Missing>;

    /// Changes one field of a deployed function.
    ///
    /// # Errors
    /// [`Missing`] with the reason.
    fn tamper(&self, folder: &Path, name: &Name, edit: &Edit) -> Result<(), Missing>;

    /// Makes a deployed function unreadable.
    ///
    /// # Errors
    /// [`Missing`] with the reason.
    fn spoil(&self, folder: &Path, name: &Name) -> Result<(), Missing>;

    /// Stores a secret and returns its reference.
    ///
    /// # Errors
    /// [`Missing`] with the reason.
    fn secret(&self, folder: &Path, name: &str, value: &str) -> Result<String, Missing>;
}

/// A harness whose places are new folders inside one folder.
#[derive(Debug)]
pub struct Folder<H> {
    target: String,
    parent: PathBuf,
    hooks: Arc<H>,
}

impl<H: FolderHooks> Folder<H> {
    /// Places for `target` inside `parent`, which need not exist yet.
    pub fn new(target: impl Into<String>, parent: impl Into<PathBuf>, hooks: H) -> Self {
        Self {
            target: target.into(),
            parent: parent.into(),
            hooks: Arc::new(hooks),
        }
    }
}

#[async_trait]
impl<H: FolderHooks> Harness for Folder<H> {
    fn target(&self) -> String {
        self.target.clone()
    }

    async fn fresh(&self, seed: u64) -> Result<Box<dyn Site>, Missing> {
        let folder = self
            .parent
            .join(format!("{}-{seed:016x}", std::process::id()));
        let said = folder.display().to_string();
        if folder.exists() {
            return Err(Missing::because(format!("{said} is in use")));
        }
        std::fs::create_dir_all(&folder)
            .map_err(|error| Missing::because(format!("cannot create {said}: {error}")))?;
        Ok(Box::new(Place {
            folder,
            hooks: Arc::clone(&self.hooks),
        }))
    }
}

struct Place<H> {
    folder: PathBuf,
    hooks: Arc<H>,
}

#[async_trait]
impl<H: FolderHooks> Site for Place<H> {
    async fn open(&self) -> anyport_core::Result<Arc<dyn Provider>> {
        self.hooks.open(&self.folder).await
    }

    async fn inventory(&self) -> Result<Inventory, Missing> {
        Inventory::of_folder(&self.folder, &|path| self.hooks.kind(path)).map_err(|error| {
            Missing::because(format!("cannot list {}: {error}", self.folder.display()))
        })
    }

    async fn foreign(&self, name: &Name) -> Result<(), Missing> {
        self.hooks.foreign(&self.folder, name)
    }

    async fn tamper(&self, name: &Name, edit: &Edit) -> Result<(), Missing> {
        self.hooks.tamper(&self.folder, name, edit)
    }

    async fn spoil(&self, name: &Name) -> Result<(), Missing> {
        self.hooks.spoil(&self.folder, name)
    }

    async fn secret(&self, name: &str, value: &str) -> Result<String, Missing> {
        self.hooks.secret(&self.folder, name, value)
    }

    async fn with_endpoint(&self, _: &str) -> Option<anyport_core::Result<Arc<dyn Provider>>> {
        None
    }

    async fn clean(&self) {
        // What cannot be removed is found by the suite's look at what is left.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl<H> Drop for Place<H> {
    fn drop(&mut self) {
        // A case that panicked is cleaned up all the same.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
