//! The checksums that S3 takes in a trailer, and in headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A checksum algorithm of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checksum {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Checksum {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// Its name in S3's API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header, or trailer, that carries it.
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of this header.
    pub(crate) fn by_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.header() == name)
    }

    /// Bytes of a checksum.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The checksum of `bytes`.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Crc32 => crc32fast::hash(bytes).to_be_bytes().to_vec(),
            Self::Crc32c => crc32c(bytes).to_be_bytes().to_vec(),
            Self::Crc64Nvme => crc64_nvme(bytes).to_be_bytes().to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// The checksum of `bytes` as S3 writes it, in base64.
    pub(crate) fn text_of(self, bytes: &[u8]) -> String {
        STANDARD.encode(self.of(bytes))
    }

    /// Reads what a client sent; `None` when it is no checksum of this algorithm.
    pub(crate) fn read(self, text: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(text).ok()?;
        (bytes.len() == self.len()).then_some(bytes)
    }
}

/// A checksum of bytes that come in parts.
pub(crate) enum Running {
    Crc32(crc32fast::Hasher),
    /// The tables, the register, and how many bytes of it are the checksum.
    Table(&'static [[u64; 256]; 8], u64, usize),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Running {
    /// Of no bytes yet.
    pub(crate) fn new(algorithm: Checksum) -> Self {
        match algorithm {
            Checksum::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Checksum::Crc32c => Self::Table(&CRC32C, u64::from(u32::MAX), 4),
            Checksum::Crc64Nvme => Self::Table(&CRC64_NVME, u64::MAX, 8),
            Checksum::Sha1 => Self::Sha1(Sha1::new()),
            Checksum::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Table(tables, register, _) => *register = reflected(tables, *register, bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum of all bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes().to_vec(),
            Self::Table(_, register, length) => {
                let all = (!register).to_be_bytes();
                all[all.len() - length..].to_vec()
            }
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// Tables for eight bytes at a time, of a reflected polynomial.
const fn tables(polynomial: u64) -> [[u64; 256]; 8] {
    let mut tables = [[0u64; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u64;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (polynomial * (value & 1));
            bit += 1;
        }
        tables[0][index] = value;
        index += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut index = 0;
        while index < 256 {
            let before = tables[table - 1][index];
            tables[table][index] = (before >> 8) ^ tables[0][(before & 255) as usize];
            index += 1;
        }
        table += 1;
    }
    tables
}

static CRC32C: [[u64; 256]; 8] = tables(0x82F6_3B78);
static CRC64_NVME: [[u64; 256]; 8] = tables(0x9A6C_9329_AC4B_C9B5);

fn reflected(tables: &[[u64; 256]; 8], start: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let crc = words.iter().fold(start, |crc, word| {
        let mixed = (crc ^ u64::from_le_bytes(*word)).to_le_bytes();
        mixed
            .iter()
            .zip(tables.iter().rev())
            .fold(0, |sum, (byte, table)| sum ^ table[usize::from(*byte)])
    });
    rest.iter().fold(crc, |crc, byte| {
        (crc >> 8) ^ tables[0][usize::from(crc.to_le_bytes()[0] ^ byte)]
    })
}

fn crc32c(bytes: &[u8]) -> u32 {
    let all = u64::from(u32::MAX);
    // The polynomial has 32 bits, so the upper half of the register stays zero.
    (reflected(&CRC32C, all, bytes) ^ all) as u32
}

fn crc64_nvme(bytes: &[u8]) -> u64 {
    reflected(&CRC64_NVME, u64::MAX, bytes) ^ u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms, over nine and over 36 bytes.
    #[test]
    fn checksums_have_their_check_values() {
        let digits = b"123456789";
        assert_eq!(crc32c(digits), 0xE306_9283);
        assert_eq!(crc64_nvme(digits), 0xAE8B_1486_0A79_9888);
        assert_eq!(Checksum::Crc32.of(digits), 0xCBF4_3926_u32.to_be_bytes());
        assert_eq!(crc32c(b""), 0);
        let long = digits.repeat(4);
        let slow = |tables: &[[u64; 256]; 8], start: u64| {
            long.iter().fold(start, |crc, byte| {
                (crc >> 8) ^ tables[0][usize::from((crc & 255) as u8 ^ byte)]
            })
        };
        assert_eq!(
            u64::from(crc32c(&long)),
            slow(&CRC32C, 0xFFFF_FFFF) ^ 0xFFFF_FFFF
        );
        assert_eq!(crc64_nvme(&long), slow(&CRC64_NVME, u64::MAX) ^ u64::MAX);
    }

    #[test]
    fn parts_give_what_the_whole_gives() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for one in Checksum::ALL {
            for at in [0, 1, 7, 8, 500, 999, 1000] {
                let mut running = Running::new(one);
                running.update(&bytes[..at]);
                running.update(&bytes[at..]);
                assert_eq!(running.finish(), one.of(&bytes), "{} at {at}", one.name());
            }
        }
    }

    #[test]
    fn texts_are_read_by_length() {
        for one in Checksum::ALL {
            let text = one.text_of(b"hello");
            assert_eq!(one.read(&text), Some(one.of(b"hello")));
            assert_eq!(one.of(b"").len(), one.len());
            assert_eq!(one.read("AAA="), None);
            assert_eq!(Checksum::by_header(one.header()), Some(one));
        }
        assert_eq!(Checksum::Sha1.text_of(b""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    }
}
