//! Targets by URL: one product in one place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A target's URL. The scheme is the product, so a product never changes by itself: `local://`, `lambda://ACCOUNT/REGION`,
/// `kubernetes://CONTEXT/NAMESPACE`; `SCHEME://embedded` is the embedded one.
///
/// ```
/// use anyport_core::target::TargetUrl;
///
/// let url: TargetUrl = "lambda://embedded".parse()?;
/// assert_eq!((url.scheme(), url.place(), url.is_embedded()), ("lambda", "embedded", true));
/// # Ok::<(), anyport_core::target::InvalidTarget>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetUrl {
    text: String,
    scheme: usize,
}

/// A text that is not a target's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a target; a target is SCHEME://PLACE, such as local://")]
pub struct InvalidTarget {
    text: String,
}

impl TargetUrl {
    /// The product.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.text[..self.scheme]
    }

    /// What follows `://`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.text[self.scheme + 3..]
    }

    /// Whether it is the embedded one of its product.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.place() == "embedded"
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for TargetUrl {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTarget {
            // What stands before an @ may be a password.
            text: text
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .chars()
                .take(120)
                .collect(),
        };
        let (scheme, place) = text.split_once("://").ok_or_else(invalid)?;
        let scheme_is_valid = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !scheme_is_valid || place.chars().any(|c| c.is_control() || c == '@') {
            return Err(invalid());
        }
        Ok(Self {
            text: text.to_owned(),
            scheme: scheme.len(),
        })
    }
}

impl TryFrom<String> for TargetUrl {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TargetUrl> for String {
    fn from(url: TargetUrl) -> Self {
        url.text
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_and_the_place() {
        for (text, scheme, place) in [
            ("local://", "local", ""),
            ("local:///tmp/state", "local", "/tmp/state"),
            (
                "kubernetes://arn:aws:eks:eu-west-1:111122223333:cluster/pay/payments",
                "kubernetes",
                "arn:aws:eks:eu-west-1:111122223333:cluster/pay/payments",
            ),
        ] {
            let url: TargetUrl = text.parse().unwrap();
            assert_eq!((url.scheme(), url.place()), (scheme, place));
        }
        for text in [
            "",
            "local",
            "://x",
            "Local://",
            "lambda://user:pw@host",
            "a b://",
        ] {
            assert!(text.parse::<TargetUrl>().is_err(), "{text}");
        }
    }
}
