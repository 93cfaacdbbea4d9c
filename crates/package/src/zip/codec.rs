//! Raw deflate, streaming, with a fixed amount of memory.
//!
//! The compressor is called directly and not through a crate that picks one by feature: a digest
//! is an artifact's name, so the bytes must not depend on what else is in the build.

use std::io::{self, Read, Write};

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

const CHUNK: usize = 64 * 1024;
/// Higher levels cost twice the time for one percent of size.
const LEVEL: i32 = 6;
/// Negative: no zlib header around the data.
const RAW_WINDOW: i32 = -15;
const DEFAULT_STRATEGY: i32 = 0;

/// What went through a compressor or out of a decompressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Bytes outside the archive.
    pub(crate) plain: u64,
    /// Bytes inside the archive.
    pub(crate) packed: u64,
    /// CRC-32 of the plain bytes.
    pub(crate) crc: u32,
}

/// Compresses all of `from` into `into`.
///
/// # Errors
/// Whatever reading or writing reports.
pub(crate) fn compress(from: &mut dyn Read, into: &mut dyn Write) -> io::Result<Passed> {
    let flags = create_comp_flags_from_zip_params(LEVEL, RAW_WINDOW, DEFAULT_STRATEGY);
    let mut state = Box::new(CompressorOxide::new(flags));
    let (mut input, mut output) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut crc = crc32fast::Hasher::new();
    let (mut plain, mut packed) = (0, 0);
    loop {
        let filled = fill(from, &mut input)?;
        let last = filled < input.len();
        crc.update(&input[..filled]);
        plain += filled as u64;
        let mut left = &input[..filled];
        let flush = if last { MZFlush::Finish } else { MZFlush::None };
        loop {
            let step = deflate(&mut state, left, &mut output, flush);
            left = &left[step.bytes_consumed..];
            into.write_all(&output[..step.bytes_written])?;
            packed += step.bytes_written as u64;
            match step.status {
                Ok(MZStatus::StreamEnd) => {
                    return Ok(Passed {
                        plain,
                        packed,
                        crc: crc.finalize(),
                    });
                }
                Ok(_) if last || !left.is_empty() => {}
                // Nothing more to do with this chunk.
                Ok(_) | Err(MZError::Buf) if !last => break,
                other => {
                    return Err(io::Error::other(format!(
                        "the compressor stopped: {other:?}"
                    )));
                }
            }
        }
    }
}

/// Why an entry could not be read to its end.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The archive could not be read.
    Read(io::Error),
    /// The receiver failed, or had enough.
    Sink(io::Error),
    /// The compressed data is not deflate.
    NotDeflate,
    /// The compressed data ends before its own end mark, or goes on after it.
    WrongLength,
    /// More plain bytes than announced.
    TooMany,
}

/// Decompresses exactly `packed` bytes of `from`, passing at most `most` plain bytes on.
///
/// # Errors
/// See [`Broken`].
pub(crate) fn decompress(
    from: &mut dyn Read,
    packed: u64,
    most: u64,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Passed, Broken> {
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut from = from.take(packed);
    let (mut input, mut output) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut crc = crc32fast::Hasher::new();
    let mut plain = 0;
    let mut left = 0..0;
    loop {
        if left.is_empty() {
            let filled = fill(&mut from, &mut input).map_err(Broken::Read)?;
            left = 0..filled;
        }
        let dry = left.is_empty();
        let step = inflate(&mut state, &input[left.clone()], &mut output, MZFlush::None);
        left.start += step.bytes_consumed;
        let out = &output[..step.bytes_written];
        plain += out.len() as u64;
        if plain > most {
            return Err(Broken::TooMany);
        }
        crc.update(out);
        sink(out).map_err(Broken::Sink)?;
        match step.status {
            Ok(MZStatus::StreamEnd) => {
                return if left.is_empty() && from.limit() == 0 {
                    Ok(Passed {
                        plain,
                        packed,
                        crc: crc.finalize(),
                    })
                } else {
                    Err(Broken::WrongLength)
                };
            }
            Ok(_) | Err(MZError::Buf) => {
                if dry && out.is_empty() {
                    return Err(Broken::WrongLength);
                }
            }
            Err(_) => return Err(Broken::NotDeflate),
        }
    }
}

/// Passes `size` bytes on as they are.
///
/// # Errors
/// [`Broken::Read`], [`Broken::Sink`], or [`Broken::WrongLength`] where the file ends early.
pub(crate) fn copy(
    from: &mut dyn Read,
    size: u64,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Passed, Broken> {
    let mut from = from.take(size);
    let mut chunk = vec![0; CHUNK];
    let mut crc = crc32fast::Hasher::new();
    let mut plain = 0;
    loop {
        let filled = fill(&mut from, &mut chunk).map_err(Broken::Read)?;
        if filled == 0 {
            break;
        }
        crc.update(&chunk[..filled]);
        plain += filled as u64;
        sink(&chunk[..filled]).map_err(Broken::Sink)?;
    }
    if plain < size {
        return Err(Broken::WrongLength);
    }
    Ok(Passed {
        plain,
        packed: plain,
        crc: crc.finalize(),
    })
}

/// Reads until the buffer is full or the source ends.
fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of a prime length, as a pipe would.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(self.0.len()).min(997);
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn sample(len: usize) -> Vec<u8> {
        let mut seed = 1u32;
        (0..len)
            .map(|index| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if index % 3 == 0 {
                    (seed >> 24) as u8
                } else {
                    b'a' + (index % 7) as u8
                }
            })
            .collect()
    }

    fn inflated(packed: &[u8], len: u64, most: u64) -> Result<Vec<u8>, Broken> {
        let mut back = Vec::new();
        decompress(&mut &packed[..], len, most, &mut |bytes| {
            back.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(back)
    }

    #[test]
    fn what_goes_in_comes_out_around_every_chunk_boundary() {
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17] {
            let plain = sample(len);
            let mut packed = Vec::new();
            let passed = compress(&mut &plain[..], &mut packed).unwrap();
            assert_eq!(
                (passed.plain, passed.packed),
                (len as u64, packed.len() as u64)
            );
            assert_eq!(
                inflated(&packed, passed.packed, len as u64).unwrap(),
                plain,
                "{len}"
            );
        }
    }

    #[test]
    fn the_bytes_do_not_depend_on_how_the_source_is_cut() {
        let plain = sample(5 * CHUNK + 3);
        let (mut whole, mut dribbled) = (Vec::new(), Vec::new());
        compress(&mut &plain[..], &mut whole).unwrap();
        compress(&mut Dribble(&plain), &mut dribbled).unwrap();
        assert_eq!(whole, dribbled);
    }

    #[test]
    fn wrong_lengths_and_garbage_are_told_apart() {
        let plain = sample(200_000);
        let mut packed = Vec::new();
        compress(&mut &plain[..], &mut packed).unwrap();
        let len = packed.len() as u64;
        assert!(matches!(
            inflated(&packed, len - 1, u64::MAX),
            Err(Broken::WrongLength)
        ));
        assert!(matches!(
            inflated(&packed, len, 199_999),
            Err(Broken::TooMany)
        ));
        packed.push(0);
        assert!(matches!(
            inflated(&packed, len + 1, u64::MAX),
            Err(Broken::WrongLength)
        ));
        assert!(matches!(
            inflated(&[0xff; 40], 40, u64::MAX),
            Err(Broken::NotDeflate)
        ));
    }
}
