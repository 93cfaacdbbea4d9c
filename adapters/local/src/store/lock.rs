//! One writer at a time for each function, over all processes, without a file for each lock.
//!
//! A lock is one byte of the state folder's `lock` file: its place is derived from the function's name. Two names that share a byte
//! (one chance in 2^62) would wait for each other, nothing worse. The system gives the byte back when its holder dies.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use anyport_core::Digest;
use anyport_core::spec::Name;

/// A byte of the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u64);

impl Place {
    /// The lease of the process that delivers asynchronous events.
    pub(crate) const DELIVERY: Self = Self(0);

    /// The byte of a function.
    pub(crate) fn of(name: &Name) -> Self {
        let mut head = [0; 8];
        head.copy_from_slice(&Digest::of(name.as_str().as_bytes()).as_bytes()[..8]);
        Self((u64::from_be_bytes(head) >> 2).max(1))
    }
}

/// A held lock. Dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn try_take(path: &Path, place: Place) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(file_of(path, place))?;
        Ok(lock(&file, place)?.then_some(Self { _file: file }))
    }
}

/// Where bytes cannot be locked one by one, the lease has a file of its own and all functions share the other.
fn file_of(path: &Path, place: Place) -> std::path::PathBuf {
    if cfg!(not(target_os = "linux")) && place == Place::DELIVERY {
        path.with_extension("delivery")
    } else {
        path.to_owned()
    }
}

/// Locks belong to the open file, so that two holders in one process exclude each other too.
#[cfg(target_os = "linux")]
fn lock(file: &File, place: Place) -> io::Result<bool> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};

    let start = i64::try_from(place.0).unwrap_or(i64::MAX - 1);
    let range = nix::libc::flock {
        l_type: nix::libc::F_WRLCK as nix::libc::c_short,
        l_whence: nix::libc::SEEK_SET as nix::libc::c_short,
        l_start: start,
        l_len: 1,
        l_pid: 0,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&range)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Elsewhere one lock covers the whole file.
#[cfg(not(target_os = "linux"))]
fn lock(file: &File, _: Place) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_for_each_place_also_within_a_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let (one, two) = (
            Place::of(&"one-fn".parse().unwrap()),
            Place::of(&"two-fn".parse().unwrap()),
        );
        let held = Lock::try_take(&path, one).unwrap().unwrap();
        assert!(Lock::try_take(&path, one).unwrap().is_none());
        assert!(Lock::try_take(&path, two).unwrap().is_some());
        assert!(Lock::try_take(&path, Place::DELIVERY).unwrap().is_some());
        drop(held);
        assert!(Lock::try_take(&path, one).unwrap().is_some());
    }
}
