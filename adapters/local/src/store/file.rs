//! Files that appear, change and vanish in one step, and outlive a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

/// Readable and writable by their owner only: records hold environment variables, events hold payloads.
const MODE: u32 = 0o600;

/// Makes `path` with these contents, whole or not at all, even when this process is killed.
///
/// # Errors
/// `AlreadyExists` when something is there; what the system says.
pub(crate) fn create(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let dir = parent(path)?;
    if !create_unnamed(dir, path, parts)? {
        // A file system without unnamed files: a kill at the wrong moment leaves a hidden file.
        let mut staged = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
        write(staged.as_file_mut(), parts)?;
        staged
            .persist_noclobber(path)
            .map_err(|error| error.error)?;
    }
    sync_dir(dir)
}

/// Reads the file `path`, which must be a regular file of at most `limit` bytes: a pipe would never end, and a device is not ours.
///
/// # Errors
/// `InvalidData` when it is something else or longer; what the system says.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    options.read(true);
    // Opening a pipe that nobody writes to would wait.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    }
    let refuse = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let file = options.open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(refuse("it is not a file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(refuse("it is longer than anything that is kept there"));
    }
    Ok(bytes)
}

/// Replaces the file `path` through the file `staged` beside it.
///
/// # Errors
/// What the system says; `path` is then as it was.
pub(crate) fn replace(path: &Path, staged: &Path, bytes: &[u8]) -> io::Result<()> {
    let outcome = options().truncate(true).create(true).open(staged);
    let outcome = outcome
        .and_then(|mut file| write(&mut file, &[bytes]))
        .and_then(|()| fs::rename(staged, path));
    if let Err(error) = outcome {
        // Best effort: what stays is overwritten by the next write and reported until then.
        let _ = fs::remove_file(staged);
        return Err(error);
    }
    sync_dir(parent(path)?)
}

/// Moves a file, keeping the move through a power cut.
///
/// # Errors
/// What the system says.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_dir(parent(to)?)?;
    if from.parent() == to.parent() {
        return Ok(());
    }
    sync_dir(parent(from)?)
}

/// Removes a file; that it is not there is fine.
///
/// # Errors
/// What the system says.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it; that it is not there is fine.
///
/// # Errors
/// What the system says.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Another process may have put a last file into it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && tries < 5 => {
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Removes a folder if it is empty and says whether it is gone.
///
/// # Errors
/// What the system says, except that it is not empty.
pub(crate) fn remove_if_empty(path: &Path) -> io::Result<bool> {
    match fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(true),
            io::ErrorKind::DirectoryNotEmpty => Ok(false),
            _ => Err(error),
        },
    }
}

/// Makes a folder whose parent exists; that it is there is fine.
///
/// # Errors
/// `NotFound` when the parent is not there; what the system says.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    match builder(false).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_dir(parent(path)?),
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// What the system says.
pub(crate) fn make_dirs(path: &Path) -> io::Result<()> {
    builder(true).create(path)
}

/// Who else may change what is in a folder, if anybody but its owner, this user or root.
#[cfg(unix)]
pub(crate) fn others_may_change(folder: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let (mode, owner) = (folder.mode() & 0o7777, folder.uid());
    if mode & 0o022 != 0 {
        return Some(format!("other users (its mode is {mode:o})"));
    }
    let us = nix::unistd::geteuid().as_raw();
    (owner != us && owner != 0).then(|| format!("its owner, user {owner},"))
}

#[cfg(not(unix))]
pub(crate) fn others_may_change(_: &fs::Metadata) -> Option<String> {
    None
}

/// The names in a folder, sorted; none when it is not there. Names that are not text are made readable.
///
/// # Errors
/// What the system says.
pub(crate) fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes what was created, renamed or removed in a folder outlive a power cut.
///
/// # Errors
/// What the system says.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    // Only Unix opens folders as files.
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

fn write(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    for part in parts {
        file.write_all(part)?;
    }
    // The file system's own clock ticks in milliseconds; readers tell two writes apart by this time.
    file.set_modified(SystemTime::now())?;
    file.sync_all()
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODE);
    options
}

fn builder(recursive: bool) -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Writes a file without a name and then gives it one. False where the file system has no such files.
#[cfg(target_os = "linux")]
fn create_unnamed(dir: &Path, path: &Path, parts: &[&[u8]]) -> io::Result<bool> {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};

    let opened = options().custom_flags(OFlag::O_TMPFILE.bits()).open(dir);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => {
            use io::ErrorKind::{IsADirectory, NotFound, Unsupported};
            // Old kernels and some file systems know no such flag, and say so in these ways.
            let unknown = matches!(error.kind(), Unsupported | IsADirectory)
                || (error.kind() == NotFound && dir.is_dir());
            return if unknown { Ok(false) } else { Err(error) };
        }
    };
    write(&mut file, parts)?;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    match nix::unistd::linkat(
        AT_FDCWD,
        unnamed.as_str(),
        AT_FDCWD,
        path,
        AtFlags::AT_SYMLINK_FOLLOW,
    ) {
        Ok(()) => Ok(true),
        // Without /proc the name cannot be given.
        Err(nix::errno::Errno::ENOENT) if dir.is_dir() => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn create_unnamed(_: &Path, _: &Path, _: &[&[u8]]) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_once_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record");
        create(&path, &[b"a", b"b"]).unwrap();
        let again = create(&path, &[b"c"]).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"ab");
        assert_eq!(names(dir.path()).unwrap(), ["record"]);
        assert_eq!(
            create(&dir.path().join("no/record"), &[])
                .unwrap_err()
                .kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn a_file_is_replaced_and_a_failed_replacement_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, staged) = (dir.path().join("record"), dir.path().join(".record"));
        create(&path, &[b"old"]).unwrap();
        replace(&path, &staged, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(replace(&path, &dir.path().join("no/staged"), b"x").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()).unwrap(), ["record"]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record");
        create(&path, &[b"secret"]).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}
