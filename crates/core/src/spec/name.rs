//! Function names that every target accepts as they are.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Violation;

/// A function's name: 4 to 32 characters, lower-case letters, digits and hyphens, starting with a letter and ending with a letter or digit.
///
/// The rule is the intersection of what AWS Lambda, Azure sites, Cloud Run services and Kubernetes Services accept, so that a name
/// never needs mapping except for Azure's suffix. Cloning one copies no text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

const MIN: usize = 4;
const MAX: usize = 32;

impl Name {
    /// The rule in words, for messages.
    pub const RULE: &'static str = "4 to 32 lower-case letters, digits and hyphens, starting with a letter, not ending with a hyphen";

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest valid name to `text`, for messages.
    ///
    /// ```
    /// assert_eq!(anyport_core::spec::Name::nearest("My_Func!").as_str(), "my-func");
    /// ```
    #[must_use]
    pub fn nearest(text: &str) -> Self {
        let mut name = String::with_capacity(text.len());
        for c in text.chars() {
            let c = c.to_ascii_lowercase();
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                name.push(c);
            } else if !name.ends_with('-') {
                name.push('-');
            }
        }
        let mut name = name.trim_matches('-').to_owned();
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            name.insert_str(0, "fn-");
        }
        name.truncate(MAX);
        let mut name = name.trim_end_matches('-').to_owned();
        if name.len() < MIN {
            name.push_str("-function");
        }
        Self(name.into())
    }

    fn is_valid(text: &str) -> bool {
        let bytes = text.as_bytes();
        (MIN..=MAX).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes[bytes.len() - 1] != b'-'
            && bytes
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
    }
}

impl FromStr for Name {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if Self::is_valid(text) {
            Ok(Self(text.into()))
        } else {
            Err(Violation::new("name", Self::RULE)
                .value(text)
                .nearest(Self::nearest(text)))
        }
    }
}

impl TryFrom<String> for Name {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_edges_of_the_rule() {
        for good in ["abcd", "a-1b", &"a".repeat(32)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "abc",
            "Abcd",
            "1abc",
            "abc-",
            "a_bc",
            &"a".repeat(33),
            "äbcd",
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_nearest_name_is_valid_and_a_valid_name_is_its_own(text in ".{0,60}") {
            let nearest = Name::nearest(&text);
            prop_assert!(Name::is_valid(nearest.as_str()), "{nearest}");
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name, nearest);
            }
        }
    }
}
