//! Taking in bytes: digests verified, checksums made, the file written.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};

use super::error;
pub(super) use super::store::Content;
use super::store::Sum;
use crate::answer::ApiError;
use crate::call::{Call, Service};
use crate::sigv4::{Checksum, Running};
use crate::state::{Blob, Blobs};

/// How much is read from a file at once, in bytes.
pub(super) const CHUNK: usize = 128 * 1024;

/// Checksum algorithms of the model that are not served.
const NOT_SERVED: [&str; 5] = ["SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"];

/// The checksum that a client wants verified or made.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// A CRC64NVME unless the client named another. Source: S3 user guide, "Checking object integrity".
    pub(super) algorithm: Checksum,
    /// What it says that the checksum is.
    value: Option<Vec<u8>>,
}

/// Bytes that came in.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) content: Content,
    /// The MD5 in hex.
    pub(super) md5: String,
    pub(super) sum: Sum,
}

/// The algorithm of this name.
pub(super) fn algorithm(name: &str) -> Result<Checksum, ApiError> {
    if let Some(found) = Checksum::ALL.into_iter().find(|one| one.name() == name) {
        return Ok(found);
    }
    if NOT_SERVED.contains(&name) {
        return Err(error::not_implemented(&format!(
            "the checksum algorithm {name}"
        )));
    }
    Err(error::invalid_request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
         [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    ))
}

/// The member of a shape that holds this algorithm's value.
pub(super) fn member(algorithm: &str) -> String {
    format!("Checksum{algorithm}")
}

/// The value of a checksum that the input gives in a member, by algorithm.
pub(super) fn given(call: &Call) -> Result<Option<(Checksum, String)>, ApiError> {
    for name in NOT_SERVED {
        if call.text(&member(name)).is_some() {
            algorithm(name)?;
        }
    }
    let mut all = Checksum::ALL
        .into_iter()
        .filter_map(|one| Some((one, call.text(&member(one.name()))?.to_owned())));
    let first = all.next();
    if all.next().is_some() {
        return Err(error::invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    Ok(first)
}

impl Asked {
    /// What a request with a body asks; `default` where it names no algorithm.
    pub(super) fn of(call: &Call, default: Option<Checksum>) -> Result<Self, ApiError> {
        if let Some((algorithm, text)) = given(call)? {
            let value = algorithm.read(&text).ok_or_else(|| {
                error::invalid_request(format!(
                    "Value for {} header is invalid.",
                    algorithm.header()
                ))
            })?;
            return Ok(Self {
                algorithm,
                value: Some(value),
            });
        }
        // A trailer's value has been verified while the body was decoded.
        let trailer = call
            .headers
            .get_all("x-amz-trailer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(|name| Checksum::by_header(&name.trim().to_ascii_lowercase()));
        let named = match (trailer, call.text("ChecksumAlgorithm")) {
            (Some(trailer), _) => Some(trailer),
            (None, Some(name)) => Some(algorithm(name)?),
            (None, None) => default,
        };
        Ok(Self {
            algorithm: named.unwrap_or(Checksum::Crc64Nvme),
            value: None,
        })
    }
}

/// Verifies the call's body and writes it.
///
/// # Errors
/// `BadDigest` and its like; what the disk says.
pub(super) async fn receive(call: &Call, asked: Asked) -> Result<Received, ApiError> {
    let wanted = match call.text("ContentMD5") {
        Some(text) => {
            let value = STANDARD.decode(text).ok();
            let value: Option<[u8; 16]> = value.and_then(|value| value.try_into().ok());
            Some(value.ok_or_else(error::invalid_digest)?)
        }
        None => None,
    };
    let (blobs, payload) = (call.cx.cloud.blobs.clone(), call.payload.clone());
    blocking(move || {
        let md5: [u8; 16] = Md5::digest(&payload).into();
        if wanted.is_some_and(|wanted| wanted != md5) {
            return Err(error::bad_md5());
        }
        let sum = asked.algorithm.of(&payload);
        if asked.value.is_some_and(|value| value != sum) {
            return Err(error::bad_digest(asked.algorithm.name()));
        }
        let blob = blobs.put(&payload).map_err(|error| error::disk(&error))?;
        Ok(Received {
            content: Content::new(blob),
            md5: HEXLOWER.encode(&md5),
            sum: Sum {
                algorithm: asked.algorithm.name().to_owned(),
                value: STANDARD.encode(sum),
                composite: false,
            },
        })
    })
    .await
}

/// Joins contents into one, and makes a checksum of all of it where one is wanted.
///
/// # Errors
/// What the disk says.
pub(super) async fn join(
    blobs: Blobs,
    parts: Vec<Blob>,
    algorithm: Option<Checksum>,
) -> Result<(Content, Option<String>), ApiError> {
    blocking(move || {
        let work = || {
            let mut writer = blobs.writer()?;
            let mut running = algorithm.map(Running::new);
            for part in &parts {
                each_chunk(part.open()?, |bytes| {
                    if let Some(running) = &mut running {
                        running.update(bytes);
                    }
                    writer.write(bytes)
                })?;
            }
            let sum = running.map(|running| STANDARD.encode(running.finish()));
            Ok((Content::new(writer.finish()?), sum))
        };
        work().map_err(|error: io::Error| error::disk(&error))
    })
    .await
}

/// Reads a content for its MD5 and a checksum, as a copy of an object that came in parts needs.
///
/// # Errors
/// What the disk says.
pub(super) async fn digest(
    blob: Blob,
    offset: u64,
    length: u64,
    algorithm: Checksum,
) -> Result<(String, String), ApiError> {
    blocking(move || {
        let work = || {
            let mut file = blob.open()?;
            file.seek(SeekFrom::Start(offset))?;
            let (mut md5, mut running) = (Md5::new(), Running::new(algorithm));
            each_chunk(file.take(length), |bytes| {
                md5.update(bytes);
                running.update(bytes);
                Ok(())
            })?;
            Ok((
                HEXLOWER.encode(&md5.finalize()),
                STANDARD.encode(running.finish()),
            ))
        };
        work().map_err(|error: io::Error| error::disk(&error))
    })
    .await
}

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(ApiError::internal(Service::S3, "a task was stopped")))
}

/// A part of a content as one of its own.
///
/// # Errors
/// What the disk says.
pub(super) async fn cut(
    blobs: Blobs,
    blob: Blob,
    offset: u64,
    length: u64,
) -> Result<Content, ApiError> {
    blocking(move || {
        let work = || {
            let mut writer = blobs.writer()?;
            let mut file = blob.open()?;
            file.seek(SeekFrom::Start(offset))?;
            each_chunk(file.take(length), |bytes| writer.write(bytes))?;
            Ok(Content::new(writer.finish()?))
        };
        work().map_err(|error: io::Error| error::disk(&error))
    })
    .await
}

/// Reads to the end.
fn each_chunk(
    mut from: impl io::Read,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer)?;
        match buffer.get(..read) {
            None | Some([]) => return Ok(()),
            Some(bytes) => take(bytes)?,
        }
    }
}
