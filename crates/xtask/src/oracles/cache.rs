//! What is installed once and kept: outside the repository, by what it is pinned to.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyport::Digest;

use crate::commands::Failure;

/// The cache folder.
pub(crate) struct Cache(PathBuf);

impl Cache {
    /// Opens `ANYPORT_CACHE`, else `anyport` in `XDG_CACHE_HOME` or `~/.cache`.
    ///
    /// # Errors
    /// When none of them is set, or the folder cannot be made.
    pub(crate) fn open() -> Result<Self, Failure> {
        let set = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let folder = set("ANYPORT_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("anyport")))
            .or_else(|| set("HOME").map(|folder| folder.join(".cache/anyport")))
            .ok_or("no cache folder: set ANYPORT_CACHE")?;
        fs::create_dir_all(&folder)?;
        Ok(Self(folder.canonicalize()?))
    }

    /// A folder for builds, which keep themselves up to date.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A folder that `make` fills, once for each text that pins what goes in. What was left half-made is made again.
    ///
    /// # Errors
    /// What `make` fails with.
    pub(crate) fn once(
        &self,
        name: &str,
        pins: &str,
        make: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<PathBuf, Failure> {
        let done = self
            .0
            .join(format!("{name}-{}", Digest::of(pins.as_bytes()).short()));
        if done.is_dir() {
            return Ok(done);
        }
        let partial = self
            .0
            .join(format!("{name}.partial-{}", std::process::id()));
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)?;
        if let Err(why) = make(&partial) {
            fs::remove_dir_all(&partial)?;
            return Err(format!("cannot install {name}: {why}").into());
        }
        fs::rename(&partial, &done)?;
        Ok(done)
    }
}
