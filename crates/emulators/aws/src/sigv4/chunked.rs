//! Bodies in chunks, each signed or not, with checksums behind them: S3's `aws-chunked`.
//!
//! Source: S3's guide to signing chunked uploads, with and without trailing headers.

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::checksum::Checksum;
use super::fault::{BodyProblem, Mismatch, Problem};
use super::key::{Signer, agrees, sha256_hex};

/// The smallest signed chunk but for the last.
const SMALLEST: usize = 8192;

/// Most bytes of a chunk's line, or of a trailer's.
const LINE: usize = 4096;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// How a body is framed.
pub(crate) struct Framing<'a> {
    /// What signs each chunk, if they are signed.
    pub(crate) signed: Option<ChunkSigner>,
    /// The value of `x-amz-trailer`, where trailers follow the last chunk.
    pub(crate) trailer: Option<&'a str>,
    /// Bytes of the body itself, from `x-amz-decoded-content-length`.
    pub(crate) length: usize,
}

/// Signs chunk after chunk, each with the signature before it.
pub(crate) struct ChunkSigner {
    pub(crate) signer: Signer,
    pub(crate) key: String,
    pub(crate) at: String,
    pub(crate) scope: String,
    pub(crate) previous: String,
}

impl ChunkSigner {
    fn chunk(&mut self, data: &[u8], given: &str) -> Result<(), Problem> {
        let rest = format!("{EMPTY}\n{}", sha256_hex(data));
        self.check("AWS4-HMAC-SHA256-PAYLOAD", &rest, given)
    }

    fn trailer(&mut self, text: &str, given: &str) -> Result<(), Problem> {
        let rest = sha256_hex(text.as_bytes());
        self.check("AWS4-HMAC-SHA256-TRAILER", &rest, given)
    }

    fn check(&mut self, algorithm: &str, rest: &str, given: &str) -> Result<(), Problem> {
        let string = format!(
            "{algorithm}\n{}\n{}\n{}\n{rest}",
            self.at, self.scope, self.previous
        );
        if !agrees(self.signer.clone(), string.as_bytes(), given) {
            return Err(Problem::Mismatch(Box::new(Mismatch {
                key: self.key.clone(),
                provided: given.to_owned(),
                string_to_sign: string,
                canonical: String::new(),
            })));
        }
        given.clone_into(&mut self.previous);
        Ok(())
    }

    /// The signature of a chunk, as a client makes it.
    #[cfg(test)]
    fn sign(&self, data: &[u8]) -> String {
        let string = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{EMPTY}\n{}",
            self.at,
            self.scope,
            self.previous,
            sha256_hex(data)
        );
        data_encoding::HEXLOWER.encode(&super::key::mac(self.signer.clone(), string.as_bytes()))
    }
}

/// Takes the framing off.
///
/// # Errors
/// Framing that is none, a chunk or trailer whose signature is wrong, a body whose length or checksum is another.
pub(crate) fn decode(body: Bytes, framing: Framing<'_>) -> Result<(Bytes, HeaderMap), Problem> {
    let Framing {
        mut signed,
        trailer,
        length,
    } = framing;
    // The announced length bounds what is kept; a body can't announce more than it carries.
    let mut out = Vec::with_capacity(length.min(body.len()));
    let mut rest = body;
    let mut before = SMALLEST;
    for number in 1.. {
        let line = line(&mut rest)?;
        let (size, extensions) = line.split_once(';').unwrap_or((&line, ""));
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| incomplete())?;
        if signed.is_some() && size > 0 && before < SMALLEST {
            return Err(Problem::Body(BodyProblem::SmallChunk {
                chunk: number - 1,
                size: before,
            }));
        }
        before = size;
        if rest.remaining() < size || out.len() + size > length {
            return Err(incomplete());
        }
        let data = rest.split_to(size);
        if let Some(signer) = &mut signed {
            let given = extensions
                .split(';')
                .find_map(|one| one.trim().strip_prefix("chunk-signature="))
                .ok_or_else(incomplete)?;
            signer.chunk(&data, given)?;
        }
        if size == 0 {
            break;
        }
        out.extend_from_slice(&data);
        if !rest.starts_with(b"\r\n") {
            return Err(incomplete());
        }
        rest.advance(2);
    }
    if out.len() != length {
        return Err(incomplete());
    }
    let trailers = match trailer {
        Some(announced) => trailers(&mut rest, announced, &mut signed)?,
        None => HeaderMap::new(),
    };
    let out = Bytes::from(out);
    for (name, value) in &trailers {
        verify_checksum(name, value, &out)?;
    }
    Ok((out, trailers))
}

fn incomplete() -> Problem {
    Problem::Body(BodyProblem::Incomplete)
}

/// Takes one line, without its end.
fn line(rest: &mut Bytes) -> Result<String, Problem> {
    let end = rest
        .iter()
        .take(LINE)
        .position(|byte| *byte == b'\n')
        .ok_or_else(incomplete)?;
    let taken = rest.split_to(end);
    rest.advance(1);
    let text = std::str::from_utf8(&taken).map_err(|_| incomplete())?;
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn trailers(
    rest: &mut Bytes,
    announced: &str,
    signed: &mut Option<ChunkSigner>,
) -> Result<HeaderMap, Problem> {
    let malformed = || Problem::Body(BodyProblem::Trailer);
    let mut found = HeaderMap::new();
    let mut text = String::new();
    let mut signature = None;
    while !rest.is_empty() {
        let line = line(rest).map_err(|_| malformed())?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "x-amz-trailer-signature" {
            signature = Some(value.to_owned());
            continue;
        }
        text.push_str(&format!("{name}:{value}\n"));
        let name: HeaderName = name.parse().map_err(|_| malformed())?;
        let value = HeaderValue::from_str(value).map_err(|_| malformed())?;
        if found.insert(name, value).is_some() {
            return Err(malformed());
        }
    }
    let mut expected = announced
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase());
    let complete = expected.all(|name| found.contains_key(name.as_str()));
    if !complete || found.len() != announced.split(',').count() {
        return Err(malformed());
    }
    if let Some(signer) = signed {
        signer.trailer(&text, &signature.ok_or_else(malformed)?)?;
    }
    Ok(found)
}

fn verify_checksum(name: &HeaderName, value: &HeaderValue, body: &[u8]) -> Result<(), Problem> {
    let Some(algorithm) = Checksum::by_header(name.as_str()) else {
        return Ok(());
    };
    let given = value.to_str().ok().and_then(|text| algorithm.read(text));
    match given {
        None => Err(Problem::Body(BodyProblem::ChecksumFormat {
            header: name.as_str().to_owned(),
        })),
        Some(given) if given == algorithm.of(body) => Ok(()),
        Some(_) => Err(Problem::Body(BodyProblem::Checksum {
            algorithm: algorithm.name(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Secret;
    use super::*;

    /// The worked example of S3's guide: 65 KiB of `a` in chunks of 64 KiB, with signatures as published there.
    fn published() -> (ChunkSigner, Vec<u8>) {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let signer = ChunkSigner {
            signer: secret.signer("20130524", "us-east-1", "s3"),
            key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            at: "20130524T000000Z".to_owned(),
            scope: "20130524/us-east-1/s3/aws4_request".to_owned(),
            previous: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9".to_owned(),
        };
        let mut body = Vec::new();
        for (size, signature) in [
            (
                65_536,
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            ),
            (
                1024,
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            ),
            (
                0,
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ),
        ] {
            body.extend(format!("{size:x};chunk-signature={signature}\r\n").bytes());
            body.extend(std::iter::repeat_n(b'a', size));
            body.extend(b"\r\n");
        }
        (signer, body)
    }

    #[test]
    fn decodes_the_published_example() {
        let (signer, body) = published();
        let framing = Framing {
            signed: Some(signer),
            trailer: None,
            length: 66_560,
        };
        let (decoded, trailers) = decode(body.into(), framing).unwrap();
        assert_eq!(decoded, vec![b'a'; 66_560]);
        assert!(trailers.is_empty());
    }

    #[test]
    fn a_changed_byte_of_a_signed_chunk_is_seen() {
        let (signer, mut body) = published();
        body[40_000] = b'b';
        let framing = Framing {
            signed: Some(signer),
            trailer: None,
            length: 66_560,
        };
        assert!(matches!(
            decode(body.into(), framing),
            Err(Problem::Mismatch(_))
        ));
    }

    #[test]
    fn small_chunks_in_the_middle_are_refused() {
        let (mut signer, _) = published();
        let first = signer.sign(b"abc");
        let body = format!("3;chunk-signature={first}\r\nabc\r\n");
        signer.previous = first;
        let body = format!("{body}3;chunk-signature={}\r\ndef\r\n", signer.sign(b"def"));
        let (signer, _) = published();
        let framing = Framing {
            signed: Some(signer),
            trailer: None,
            length: 6,
        };
        assert_eq!(
            decode(body.into(), framing),
            Err(Problem::Body(BodyProblem::SmallChunk { chunk: 1, size: 3 }))
        );
    }

    fn unsigned(body: &str, length: usize) -> Result<(Bytes, HeaderMap), Problem> {
        let framing = Framing {
            signed: None,
            trailer: Some("x-amz-checksum-crc32"),
            length,
        };
        decode(Bytes::copy_from_slice(body.as_bytes()), framing)
    }

    #[test]
    fn trailing_checksums_are_verified() {
        let good = Checksum::Crc32.text_of(b"hello");
        let body =
            |checksum: &str| format!("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
        let (decoded, trailers) = unsigned(&body(&good), 5).unwrap();
        assert_eq!(decoded, "hello");
        assert_eq!(trailers["x-amz-checksum-crc32"], good);
        let wrong = Checksum::Crc32.text_of(b"hallo");
        for (body, length, expected) in [
            (
                body(&wrong),
                5,
                BodyProblem::Checksum { algorithm: "CRC32" },
            ),
            (
                body("AA=="),
                5,
                BodyProblem::ChecksumFormat {
                    header: "x-amz-checksum-crc32".to_owned(),
                },
            ),
            (body(&good), 6, BodyProblem::Incomplete),
            (body(&good), 4, BodyProblem::Incomplete),
            (
                "5\r\nhello\r\n0\r\n\r\n".to_owned(),
                5,
                BodyProblem::Trailer,
            ),
            (
                "5\r\nhello\r\n0\r\nnonsense\r\n".to_owned(),
                5,
                BodyProblem::Trailer,
            ),
            ("5\r\nhel".to_owned(), 5, BodyProblem::Incomplete),
            ("x\r\n".to_owned(), 0, BodyProblem::Incomplete),
            (
                "ffffffffffffffff\r\nhello".to_owned(),
                5,
                BodyProblem::Incomplete,
            ),
            (String::new(), 0, BodyProblem::Incomplete),
        ] {
            assert_eq!(
                unsigned(&body, length),
                Err(Problem::Body(expected)),
                "{body}"
            );
        }
    }
}
