//! What can go wrong with an artifact.

use std::io;
use std::path::{Path, PathBuf};

use anyport_core::ErrorKind;
use anyport_core::error::{Violation, Violations};

use crate::refusal::Refusals;
use crate::zip::archive::ReadError;

/// Why an artifact could not be packed, read or unpacked. Nothing half-made is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused: no such file, no permission, disk full.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: "read", "write", "create".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The archive breaks the rules that make it safe to unpack.
    #[error("refused {}: {refusals}", path.display())]
    Refused {
        /// The archive.
        path: PathBuf,
        /// Every reason found.
        refusals: Refusals,
    },
    /// The folder cannot be packed as it is.
    #[error("cannot pack {}: {problem}", path.display())]
    Source {
        /// The folder or the file in it.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Something is already where the result was to go.
    #[error("{} exists already; remove it or choose another place", path.display())]
    Exists {
        /// Where the result was to go.
        path: PathBuf,
    },
    /// A line of an ignore file is not a pattern.
    #[error("line {line} of {}: {problem}", path.display())]
    Ignore {
        /// The ignore file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// What is wrong and what to do.
        problem: String,
    },
    /// `cargo build` failed or gave no single executable.
    #[error("could not build package `{package}` with cargo: {problem}")]
    Cargo {
        /// The package asked for.
        package: String,
        /// The compiler's own text, or what was missing.
        problem: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn source(path: &Path, problem: impl Into<String>) -> Self {
        Self::Source {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// Whether the disk was full or a quota reached.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    /// An error of reading `archive` while writing to `sink`.
    pub(crate) fn reading(archive: &Path, sink: &Path, error: ReadError) -> Self {
        match error {
            ReadError::Io(source) => Self::io("read", archive)(source),
            ReadError::Sink(source) => Self::io("write", sink)(source),
            ReadError::Refused(refusals) => Self::Refused {
                path: archive.to_owned(),
                refusals,
            },
        }
    }
}

/// What an artifact's error is to a verb: a fault of the specification, except where the system
/// failed.
impl From<Error> for anyport_core::Error {
    fn from(error: Error) -> Self {
        const OPERATION: &str = "prepare the artifact";
        match error {
            Error::Io {
                action,
                path,
                source,
            } => {
                let kind = match source.kind() {
                    io::ErrorKind::NotFound => ErrorKind::NotFound,
                    io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        ErrorKind::QuotaExceeded
                    }
                    _ => ErrorKind::Unavailable,
                };
                Self::new(kind, OPERATION)
                    .on(path.display())
                    .because(format!("could not {action} it"))
                    .with_source(source)
            }
            other => {
                let violation = Violation::new("artifact", other.to_string());
                Self::new(
                    ErrorKind::InvalidSpec(Violations::from(vec![violation])),
                    OPERATION,
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_fault_of_the_specification() {
        let full = Error::io("write", Path::new("/x"))(io::ErrorKind::StorageFull.into());
        assert!(full.is_out_of_space());
        let error = anyport_core::Error::from(full);
        assert_eq!(error.kind(), &ErrorKind::QuotaExceeded);
        assert_eq!(
            error.to_string(),
            "cannot prepare the artifact /x: a quota is used up: could not write it"
        );
    }

    #[test]
    fn a_bad_folder_is_one() {
        let error = anyport_core::Error::from(Error::source(Path::new("/x"), "it is not a folder"));
        assert_eq!(error.kind().name(), "invalid_spec");
        assert!(
            error
                .to_string()
                .contains("cannot pack /x: it is not a folder"),
            "{error}"
        );
    }
}
