//! Looks into an artifact before anything is sent, so that what cannot start is found here.

mod check;
mod dir;
mod elf;
mod handler;
mod program;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyport_core::Digest;

pub use self::dir::inspect_dir;
pub use self::elf::{Linkage, Machine};
pub use self::program::Program;
use crate::error::Error;
use crate::limits::Limits;
use crate::pack;
use crate::zip::archive::{Archive, Kind};

/// Enough of a program to see its headers and, of a script, its first line.
const HEAD: usize = 16 * 1024;

/// What an artifact holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The archive's digest; `None` for a folder.
    pub digest: Option<Digest>,
    /// The archive's size in bytes; 0 for a folder.
    pub size: u64,
    /// Bytes in all files together.
    pub unpacked_size: u64,
    /// The files and links, by path.
    pub files: BTreeMap<String, FileInfo>,
}

/// One file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its size in bytes; 0 for a link.
    pub size: u64,
    /// Whether its owner may execute it, or may execute what it leads to, for a link.
    pub executable: bool,
    /// What kind of program it is; looked at for executables and the `bootstrap`, else `None`.
    pub program: Option<Program>,
    /// Whether it is a symbolic link. What it says of a program is then about the file that it leads to.
    pub link: bool,
}

/// Inspects an archive, with every check that unpacking it would make first.
///
/// # Errors
/// [`Error::Refused`] where [`unpack`](crate::unpack) would refuse it, [`Error::Io`].
pub fn inspect(archive: &Path, limits: &Limits) -> Result<Inspection, Error> {
    let mut file = File::open(archive).map_err(Error::io("open", archive))?;
    let (digest, size) = pack::digest(&mut file).map_err(Error::io("read", archive))?;
    let reading = |error| Error::reading(archive, archive, error);
    let mut zip = Archive::open(file, limits).map_err(reading)?;
    let mut inspection = Inspection {
        digest: Some(digest),
        size,
        unpacked_size: 0,
        files: BTreeMap::new(),
    };
    let ends = zip.link_ends();
    for index in 0..zip.entries().len() {
        let entry = &zip.entries()[index];
        let path = entry.path.clone();
        let (size, leads_to) = match entry.kind {
            Kind::Directory => continue,
            Kind::File { .. } => (entry.plain, Some(index)),
            // What it leads to is a file of its own, and counted there.
            Kind::Link(_) => (0, ends.get(&index).copied()),
        };
        let link = matches!(entry.kind, Kind::Link(_));
        let executable = leads_to.is_some_and(
            |at| matches!(zip.entries()[at].kind, Kind::File { executable } if executable),
        );
        let program = match leads_to {
            Some(at) if worth_a_look(&path, executable) => {
                Some(Program::of(&zip.head(at, HEAD).map_err(reading)?))
            }
            _ => None,
        };
        inspection.add(
            path,
            FileInfo {
                size,
                executable,
                program,
                link,
            },
        );
    }
    Ok(inspection)
}

/// Inspects a file of a folder or an archive that stands alone, such as what cargo built.
///
/// # Errors
/// [`Error::Io`].
pub fn inspect_program(path: &Path) -> Result<Program, Error> {
    use std::io::Read as _;
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(Error::io("read", path))?;
    Ok(Program::of(&head))
}

impl Inspection {
    fn add(&mut self, path: String, info: FileInfo) {
        self.unpacked_size += info.size;
        self.files.insert(path, info);
    }

    /// The `bootstrap` at the root, if there is one.
    #[must_use]
    pub fn bootstrap(&self) -> Option<&FileInfo> {
        self.files.get(pack::BOOTSTRAP)
    }
}

/// Programs away from the root are libraries' own; looking into each would cost more than it tells.
fn worth_a_look(path: &str, executable: bool) -> bool {
    path == pack::BOOTSTRAP || (executable && !path.contains('/'))
}
