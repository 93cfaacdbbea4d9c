//! Ids of requests and resources.

use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;

/// Fills with random bytes. Where the system has none to give, ids are still unlike each other.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    static FALLBACK: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        let count = FALLBACK.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, count) in bytes.iter_mut().zip(count) {
            *byte = count;
        }
    }
    bytes
}

/// A random UUID (version 4).
pub(crate) fn uuid() -> String {
    let mut bytes: [u8; 16] = random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut hex = [0; 32];
    HEXLOWER.encode_mut(&bytes, &mut hex);
    let mut id = String::with_capacity(36);
    for (index, digit) in hex.iter().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(char::from(*digit));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_one() {
        let id = uuid();
        assert_eq!(id.len(), 36);
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
        assert_ne!(id, uuid());
    }
}
