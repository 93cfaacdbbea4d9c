//! Where unpacked files go: the file system, or a test's idea of one that fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The few writes that unpacking makes. A full disk shows up in one of them.
///
/// Paths are always below the folder that is being unpacked, and nothing exists there yet.
pub trait Disk: Sync {
    /// Makes a directory whose parent exists.
    ///
    /// # Errors
    /// What the system says.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a file for writing, executable or not.
    ///
    /// # Errors
    /// What the system says.
    fn create_file(&self, path: &Path, executable: bool) -> io::Result<Box<dyn Write>>;

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// What the system says; `Unsupported` where there are no such links.
    fn symlink(&self, target: &str, path: &Path) -> io::Result<()>;

    /// Makes a finished file or directory outlive a power cut.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&self, path: &Path) -> io::Result<()>;
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem {
    /// Leave writing back to the system's own time. For folders that can be unpacked again at
    /// will, such as a cache that is checked when it is opened.
    pub volatile: bool,
}

impl Disk for FileSystem {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn create_file(&self, path: &Path, executable: bool) -> io::Result<Box<dyn Write>> {
        let mut options = OpenOptions::new();
        // `create_new` does not follow a link, should one ever be in the way.
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(if executable { 0o755 } else { 0o644 });
        }
        #[cfg(not(unix))]
        let _ = executable;
        Ok(Box::new(options.open(path)?))
    }

    #[cfg(unix)]
    fn symlink(&self, target: &str, path: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    #[cfg(not(unix))]
    fn symlink(&self, _: &str, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        // Only Unix opens directories as files, and only there does syncing one mean anything.
        if self.volatile || (cfg!(not(unix)) && path.is_dir()) {
            return Ok(());
        }
        File::open(path)?.sync_all()
    }
}
