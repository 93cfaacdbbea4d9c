//! Secrets, and the keys derived from them: one per day, region and service, kept because deriving one costs four HMACs.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// HMAC with SHA-256, the only one of signature version 4.
pub(crate) type Signer = Hmac<Sha256>;

/// Derived keys kept per secret: today and yesterday in a few regions and services.
const KEPT: usize = 16;

/// A secret access key with the signing keys derived from it.
pub(crate) struct Secret {
    text: String,
    derived: Mutex<Vec<Derived>>,
}

struct Derived {
    date: String,
    region: String,
    service: String,
    key: Signer,
}

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            derived: Mutex::default(),
        }
    }

    /// The secret itself: for its one showing at creation, and for the state folder.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }

    /// The signing key of a credential scope.
    pub(crate) fn signer(&self, date: &str, region: &str, service: &str) -> Signer {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        let known = derived
            .iter()
            .find(|known| known.date == date && known.region == region && known.service == service);
        if let Some(known) = known {
            return known.key.clone();
        }
        let key = derive(&self.text, date, region, service);
        if derived.len() == KEPT {
            derived.remove(0);
        }
        derived.push(Derived {
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            key: key.clone(),
        });
        key
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn derive(secret: &str, date: &str, region: &str, service: &str) -> Signer {
    let first = keyed(format!("AWS4{secret}").as_bytes());
    [date, region, service, "aws4_request"]
        .iter()
        .fold(first, |key, part| keyed(&mac(key, part.as_bytes())))
}

/// An HMAC under `key`, of any length: padded with zeros to the block, or hashed first when longer than it.
fn keyed(key: &[u8]) -> Signer {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    Signer::new(&block.into())
}

/// The code of `message` under `key`.
pub(crate) fn mac(mut key: Signer, message: &[u8]) -> [u8; 32] {
    key.update(message);
    key.finalize().into_bytes().into()
}

/// Whether `given`, in lowercase hexadecimal, is the code of `message`; takes the same time wherever they differ.
pub(crate) fn agrees(mut key: Signer, message: &[u8], given: &str) -> bool {
    key.update(message);
    let mut code = [0u8; 32];
    given.len() == 64
        && data_encoding::HEXLOWER
            .decode_mut(given.as_bytes(), &mut code)
            .is_ok()
        && key.verify_slice(&code).is_ok()
}

/// SHA-256 in lowercase hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the vendor's guide to deriving a signing key.
    #[test]
    fn derives_the_published_key() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let string = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
            f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        let expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        for _cached in 0..2 {
            let key = secret.signer("20150830", "us-east-1", "iam");
            assert!(agrees(key.clone(), string.as_bytes(), expected));
            assert!(!agrees(
                key.clone(),
                string.as_bytes(),
                &expected.to_uppercase()
            ));
            assert!(!agrees(key, string.as_bytes(), &expected[..62]));
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn keeps_a_bounded_number_of_keys() {
        let secret = Secret::new("x".repeat(100));
        for day in 0..100 {
            secret.signer(&day.to_string(), "r", "s");
        }
        assert_eq!(secret.derived.lock().unwrap().len(), KEPT);
    }
}
