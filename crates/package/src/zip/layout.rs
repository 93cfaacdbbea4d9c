//! The records of a zip file, as bytes.

pub(crate) const LOCAL: u32 = 0x0403_4b50;
pub(crate) const CENTRAL: u32 = 0x0201_4b50;
pub(crate) const END: u32 = 0x0605_4b50;

pub(crate) const LOCAL_LEN: usize = 30;
pub(crate) const CENTRAL_LEN: usize = 46;
pub(crate) const END_LEN: usize = 22;

pub(crate) const STORED: u16 = 0;
pub(crate) const DEFLATED: u16 = 8;

/// Encrypted, strongly encrypted, or with masked headers.
pub(crate) const FLAGS_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Sizes and checksum follow the data instead of standing in the local header.
pub(crate) const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// The name is UTF-8.
pub(crate) const FLAG_UTF8: u16 = 1 << 11;

/// "Look in the 64-bit extra field".
pub(crate) const IN_EXTRA: u32 = u32::MAX;
const EXTRA_64: u16 = 1;

/// The file type and permission bits of Unix, in the upper half of the external attributes.
pub(crate) const MODE_TYPE: u32 = 0o170_000;
pub(crate) const MODE_FILE: u32 = 0o100_000;
pub(crate) const MODE_DIRECTORY: u32 = 0o040_000;
pub(crate) const MODE_LINK: u32 = 0o120_000;

/// 1980-01-01, the first date that the format can express; its time of day is zero.
pub(crate) const DATE_ZERO: u16 = (1 << 5) | 1;
/// Version 2.0: deflate and directories.
pub(crate) const VERSION_NEEDED: u16 = 20;
/// Made on Unix, so that the permission bits count.
pub(crate) const MADE_BY_UNIX: u16 = (3 << 8) | VERSION_NEEDED;

/// Reads little-endian fields one after the other; past the end everything is zero, so callers
/// check lengths first.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        let len = N.min(self.0.len());
        let (head, rest) = self.0.split_at(len);
        field[..len].copy_from_slice(head);
        self.0 = rest;
        field
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }
}

/// Sizes and offset of an entry, widened by the 64-bit extra field where the 32-bit ones say so.
///
/// `None` when a field is announced there and missing.
pub(crate) fn widen(fields: [u32; 3], mut extra: &[u8]) -> Option<[u64; 3]> {
    let wanted = fields.iter().filter(|field| **field == IN_EXTRA).count();
    if wanted == 0 {
        return Some(fields.map(u64::from));
    }
    while extra.len() >= 4 {
        let mut head = Fields(extra);
        let (id, len) = (head.u16(), usize::from(head.u16()));
        let body = extra.get(4..4 + len)?;
        if id == EXTRA_64 {
            if len < wanted * 8 {
                return None;
            }
            let mut body = Fields(body);
            return Some(fields.map(|field| {
                if field == IN_EXTRA {
                    body.u64()
                } else {
                    u64::from(field)
                }
            }));
        }
        extra = &extra[4 + len..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_field_replaces_only_what_announces_it() {
        let mut extra = vec![9, 9, 1, 0, 7]; // another field first
        extra.extend([1, 0, 8, 0]);
        extra.extend(5u64.to_le_bytes());
        assert_eq!(widen([IN_EXTRA, 3, 4], &extra), Some([5, 3, 4]));
        assert_eq!(widen([1, 2, 3], &[]), Some([1, 2, 3]));
        assert_eq!(widen([IN_EXTRA, IN_EXTRA, 4], &extra), None);
        assert_eq!(widen([IN_EXTRA, 3, 4], &extra[..6]), None);
    }
}
