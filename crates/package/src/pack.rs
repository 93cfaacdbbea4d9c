//! Packs a folder or a single executable as an artifact.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyport_core::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::limits::Limits;
use crate::source::walk::{self, Item};
use crate::zip::writer::Writer;

/// The name of the program that a portable zip starts.
pub const BOOTSTRAP: &str = "bootstrap";

/// A packed artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packed {
    /// The archive.
    pub path: PathBuf,
    /// Its digest, which depends on names, contents and executable bits alone.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes in all files together.
    pub unpacked_size: u64,
    /// Files and empty folders in it.
    pub entries: usize,
}

/// Packs artifacts.
///
/// The same input gives the same bytes on every machine and on every day: entries are sorted by
/// name, dated 1980-01-01, owned by nobody, with the permissions 0755 (executable by its owner) or
/// 0644, and always compressed in the same way.
///
/// A folder's version control data (`.git` and the like) stays out, and so does what its
/// `.anyportignore` names, in the syntax of `.gitignore`. Nothing else is left out: dependencies
/// such as `node_modules` are part of a function. Symbolic links are followed inside the folder
/// and refused where they lead out of it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # std::fs::create_dir(dir.path().join("src"))?;
/// # std::fs::write(dir.path().join("src/app.py"), "def handler(event, context): return event")?;
/// let packer = anyport_package::Packer::default();
/// let packed = packer.dir(&dir.path().join("src"), &dir.path().join("function.zip"))?;
/// assert_eq!(packed.entries, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Packer {
    limits: Limits,
}

impl Packer {
    /// Packs within other limits than the default ones.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Packs all of the folder `source` into the archive `to`, replacing an archive there.
    ///
    /// # Errors
    /// [`Error::Source`] where something in the folder cannot be packed, [`Error::Ignore`] for a
    /// bad ignore file, [`Error::Io`] where reading or writing fails. `to` is then as it was.
    pub fn dir(&self, source: &Path, to: &Path) -> Result<Packed, Error> {
        // An archive that is written into its own source must not hold its predecessor.
        let own = to.parent().and_then(|parent| {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            Some(fs::canonicalize(parent).ok()?.join(to.file_name()?))
        });
        let items = walk::list(source, own.as_slice(), &self.limits)?;
        if items.iter().all(|item| item.file.is_none()) {
            let problem = "it holds no file; name the folder that has the function in it";
            return Err(Error::source(source, problem));
        }
        self.write(&items, to)
    }

    /// Packs the program `executable` alone, as the archive's `bootstrap`.
    ///
    /// # Errors
    /// As [`Packer::dir`].
    pub fn file(&self, executable: &Path, to: &Path) -> Result<Packed, Error> {
        let meta = fs::metadata(executable).map_err(Error::io("read", executable))?;
        if !meta.is_file() {
            return Err(Error::source(executable, "it is not a file"));
        }
        let item = Item {
            path: BOOTSTRAP.to_owned(),
            file: Some(executable.to_owned()),
            executable: true,
            size: meta.len(),
        };
        self.write(&[item], to)
    }

    fn write(&self, items: &[Item], to: &Path) -> Result<Packed, Error> {
        let parent = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        let mut temporary = tempfile::Builder::new();
        temporary.prefix(".anyport-pack-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            temporary.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = temporary
            .tempfile_in(parent)
            .map_err(Error::io("create a file in", parent))?;
        let unpacked_size = self.entries(items, file.as_file_mut(), to)?;
        let (digest, size) = digest(file.as_file_mut()).map_err(Error::io("read back", to))?;
        file.as_file().sync_all().map_err(Error::io("write", to))?;
        file.persist(to)
            .map_err(|error| Error::io("create", to)(error.error))?;
        Ok(Packed {
            path: to.to_owned(),
            digest,
            size,
            unpacked_size,
            entries: items.len(),
        })
    }

    fn entries(&self, items: &[Item], file: &mut File, to: &Path) -> Result<u64, Error> {
        let mut zip = Writer::new(BufWriter::with_capacity(128 * 1024, file));
        let mut total = 0;
        for item in items {
            let Some(path) = &item.file else {
                zip.directory(&item.path).map_err(Error::io("write", to))?;
                continue;
            };
            let source = File::open(path).map_err(Error::io("read", path))?;
            let mut source = Tracked {
                file: source,
                left: self.limits.unpacked_bytes - total,
                failed: false,
            };
            let outcome = zip.file(&item.path, item.executable, &mut source);
            total += outcome.map_err(|error| {
                if source.failed {
                    Error::io("read", path)(error)
                } else {
                    Error::io("write", to)(error)
                }
            })?;
        }
        zip.finish().map_err(Error::io("write", to))?;
        Ok(total)
    }
}

/// Reads a file, holding the size limit even if the file grows meanwhile, and remembers whether
/// an error was its own.
struct Tracked {
    file: File,
    left: u64,
    failed: bool,
}

impl Read for Tracked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = self.file.read(buffer).and_then(|read| {
            self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "the files pass the limit of the artifact",
                )
            })?;
            Ok(read)
        });
        self.failed |= outcome.is_err();
        outcome
    }
}

/// The digest and the size of a file, read from its start.
pub(crate) fn digest(file: &mut File) -> io::Result<(Digest, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut sum = Hashing(Sha256::new());
    let size = io::copy(
        &mut io::BufReader::with_capacity(128 * 1024, file),
        &mut sum,
    )?;
    Ok((Digest::from_sha256(sum.0.finalize().into()), size))
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
