//! Unpacks an archive whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{Archive, Kind, ReadError};
use super::disk::{Disk, FileSystem};
use super::name;
use crate::error::Error;
use crate::limits::Limits;

/// How the names of folders that are still being unpacked begin.
///
/// They stand beside the destination and vanish with success and failure alike. Only a process
/// that was killed leaves one; whoever owns the parent folder may delete it then.
pub const PARTIAL_PREFIX: &str = ".anyport-unpack-";

/// What was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// The folder.
    pub path: PathBuf,
    /// Bytes in all files together.
    pub unpacked_size: u64,
    /// Files, directories and links in the archive.
    pub entries: usize,
}

/// Unpacks `archive` into the new folder `destination`.
///
/// Everything is checked before anything is written: names, links, duplicates, methods, sizes
/// against [`Limits`]. Contents are checked as they are written. The files appear under a
/// temporary name beside the destination, are synced, and are then renamed, so `destination`
/// either holds the whole archive or does not exist. Files get the permissions 0755 or 0644;
/// times, owners and other bits of the archive are not taken over.
///
/// # Errors
/// [`Error::Refused`] with every reason found, [`Error::Exists`] where something is at
/// `destination`, [`Error::Io`] where the disk fails or is full.
pub fn unpack(archive: &Path, destination: &Path, limits: &Limits) -> Result<Unpacked, Error> {
    unpack_onto(&FileSystem::default(), archive, destination, limits)
}

/// As [`unpack`], with the writes going through `disk`.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_onto(
    disk: &dyn Disk,
    archive: &Path,
    destination: &Path,
    limits: &Limits,
) -> Result<Unpacked, Error> {
    let file = File::open(archive).map_err(Error::io("open", archive))?;
    let mut zip =
        Archive::open(file, limits).map_err(|error| Error::reading(archive, archive, error))?;
    if fs::symlink_metadata(destination).is_ok() {
        return Err(Error::Exists {
            path: destination.to_owned(),
        });
    }
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    // Removed on every way out, with what was written so far.
    let staging = tempfile::Builder::new()
        .prefix(PARTIAL_PREFIX)
        .tempdir_in(parent)
        .map_err(Error::io("create a folder in", parent))?;
    let root = staging.path().join("tree");
    let unpacked_size = Tree {
        disk,
        archive,
        root: &root,
    }
    .write(&mut zip)?;
    fs::rename(&root, destination).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists
        | io::ErrorKind::DirectoryNotEmpty
        | io::ErrorKind::NotADirectory => Error::Exists {
            path: destination.to_owned(),
        },
        _ => Error::io("create", destination)(error),
    })?;
    disk.sync(parent).map_err(Error::io("sync", parent))?;
    let entries = zip.entries().len();
    Ok(Unpacked {
        path: destination.to_owned(),
        unpacked_size,
        entries,
    })
}

/// One archive on its way onto a disk.
struct Tree<'a> {
    disk: &'a dyn Disk,
    archive: &'a Path,
    root: &'a Path,
}

impl Tree<'_> {
    /// Writes all entries and returns the bytes in all files.
    fn write(&self, zip: &mut Archive<File>) -> Result<u64, Error> {
        let mut size = 0;
        let dirs = self.directories(zip)?;
        for index in 0..zip.entries().len() {
            let entry = &zip.entries()[index];
            if let Kind::File { executable } = entry.kind {
                size += entry.plain;
                let path = self.root.join(&entry.path);
                self.file(zip, index, &path, executable)?;
            }
        }
        // Links come last: no file is ever written through one.
        for entry in zip.entries() {
            if let Kind::Link(target) = &entry.kind {
                let path = self.root.join(&entry.path);
                self.disk
                    .symlink(target, &path)
                    .map_err(Error::io("create", &path))?;
            }
        }
        // Syncing after all is written lets the system write back in bulk.
        let files = zip
            .entries()
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }));
        for path in files.map(|entry| self.root.join(&entry.path)).chain(dirs) {
            self.disk.sync(&path).map_err(Error::io("sync", &path))?;
        }
        Ok(size)
    }

    fn directories(&self, zip: &Archive<File>) -> Result<Vec<PathBuf>, Error> {
        let mut wanted = BTreeSet::from([""]);
        for entry in zip.entries() {
            wanted.extend(name::parents(&entry.path));
            if entry.kind == Kind::Directory {
                wanted.insert(&entry.path);
            }
        }
        // In sorted order a folder comes before what is in it.
        let mut made = Vec::with_capacity(wanted.len());
        for dir in wanted {
            let path = if dir.is_empty() {
                self.root.to_owned()
            } else {
                self.root.join(dir)
            };
            self.disk
                .create_dir(&path)
                .map_err(Error::io("create", &path))?;
            made.push(path);
        }
        Ok(made)
    }

    fn file(
        &self,
        zip: &mut Archive<File>,
        index: usize,
        path: &Path,
        executable: bool,
    ) -> Result<(), Error> {
        let mut file = self
            .disk
            .create_file(path, executable)
            .map_err(Error::io("create", path))?;
        zip.extract(index, &mut |bytes| file.write_all(bytes))
            .and_then(|()| file.flush().map_err(ReadError::Sink))
            .map_err(|error| Error::reading(self.archive, path, error))
    }
}
