//! The bytes of an artifact, wherever they are kept.

use std::fmt;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;

use crate::digest::Digest;
use crate::error::Result;

/// The bytes behind an [`Artifact`](crate::spec::Artifact): a file, memory, an object in a store.
///
/// Opened once per upload, so that a large archive is never held in memory.
pub trait Content: fmt::Debug + Send + Sync {
    /// The digest of all the bytes.
    fn digest(&self) -> Digest;

    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Opens the bytes from their start. Chunks are at most 1 MiB.
    ///
    /// The stream ends with an error when the bytes cannot be read or no longer match the digest.
    fn open(&self) -> BoxStream<'static, Result<Bytes>>;
}

/// Content that is already in memory.
#[derive(Clone)]
pub struct InMemory {
    bytes: Bytes,
    digest: Digest,
}

impl InMemory {
    /// Takes `bytes` and digests them.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("digest", &self.digest)
            .field("size", &self.bytes.len())
            .finish()
    }
}

impl Content for InMemory {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open(&self) -> BoxStream<'static, Result<Bytes>> {
        const CHUNK: usize = 1 << 20;
        let mut left = self.bytes.clone();
        futures_util::stream::iter(std::iter::from_fn(move || {
            (!left.is_empty()).then(|| Ok(left.split_to(left.len().min(CHUNK))))
        }))
        .boxed()
    }
}
