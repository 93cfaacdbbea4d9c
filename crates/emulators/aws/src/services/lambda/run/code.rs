//! Unpacked deployment packages, one folder for each digest.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyport_package::Limits;
use tokio::sync::Mutex as AsyncMutex;

use crate::answer::ApiError;
use crate::call::Service;
use crate::cloud::Cloud;
use crate::services::lambda::version::Code;

/// Bytes of all files in a package. Source: Lambda developer guide, quotas.
const UNPACKED_BYTES: u64 = 262_144_000;

/// The folders in use.
#[derive(Debug, Default)]
pub(super) struct Folders {
    folders: Mutex<HashMap<String, Arc<AsyncMutex<Weak<Folder>>>>>,
    /// Numbers folders, so that one that is being removed is in nobody's way.
    next: Mutex<u64>,
}

/// An unpacked package; its files go when nobody needs them any more.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        // Removing many files takes a while, and this may be a thread that others wait for.
        std::thread::spawn(move || fs::remove_dir_all(path));
    }
}

impl Folders {
    /// The package's files, unpacked if they are not yet.
    ///
    /// # Errors
    /// The package is damaged or the disk does not take it.
    pub(super) async fn unpacked(
        &self,
        cloud: &Cloud,
        package: &Code,
    ) -> Result<Arc<Folder>, ApiError> {
        let entry = {
            let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            folders.retain(|_, entry| match entry.try_lock() {
                Ok(folder) => folder.strong_count() > 0,
                Err(_) => true,
            });
            Arc::clone(folders.entry(package.sha256.clone()).or_default())
        };
        let mut held = entry.lock().await;
        if let Some(folder) = held.upgrade() {
            return Ok(folder);
        }
        let archive = package
            .blob()
            .cloned()
            .ok_or_else(|| ApiError::internal(Service::Lambda, "the package is gone"))?;
        let number = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next
        };
        let root = cloud.folder.join("unpacked");
        let first = number == 1;
        let path = root.join(format!("{}-{number}", package.sha256));
        let unpacked = tokio::task::spawn_blocking(move || {
            if first {
                // What a process left that was killed.
                let _ = fs::remove_dir_all(&root);
            }
            let mut limits = Limits::default();
            limits.unpacked_bytes = UNPACKED_BYTES;
            // Bounded by its size; AWS does not look at how well it packs.
            limits.ratio = u64::MAX;
            anyport_package::unpack(&archive.path(), &path, &limits)
        });
        let unpacked = unpacked
            .await
            .map_err(|error| ApiError::internal(Service::Lambda, error))?
            .map_err(|error| {
                ApiError::new(
                    "InvalidZipFileException",
                    format!("Lambda could not unzip the deployment package: {error}"),
                )
                .with("Type", "User")
            })?;
        let folder = Arc::new(Folder {
            path: unpacked.path,
        });
        *held = Arc::downgrade(&folder);
        Ok(folder)
    }
}
