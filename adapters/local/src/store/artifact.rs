//! Unpacked code, by digest, shared by all versions of a function that run it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_core::Digest;
use anyport_core::content::Content;
use anyport_core::error::{Error, ErrorKind, Limit, Result, Violation};
use anyport_core::spec::Name;
use anyport_package::{Disk, FileContent, FileSystem, Limits};
use sha2::{Digest as _, Sha256};

use super::{HIDDEN, Store, file};
use crate::capability::{MAX_PACKED, MAX_UNPACKED};
use crate::error;

const OPERATION: &str = "upload the artifact of";
const SUFFIX: &str = ".zip";

/// An archive on its way into the store. Dropped before it is done, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Upload {
    path: PathBuf,
    destination: PathBuf,
    archive: PathBuf,
    file: File,
    sum: Sha256,
    size: u64,
    digest: Digest,
}

impl Store {
    /// Whether an artifact is there, whole.
    pub(crate) fn has_artifact(&self, name: &Name, digest: Digest) -> bool {
        self.artifact(name, digest).is_dir()
    }

    /// The archive of an artifact.
    ///
    /// # Errors
    /// `NotFound` when it is not there; what the system says.
    pub(crate) fn content(&self, name: &Name, digest: Digest) -> Result<Arc<dyn Content>> {
        const VERB: &str = "export";
        let path = self.archive(name, digest);
        match fs::metadata(&path) {
            Ok(meta) => Ok(Arc::new(FileContent::known(&path, digest, meta.len()))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                Err(Error::new(ErrorKind::NotFound, VERB)
                    .on(name)
                    .because(format_args!("the archive {} is not there", path.display()))
                    .hint("deploy the function again"))
            }
            Err(why) => Err(error::io(VERB, &path)(why).on(name)),
        }
    }

    /// Starts an upload. Uploads of one function exclude each other by its lock.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn upload(&self, name: &Name, digest: Digest) -> Result<Upload> {
        let dir = self.artifacts(name);
        let path = dir.join(format!("{HIDDEN}upload"));
        let open = || -> io::Result<File> {
            file::make_dir(&self.home(name))?;
            file::make_dir(&dir)?;
            File::create(&path)
        };
        Ok(Upload {
            file: open().map_err(error::io(OPERATION, &path))?,
            destination: self.artifact(name, digest),
            archive: self.archive(name, digest),
            sum: Sha256::new(),
            size: 0,
            digest,
            path,
        })
    }

    /// Hides a folder before taking it apart, so that half of it never looks whole.
    fn discard(&self, name: &Name, path: &Path) -> io::Result<()> {
        let hidden = self.artifacts(name).join(format!("{HIDDEN}gone"));
        file::remove_tree(&hidden)?;
        match fs::rename(path, &hidden) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        file::remove_tree(&hidden)
    }

    /// Artifacts that no version uses, and whether there is anything unfinished.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn stray_artifacts(
        &self,
        name: &Name,
        used: impl Fn(Digest) -> bool,
    ) -> io::Result<Strays> {
        let mut strays = Strays::default();
        for entry in file::names(&self.artifacts(name))? {
            if entry.starts_with(HIDDEN) {
                strays.unfinished.push(entry);
            } else {
                let hex = entry.strip_suffix(SUFFIX).unwrap_or(&entry);
                match format!("sha256:{hex}").parse() {
                    Ok(digest) if used(digest) => {}
                    // The archive and what was unpacked from it are one artifact.
                    Ok(digest) if strays.unused.contains(&digest) => {}
                    Ok(digest) => strays.unused.push(digest),
                    // Somebody put it there; it is gone when the function is.
                    Err(_) => {}
                }
            }
        }
        Ok(strays)
    }

    /// Removes strays.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn remove_strays(&self, name: &Name, strays: &Strays) -> io::Result<()> {
        for digest in &strays.unused {
            self.discard(name, &self.artifact(name, *digest))?;
            file::remove(&self.archive(name, *digest))?;
        }
        for entry in &strays.unfinished {
            let path = self.artifacts(name).join(entry);
            if path.is_dir() {
                file::remove_tree(&path)?;
            } else {
                file::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// What lies among a function's artifacts and should not.
#[derive(Debug, Default)]
pub(super) struct Strays {
    pub(super) unused: Vec<Digest>,
    pub(super) unfinished: Vec<String>,
}

impl Upload {
    /// Takes the next bytes of the archive.
    ///
    /// # Errors
    /// `PayloadTooLarge`; what the system says.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > MAX_PACKED {
            let limit = Limit {
                what: "archive".to_owned(),
                max: MAX_PACKED,
                actual: None,
            };
            return Err(Error::new(ErrorKind::PayloadTooLarge(limit), OPERATION));
        }
        self.sum.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(error::io(OPERATION, &self.path))
    }

    /// Checks the digest and unpacks the archive: the artifact is there afterwards, whole.
    ///
    /// # Errors
    /// `InvalidSpec` when the bytes are not those of the digest or not an archive that may be unpacked; what the system says.
    pub(crate) fn finish(self) -> Result<()> {
        let sum = Digest::from_sha256(self.sum.clone().finalize().into());
        if sum != self.digest {
            let violation = Violation::new("artifact.digest", "the content has another digest")
                .value(self.digest)
                .nearest(sum);
            return Err(
                Error::new(ErrorKind::InvalidSpec(vec![violation].into()), OPERATION)
                    .hint("pack the artifact again and deploy what was packed"),
            );
        }
        // First: an archive alone is cleared away as unused, code without its archive could not be exported.
        let keep = || {
            self.file.sync_all()?;
            fs::rename(&self.path, &self.archive)
        };
        keep().map_err(error::io(OPERATION, &self.archive))?;
        let mut limits = Limits::default();
        limits.unpacked_bytes = MAX_UNPACKED;
        match anyport_package::unpack_onto(&Sealed, &self.archive, &self.destination, &limits) {
            Ok(_) | Err(anyport_package::Error::Exists { .. }) => Ok(()),
            Err(error) => {
                // What is left of it is residue, cleared by the next plan.
                let _ = file::remove(&self.archive);
                Err(error::package(error))
            }
        }
    }
}

/// The file system, with files that nobody may write to once they are whole: versions are immutable, and share them.
///
/// Folders stay writable, so that whoever owns the state folder can remove it as any other.
struct Sealed;

impl Disk for Sealed {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        FileSystem::default().create_dir(path)
    }

    fn create_file(&self, path: &Path, executable: bool) -> io::Result<Box<dyn io::Write>> {
        FileSystem::default().create_file(path, executable)
    }

    fn symlink(&self, target: &str, path: &Path) -> io::Result<()> {
        FileSystem::default().symlink(target, path)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let meta = fs::symlink_metadata(path)?;
        // Elsewhere such a file could not be removed either.
        if cfg!(unix) && meta.is_file() {
            let mut permissions = meta.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(path, permissions)?;
        }
        FileSystem::default().sync(path)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What cannot be removed now is reported as residue and cleared by the next plan.
        let _ = file::remove(&self.path);
    }
}
