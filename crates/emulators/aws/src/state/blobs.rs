//! Bytes on disk, by what they are: code, and the content of objects.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::file::{private, private_folder};

/// How much is kept at most, in bytes. *Guessed*: AWS has no such limit for S3.
const LIMIT: u64 = 16 << 30;

type Digest = [u8; 32];

/// The blobs of a folder. Equal bytes are kept once; they go when nobody holds a [`Blob`] of them.
#[derive(Clone)]
pub(crate) struct Blobs(Arc<Store>);

struct Store {
    root: PathBuf,
    /// Whether what is written must last, and stays until the state that refers to it is replaced.
    kept: bool,
    limit: u64,
    next: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    live: HashMap<Digest, Weak<Held>>,
    /// Those nobody holds any more, which the kept state may still name.
    doomed: HashMap<Digest, u64>,
    /// All bytes of blobs on disk.
    bytes: u64,
}

/// Some bytes on disk, for as long as this or a clone of it lives.
#[derive(Clone)]
pub(crate) struct Blob(Arc<Held>);

struct Held {
    digest: Digest,
    size: u64,
    store: Arc<Store>,
}

impl Blobs {
    /// The blobs in `root`, which is made; what an unfinished write left is removed. With `kept`, files
    /// outlive their [`Blob`]s until [`Self::sweep`].
    pub(crate) fn open(root: &Path, kept: bool) -> io::Result<Self> {
        private_folder(root)?;
        let unfinished = root.join("new");
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private_folder(&unfinished)?;
        Ok(Self(Arc::new(Store {
            root: root.to_owned(),
            kept,
            limit: LIMIT,
            next: AtomicU64::new(0),
            inner: Mutex::default(),
        })))
    }

    /// Writes these bytes. It blocks on the disk.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<Blob> {
        let mut writer = self.writer()?;
        writer.write(bytes)?;
        writer.finish()
    }

    /// For bytes that come in parts.
    pub(crate) fn writer(&self) -> io::Result<BlobWriter> {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let path = self.0.root.join("new").join(number.to_string());
        let file = private()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(BlobWriter {
            store: Arc::clone(&self.0),
            path,
            file,
            hash: Sha256::new(),
            size: 0,
        })
    }

    /// A blob that was kept, by its SHA-256 in hex; `None` if it is not there in this size.
    pub(crate) fn get(&self, sha256: &str, size: u64) -> Option<Blob> {
        let digest: Digest = HEXLOWER.decode(sha256.as_bytes()).ok()?.try_into().ok()?;
        let mut inner = self.0.lock();
        if let Some(held) = inner.live.get(&digest).and_then(Weak::upgrade) {
            // Letting go of a blob takes the lock.
            drop(inner);
            return (held.size == size).then_some(Blob(held));
        }
        let found = fs::metadata(self.0.path(&digest)).ok()?;
        if !found.is_file() || found.len() != size {
            return None;
        }
        Some(self.0.hold(&mut inner, digest, size))
    }

    /// Those that nobody holds now, for [`Self::sweep`] after a state was written that was taken later.
    pub(crate) fn doomed(&self) -> Doomed {
        Doomed(self.0.lock().doomed.keys().copied().collect())
    }

    /// Removes those of `doomed` that nobody holds again.
    pub(crate) fn sweep(&self, doomed: Doomed) {
        let mut inner = self.0.lock();
        for digest in doomed.0 {
            if let Some(size) = inner.doomed.remove(&digest) {
                inner.bytes = inner.bytes.saturating_sub(size);
                let _ = fs::remove_file(self.0.path(&digest));
            }
        }
    }

    /// Removes all files that nobody holds, once everything kept has been loaded.
    pub(crate) fn sweep_strays(&self) -> io::Result<()> {
        let inner = self.0.lock();
        for folder in fs::read_dir(&self.0.root)? {
            let folder = folder?;
            // Only what was named by this store: two hex digits, then the digest.
            if folder.file_name().len() != 2 || !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let name = file.file_name();
                let digest: Option<Digest> = name
                    .to_str()
                    .and_then(|name| HEXLOWER.decode(name.as_bytes()).ok())
                    .and_then(|digest| digest.try_into().ok());
                if digest.is_some_and(|digest| !inner.live.contains_key(&digest)) {
                    fs::remove_file(file.path())?;
                }
            }
        }
        Ok(())
    }
}

/// Blobs that may be removed.
#[derive(Debug)]
pub(crate) struct Doomed(Vec<Digest>);

impl Store {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = HEXLOWER.encode(digest);
        self.root.join(&name[..2]).join(name)
    }

    fn hold(self: &Arc<Self>, inner: &mut Inner, digest: Digest, size: u64) -> Blob {
        let held = Arc::new(Held {
            digest,
            size,
            store: Arc::clone(self),
        });
        let was_doomed = inner.doomed.remove(&digest).is_some();
        let was_live = inner.live.insert(digest, Arc::downgrade(&held)).is_some();
        if !was_doomed && !was_live {
            inner.bytes += size;
        }
        Blob(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut inner = self.store.lock();
        // The same bytes may have been put again since the last holder let go, and let go of again.
        let ours = inner
            .live
            .get(&self.digest)
            .is_some_and(|held| held.strong_count() == 0);
        if !ours {
            return;
        }
        inner.live.remove(&self.digest);
        if self.store.kept {
            inner.doomed.insert(self.digest, self.size);
        } else {
            inner.bytes = inner.bytes.saturating_sub(self.size);
            let _ = fs::remove_file(self.store.path(&self.digest));
        }
    }
}

impl Blob {
    /// The file; not to be written to.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.store.path(&self.0.digest)
    }

    /// The SHA-256 of the bytes, in hex.
    pub(crate) fn sha256(&self) -> String {
        HEXLOWER.encode(&self.0.digest)
    }

    /// How many bytes.
    pub(crate) fn size(&self) -> u64 {
        self.0.size
    }

    /// All bytes, in memory. It blocks on the disk.
    #[cfg(test)]
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(self.path())
    }

    /// The file, open for reading.
    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(self.path())
    }
}

/// Writes one blob. Dropped unfinished, it leaves nothing.
pub(crate) struct BlobWriter {
    store: Arc<Store>,
    path: PathBuf,
    file: File,
    hash: Sha256,
    size: u64,
}

impl BlobWriter {
    /// Adds bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size = self.size + bytes.len() as u64;
        if self.store.lock().bytes + size > self.store.limit {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.hash.update(bytes);
        self.file.write_all(bytes)?;
        self.size = size;
        Ok(())
    }

    /// The blob of all bytes so far.
    pub(crate) fn finish(mut self) -> io::Result<Blob> {
        if self.store.kept {
            self.file.sync_data()?;
        }
        let digest: Digest = std::mem::take(&mut self.hash).finalize().into();
        let mut inner = self.store.lock();
        if let Some(held) = inner.live.get(&digest).and_then(Weak::upgrade) {
            return Ok(Blob(held));
        }
        let path = self.store.path(&digest);
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        fs::rename(&self.path, &path)?;
        Ok(self.store.hold(&mut inner, digest, self.size))
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // Once finished, the file is elsewhere.
        let _ = fs::remove_file(&self.path);
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Blobs").field(&self.0.root).finish()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.sha256(), self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &Path) -> usize {
        fs::read_dir(root)
            .unwrap()
            .map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count())
            .sum()
    }

    #[test]
    fn equal_bytes_are_kept_once_and_go_with_the_last_holder() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(root.path(), false).unwrap();
        let one = blobs.put(b"same").unwrap();
        let two = blobs.put(b"same").unwrap();
        assert_eq!(one.path(), two.path());
        assert_eq!(files(root.path()), 1);
        assert_eq!(&one.read().unwrap()[..], b"same");
        drop(one);
        assert!(two.path().exists());
        let path = two.path();
        drop(two);
        assert!(!path.exists());
        assert_eq!(files(root.path()), 0);
    }

    #[test]
    fn an_unfinished_write_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(root.path(), false).unwrap();
        let mut writer = blobs.writer().unwrap();
        writer.write(b"half").unwrap();
        drop(writer);
        assert_eq!(files(root.path()), 0);
    }

    #[test]
    fn kept_blobs_outlive_their_holders_until_swept() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(root.path(), true).unwrap();
        let blob = blobs.put(b"kept").unwrap();
        let (path, sha256) = (blob.path(), blob.sha256());
        let before = blobs.doomed();
        drop(blob);
        blobs.sweep(before);
        assert!(path.exists(), "it was held when the state was taken");
        let again = blobs.get(&sha256, 4).unwrap();
        let doomed = blobs.doomed();
        blobs.sweep(doomed);
        assert!(path.exists(), "it is held again");
        drop(again);
        blobs.sweep(blobs.doomed());
        assert!(!path.exists());
        assert!(blobs.get(&sha256, 4).is_none());
    }

    #[test]
    fn strays_of_an_earlier_run_are_removed_and_other_files_are_not() {
        let root = tempfile::tempdir().unwrap();
        let (kept, stray) = {
            let blobs = Blobs::open(root.path(), true).unwrap();
            let (kept, stray) = (blobs.put(b"kept").unwrap(), blobs.put(b"stray").unwrap());
            (kept.sha256(), stray.sha256())
        };
        fs::write(root.path().join("mine.txt"), "mine").unwrap();
        let blobs = Blobs::open(root.path(), true).unwrap();
        let kept = blobs.get(&kept, 4).unwrap();
        blobs.sweep_strays().unwrap();
        assert!(kept.path().exists());
        assert!(blobs.get(&stray, 5).is_none());
        assert!(root.path().join("mine.txt").exists());
    }
}
