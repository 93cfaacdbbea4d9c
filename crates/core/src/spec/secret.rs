//! References to secrets. A spec never holds a secret's value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Violation;

/// A secret by reference: `secret://STORE/NAME` or `secret://STORE/NAME@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretRef {
    store: String,
    name: String,
    version: Option<String>,
}

impl SecretRef {
    /// The store the target looks in, such as `file` or `secretsmanager`.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The secret's name in the store.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pinned version, if one is.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl FromStr for SecretRef {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The text may be a secret pasted by mistake: it is never shown.
        let refuse = || {
            Violation::new(
                "secrets",
                "a secret is a reference: secret://STORE/NAME[@VERSION]",
            )
        };
        let rest = text.strip_prefix("secret://").ok_or_else(refuse)?;
        let (store, rest) = rest.split_once('/').ok_or_else(refuse)?;
        let (name, version) = match rest.rsplit_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (rest, None),
        };
        let plain = |part: &str| {
            !part.is_empty()
                && !part
                    .split('/')
                    .any(|piece| piece.is_empty() || piece == "." || piece == "..")
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        };
        if plain(store) && !store.contains('/') && plain(name) && version.is_none_or(plain) {
            Ok(Self {
                store: store.to_owned(),
                name: name.to_owned(),
                version: version.map(str::to_owned),
            })
        } else {
            Err(refuse())
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret://{}/{}", self.store, self.name)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_round_trips_and_a_value_is_refused_unseen() {
        for text in ["secret://file/db-password", "secret://vault/team/db@3"] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        for text in [
            "hunter2",
            "secret://",
            "secret://a",
            "secret://a/../b",
            "secret:///b",
        ] {
            let violation = text.parse::<SecretRef>().unwrap_err();
            assert_eq!(violation.value, None);
        }
    }
}
