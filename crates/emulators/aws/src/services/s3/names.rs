//! What buckets and keys may be called, and what comes with an object.
//!
//! Source: the S3 user guide, "General purpose bucket naming rules" and "Working with object metadata".

use super::error;
use crate::answer::ApiError;

/// Bytes of a key.
pub(super) const LONGEST_KEY: usize = 1024;

/// Bytes of all user metadata together, names and values.
pub(super) const LARGEST_METADATA: usize = 2048;

/// Prefixes and suffixes that AWS keeps for itself.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 6] = [
    "-s3alias",
    "--ol-s3",
    ".mrap",
    "--x-s3",
    "--table-s3",
    "-an",
];

/// Whether a new bucket may have this name.
pub(super) fn is_bucket_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

/// Holds a new object's key against its limit.
pub(super) fn check_key(key: &str) -> Result<(), ApiError> {
    if key.len() > LONGEST_KEY {
        return Err(error::key_too_long(key.len()));
    }
    Ok(())
}

/// A new id of a version or an upload: 32 characters, as on AWS.
pub(super) fn fresh_id() -> Result<String, ApiError> {
    let mut random = [0_u8; 24];
    getrandom::fill(&mut random)
        .map_err(|error| ApiError::internal(crate::call::Service::S3, error))?;
    Ok(data_encoding::BASE64URL_NOPAD
        .encode(&random)
        .replace('-', "."))
}

/// Whether this could be the id of a version.
pub(super) fn is_version_id(id: &str) -> bool {
    id == "null"
        || (id.len() == 32
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules() {
        for name in ["abc", "my-bucket.2", "0a0", &"a".repeat(63)] {
            assert!(is_bucket_name(name), "{name}");
        }
        for name in [
            "ab",
            "Upper",
            "under_score",
            "-edge",
            "edge-",
            ".dot",
            "two..dots",
            "192.168.5.4",
            "xn--bucket",
            "sthree-x",
            "bucket-s3alias",
            "bucket--x-s3",
            "sp ace",
            &"a".repeat(64),
        ] {
            assert!(!is_bucket_name(name), "{name}");
        }
    }

    #[test]
    fn fresh_ids_are_ids() {
        let id = fresh_id().unwrap();
        assert!(is_version_id(&id), "{id}");
        assert_ne!(id, fresh_id().unwrap());
        assert!(is_version_id("null"));
        assert!(!is_version_id("short"));
    }
}
