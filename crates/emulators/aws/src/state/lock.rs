//! One process holds a state folder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::error::StateError;
use super::file;

/// The name of the lock in the folder.
const NAME: &str = "lock";

/// How often a taken lock is tried again: a reader that looks whether it is held takes it for a moment.
const ATTEMPTS: u32 = 5;

/// The folder's lock. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`StateError::Held`] with the process that has it.
    pub(super) fn take(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(NAME);
        let mut file = file::private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StateError::io("open", &path))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StateError::Held {
                        folder: folder.to_owned(),
                        pid: written(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(StateError::io("lock", &path)(source));
                }
            }
        }
        let mut write = || {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            write!(file, "{}", std::process::id())?;
            file.flush()
        };
        write().map_err(StateError::io("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Whether a process holds the folder now.
pub(super) fn is_held(folder: &Path) -> bool {
    File::open(folder.join(NAME))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn written(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::take(folder.path()).unwrap();
        assert!(is_held(folder.path()));
        match Lock::take(folder.path()) {
            Err(StateError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(held);
        assert!(!is_held(folder.path()));
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_without_a_lock_is_not_held() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held(folder.path()));
    }
}
