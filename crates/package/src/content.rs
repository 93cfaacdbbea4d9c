//! An archive on disk as the contract's [`Content`]: a stream of bytes that match their digest.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyport_core::content::Content;
use anyport_core::{Digest, Error as CoreError, ErrorKind, Result as CoreResult};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use futures_util::stream;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::pack::{self, Packed};

const CHUNK: usize = 256 * 1024;

/// A file whose bytes are promised to have one digest.
///
/// Each opening reads the file anew in chunks of 256 KiB on the runtime's blocking threads, and
/// fails at the end where the file has changed.
#[derive(Clone, Debug)]
pub struct FileContent {
    path: PathBuf,
    digest: Digest,
    size: u64,
}

impl FileContent {
    /// Digests the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let (digest, size) = File::open(path)
            .and_then(|mut file| pack::digest(&mut file))
            .map_err(Error::io("read", path))?;
        Ok(Self::known(path, digest, size))
    }

    /// Takes digest and size from a record; the bytes are held to them when they are read.
    #[must_use]
    pub fn known(path: &Path, digest: Digest, size: u64) -> Self {
        Self {
            path: path.to_owned(),
            digest,
            size,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl From<&Packed> for FileContent {
    fn from(packed: &Packed) -> Self {
        Self::known(&packed.path, packed.digest, packed.size)
    }
}

impl Content for FileContent {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn size(&self) -> u64 {
        self.size
    }

    /// # Panics
    /// When it is polled outside a tokio runtime.
    fn open(&self) -> BoxStream<'static, CoreResult<Bytes>> {
        let reading = Reading {
            content: self.clone(),
            file: None,
            sum: Sha256::new(),
            read: 0,
        };
        stream::try_unfold(Some(reading), |reading| async {
            let Some(reading) = reading else {
                return Ok(None);
            };
            let path = reading.content.path.clone();
            match tokio::task::spawn_blocking(move || reading.next()).await {
                Ok(step) => step,
                Err(_) => Err(failed(&path).because("the reader was stopped")),
            }
        })
        .boxed()
    }
}

/// One pass over the file.
struct Reading {
    content: FileContent,
    file: Option<File>,
    sum: Sha256,
    read: u64,
}

impl Reading {
    fn next(mut self) -> CoreResult<Option<(Bytes, Option<Self>)>> {
        let path = &self.content.path;
        let io = |error: std::io::Error| {
            failed(path)
                .because("the file cannot be read")
                .with_source(error)
        };
        let mut file = match self.file.take() {
            Some(file) => file,
            None => File::open(path).map_err(io)?,
        };
        let mut chunk = Vec::with_capacity(CHUNK);
        Read::by_ref(&mut file)
            .take(CHUNK as u64)
            .read_to_end(&mut chunk)
            .map_err(io)?;
        if chunk.is_empty() {
            return self.end().map(|()| None);
        }
        self.sum.update(&chunk);
        self.read += chunk.len() as u64;
        // A file that grew is known to be wrong before its end.
        if self.read > self.content.size {
            return Err(changed(path));
        }
        self.file = Some(file);
        Ok(Some((chunk.into(), Some(self))))
    }

    fn end(self) -> CoreResult<()> {
        let sum = Digest::from_sha256(self.sum.finalize().into());
        if self.read == self.content.size && sum == self.content.digest {
            Ok(())
        } else {
            Err(changed(&self.content.path))
        }
    }
}

fn failed(path: &Path) -> CoreError {
    CoreError::new(ErrorKind::Unavailable, "read the artifact").on(path.display())
}

fn changed(path: &Path) -> CoreError {
    CoreError::new(ErrorKind::Conflict, "read the artifact")
        .on(path.display())
        .because("its bytes no longer match its digest")
        .hint("pack it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn drain(content: &FileContent) -> CoreResult<Vec<u8>> {
        let mut all = Vec::new();
        let mut chunks = content.open();
        while let Some(chunk) = chunks.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn the_bytes_arrive_and_changes_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        let bytes: Vec<u8> = (0..CHUNK * 2 + 5)
            .map(|index| (index % 251) as u8)
            .collect();
        std::fs::write(&path, &bytes).unwrap();
        let content = FileContent::of(&path).unwrap();
        assert_eq!(content.digest(), Digest::of(&bytes));
        assert_eq!(content.size(), bytes.len() as u64);
        assert_eq!(drain(&content).await.unwrap(), bytes);
        // Once more: opening does not use the content up.
        assert_eq!(drain(&content).await.unwrap(), bytes);

        for changed in [bytes[..CHUNK].to_vec(), [&bytes[..], b"x"].concat(), {
            let mut flipped = bytes.clone();
            flipped[7] ^= 1;
            flipped
        }] {
            std::fs::write(&path, changed).unwrap();
            assert_eq!(
                drain(&content).await.unwrap_err().kind(),
                &ErrorKind::Conflict
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            drain(&content).await.unwrap_err().kind(),
            &ErrorKind::Unavailable
        );
    }

    #[tokio::test]
    async fn an_empty_file_is_an_empty_stream() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("empty");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(drain(&FileContent::of(&path).unwrap()).await.unwrap(), b"");
    }
}
