//! Folders for what is needed only while a command runs. Code is in them: only their owner may look, and those of commands that were
//! killed are cleared away by the next one.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::failure::Failure;

const PREFIX: &str = "anyport-pack-";

/// How often a folder is made anew when another process takes it for one that was left.
const ATTEMPTS: u32 = 16;

/// A folder that goes when this is dropped. While it is held nobody else clears it away.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    // Dropped, and with it unlocked, after the folder is gone.
    _held: Option<fs::File>,
}

impl Scratch {
    /// Makes a folder below the system's folder for temporary files, and clears away those that were left there.
    pub(crate) fn new() -> Result<Self, Failure> {
        let parent = std::env::temp_dir();
        let made = (0..ATTEMPTS).find_map(|_| Self::make(&parent).transpose());
        let scratch = made
            .unwrap_or_else(|| Err(std::io::ErrorKind::ResourceBusy.into()))
            .map_err(|error| {
                Failure::file("make a temporary folder in", &parent, &error)
                    .next("make room there, or set TMPDIR to a folder that can be written")
            })?;
        clear(&parent, &scratch);
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(unix)]
impl Scratch {
    /// `None` when another process was faster to lock it, which then clears it away.
    fn make(parent: &Path) -> std::io::Result<Option<Self>> {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let held = match fs::File::open(folder.path()) {
            Ok(held) => held,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match held.try_lock() {
            Ok(()) if folder.path().exists() => {}
            Ok(()) | Err(fs::TryLockError::WouldBlock) => return Ok(None),
            // Where nothing can be locked nothing is cleared away either.
            Err(fs::TryLockError::Error(_)) => {}
        }
        Ok(Some(Self {
            folder,
            _held: Some(held),
        }))
    }
}

#[cfg(not(unix))]
impl Scratch {
    fn make(parent: &Path) -> std::io::Result<Option<Self>> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        Ok(Some(Self {
            folder,
            _held: None,
        }))
    }
}

/// Removes folders of this user that nobody holds. What cannot be removed is in nobody's way.
#[cfg(unix)]
fn clear(parent: &Path, own: &Scratch) {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(user) = fs::metadata(own.path()).map(|own| own.uid()) else {
        return;
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_left = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == user);
        if !is_left {
            continue;
        }
        // The lock is kept until the folder is gone: who made it a moment ago sees that it was taken.
        if let Ok(folder) = fs::File::open(entry.path())
            && folder.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(not(unix))]
fn clear(_: &Path, _: &Scratch) {}
