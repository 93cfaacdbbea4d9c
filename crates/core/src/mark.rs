//! The mark: how a target remembers what is ours, without a state file.

use std::fmt;
use std::str::FromStr;

use data_encoding::Encoding;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Who deploys: an application, and one of its installations. Nothing with another owner is changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The application's name.
    pub application: String,
    /// The installation: one environment, customer or developer.
    pub installation: String,
}

impl Owner {
    /// An application's installation.
    #[must_use]
    pub fn new(application: impl Into<String>, installation: impl Into<String>) -> Self {
        Self {
            application: application.into(),
            installation: installation.into(),
        }
    }

    fn tag(&self) -> [u8; OWNER] {
        let mut text = Vec::with_capacity(self.application.len() + self.installation.len() + 1);
        text.extend_from_slice(self.application.as_bytes());
        text.push(0);
        text.extend_from_slice(self.installation.as_bytes());
        head(&Digest::of(&text))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.application, self.installation)
    }
}

const OWNER: usize = 10;
const SPEC: usize = 20;
const FORMAT: &str = "1";

fn head<const N: usize>(digest: &Digest) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest.as_bytes()[..N]);
    bytes
}

fn base32() -> Encoding {
    let mut spec = data_encoding::Specification::new();
    spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    #[allow(
        clippy::expect_used,
        reason = "the alphabet above is a constant of 32 symbols"
    )]
    spec.encoding().expect("32 symbols")
}

/// Manager, format version, owner and spec, in at most 63 characters of `[a-z0-9-]`: fits a description, a label, a tag.
///
/// Written where it changes atomically with the release. Tags are for people; this is for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    owner: [u8; OWNER],
    spec: [u8; SPEC],
}

/// A text that is not a mark of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkError {
    /// Somebody else's text, or none.
    #[error("not a mark")]
    NotOurs,
    /// A mark of a newer Anyport: refused, never rewritten.
    #[error("a mark of format {0}, newer than this Anyport understands; update Anyport")]
    Newer(u32),
}

impl Mark {
    /// The mark of `owner` for a release with this [spec hash](crate::spec::Spec::hash).
    #[must_use]
    pub fn new(owner: &Owner, spec: Digest) -> Self {
        Self {
            owner: owner.tag(),
            spec: head(&spec),
        }
    }

    /// Whether the mark is this owner's.
    #[must_use]
    pub fn is_by(&self, owner: &Owner) -> bool {
        self.owner == owner.tag()
    }

    /// Whether the release was made from the spec with this hash.
    #[must_use]
    pub fn is_of(&self, spec: Digest) -> bool {
        self.spec == head::<SPEC>(&spec)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base32 = base32();
        write!(
            f,
            "anyport{FORMAT}-{}-{}",
            base32.encode(&self.owner),
            base32.encode(&self.spec)
        )
    }
}

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("anyport").ok_or(MarkError::NotOurs)?;
        let (format, rest) = rest.split_once('-').ok_or(MarkError::NotOurs)?;
        let number: u32 = format.parse().map_err(|_| MarkError::NotOurs)?;
        if format != FORMAT {
            return Err(MarkError::Newer(number));
        }
        let (owner, spec) = rest.split_once('-').ok_or(MarkError::NotOurs)?;
        let base32 = base32();
        let decode = |part: &str| {
            base32
                .decode(part.as_bytes())
                .map_err(|_| MarkError::NotOurs)
        };
        Ok(Self {
            owner: decode(owner)?.try_into().map_err(|_| MarkError::NotOurs)?,
            spec: decode(spec)?.try_into().map_err(|_| MarkError::NotOurs)?,
        })
    }
}

impl Serialize for Mark {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_fits_a_label_and_round_trips() {
        let owner = Owner::new("payments", "prod");
        let mark = Mark::new(&owner, Digest::of(b"spec"));
        let text = mark.to_string();
        assert!(text.len() <= 63, "{}", text.len());
        assert_eq!(text.parse(), Ok(mark));
        assert!(mark.is_by(&owner) && !mark.is_by(&Owner::new("payments", "dev")));
        assert!(mark.is_of(Digest::of(b"spec")) && !mark.is_of(Digest::of(b"other")));
    }

    #[test]
    fn newer_and_foreign_marks_are_told_apart() {
        assert_eq!("anyport2-a-b".parse::<Mark>(), Err(MarkError::Newer(2)));
        for text in ["", "managed by terraform", "anyport1-!-!", "anyportx-a-b"] {
            assert_eq!(text.parse::<Mark>(), Err(MarkError::NotOurs), "{text}");
        }
    }
}
