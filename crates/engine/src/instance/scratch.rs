//! The directory of one instance: its `TMPDIR` and its `HOME`.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A private directory, removed with all it holds when dropped.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the directory `path`, which must not exist.
    pub(crate) fn make(path: PathBuf) -> io::Result<Self> {
        let scratch = Self { path };
        private_dir(&scratch.path)?;
        private_dir(&scratch.tmp())?;
        private_dir(&scratch.home())?;
        Ok(scratch)
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path.join("home")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A function may have taken away its own right to enter a directory; whoever removes the
        // engine's directory at the end meets the rest.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Makes a directory that only this user can enter.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}
