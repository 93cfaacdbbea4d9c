//! Identifiers that Lambda makes up.

/// A random UUID (version 4), as revision ids are.
pub(crate) fn uuid() -> String {
    let mut bytes = random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// `length` random characters of `a-z0-9`.
pub(crate) fn token(length: usize) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut token = String::with_capacity(length);
    while token.len() < length {
        for byte in random() {
            // Above this the first letters would come more often.
            if byte < 252 && token.len() < length {
                token.push(char::from(LETTERS[usize::from(byte % 36)]));
            }
        }
    }
    token
}

/// A number from 0 to below 1.
pub(crate) fn fraction() -> f64 {
    let bytes = random();
    let bits = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without the system's randomness identifiers need only differ.
        use std::hash::{BuildHasher as _, RandomState};
        let (a, b) = (RandomState::new(), RandomState::new());
        bytes[..8].copy_from_slice(&a.hash_one(0).to_le_bytes());
        bytes[8..].copy_from_slice(&b.hash_one(1).to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_their_form_and_differ() {
        let id = uuid();
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(id, uuid());
    }

    #[test]
    fn tokens_have_their_length_and_letters() {
        let token = token(32);
        assert_eq!(token.len(), 32);
        assert!(
            token
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        );
    }

    #[test]
    fn fractions_are_below_one() {
        assert!(
            (0..100)
                .map(|_| fraction())
                .all(|f| (0.0..1.0).contains(&f))
        );
    }
}
