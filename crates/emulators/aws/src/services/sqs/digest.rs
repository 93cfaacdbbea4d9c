//! The MD5s by which clients verify what arrived.
//!
//! Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

/// A message attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    /// `String`, `Number` or `Binary`, possibly with `.` and a word of the sender's.
    pub(crate) data_type: String,
    pub(crate) value: AttributeValue,
}

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AttributeValue {
    Text(String),
    /// In base64, as it comes and goes.
    Binary(String),
}

impl Attribute {
    /// A text attribute.
    #[cfg(test)]
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self {
            data_type: "String".to_owned(),
            value: AttributeValue::Text(value.into()),
        }
    }

    /// Bytes that count against the size of a message, without the name.
    pub(super) fn size(&self) -> usize {
        let value = match &self.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Binary(text) => text.len() / 4 * 3,
        };
        self.data_type.len() + value
    }
}

/// The MD5 of a body, in hex.
pub(super) fn of_body(body: &str) -> String {
    HEXLOWER.encode(&Md5::digest(body))
}

/// The MD5 of attributes, in hex; none of no attributes.
pub(super) fn of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a Attribute)>,
) -> Option<String> {
    // By name.
    let attributes: BTreeMap<&String, &Attribute> = attributes.into_iter().collect();
    if attributes.is_empty() {
        return None;
    }
    let mut md5 = Md5::new();
    let add = |md5: &mut Md5, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        md5.update(length.to_be_bytes());
        md5.update(bytes);
    };
    for (name, attribute) in attributes {
        add(&mut md5, name.as_bytes());
        add(&mut md5, attribute.data_type.as_bytes());
        match &attribute.value {
            AttributeValue::Text(text) => {
                md5.update([1]);
                add(&mut md5, text.as_bytes());
            }
            AttributeValue::Binary(text) => {
                md5.update([2]);
                add(&mut md5, &STANDARD.decode(text).unwrap_or_default());
            }
        }
    }
    Some(HEXLOWER.encode(&md5.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_and_attributes_have_their_digests() {
        assert_eq!(of_body("hello"), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(of_attributes(&BTreeMap::new()), None);
        let one = BTreeMap::from([("a".to_owned(), Attribute::text("b"))]);
        // Length and bytes of `a`, of `String`, one for text, length and bytes of `b`.
        let written = b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01b";
        assert_eq!(
            of_attributes(&one),
            Some(HEXLOWER.encode(&Md5::digest(written)))
        );
    }
}
