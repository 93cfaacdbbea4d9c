//! Why kept state can't be used.

use std::io;
use std::path::PathBuf;

/// Why the state folder can't be used. What is in the folder is left as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another process holds the folder.
    #[error(
        "the state in {} is in use by {}; stop that one, or choose another folder",
        folder.display(),
        holder(*pid)
    )]
    #[non_exhaustive]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, if it said so.
        pid: Option<u32>,
    },
    /// Written by a newer version of this program.
    #[error(
        "{} has format {format}, and this version reads up to {known}; use a newer version, or choose another folder",
        path.display()
    )]
    #[non_exhaustive]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// Not what was written.
    #[error(
        "{} is damaged: {reason}; put back a copy, or choose another folder to start empty",
        path.display()
    )]
    #[non_exhaustive]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; no content.
        reason: String,
    },
    /// The folder can't be read or written.
    #[error("can't {what} {}; check the folder's permissions and free space", path.display())]
    #[non_exhaustive]
    Io {
        /// What was tried: `read`, `write`, ...
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl StateError {
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    pub(super) fn corrupt(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}
