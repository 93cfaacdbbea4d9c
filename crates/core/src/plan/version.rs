//! Immutable releases, and how traffic is split over them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A version's id, as the target names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionId(String);

impl VersionId {
    /// Wraps the target's own id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shares of traffic in whole percent. The shares add up to 100 and none is 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<VersionId, u8>", into = "BTreeMap<VersionId, u8>")]
pub struct Split(BTreeMap<VersionId, u8>);

/// Shares that do not add up to 100, or a share of 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("traffic shares must be 1 to 100 percent each and add up to 100, these add up to {sum}")]
pub struct InvalidSplit {
    /// What they add up to.
    pub sum: u32,
}

impl Split {
    /// All traffic to one version.
    #[must_use]
    pub fn all_to(version: VersionId) -> Self {
        Self(BTreeMap::from([(version, 100)]))
    }

    /// Traffic by shares. Shares of 0 are dropped.
    ///
    /// # Errors
    /// [`InvalidSplit`] when the shares do not add up to 100.
    pub fn new(shares: impl IntoIterator<Item = (VersionId, u8)>) -> Result<Self, InvalidSplit> {
        let mut map: BTreeMap<VersionId, u8> = BTreeMap::new();
        let mut sum = 0u32;
        for (version, share) in shares.into_iter().filter(|(_, share)| *share > 0) {
            sum += u32::from(share);
            let total = map.entry(version).or_default();
            *total = total.saturating_add(share);
        }
        if sum == 100 {
            Ok(Self(map))
        } else {
            Err(InvalidSplit { sum })
        }
    }

    /// The shares by version.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = (&VersionId, u8)> {
        self.0.iter().map(|(version, share)| (version, *share))
    }

    /// The only version, when there is just one.
    #[must_use]
    pub fn only(&self) -> Option<&VersionId> {
        if self.0.len() == 1 {
            self.0.keys().next()
        } else {
            None
        }
    }

    /// The share of a version, 0 when it has none.
    #[must_use]
    pub fn share(&self, version: &VersionId) -> u8 {
        self.0.get(version).copied().unwrap_or_default()
    }
}

impl TryFrom<BTreeMap<VersionId, u8>> for Split {
    type Error = InvalidSplit;

    fn try_from(map: BTreeMap<VersionId, u8>) -> Result<Self, Self::Error> {
        Self::new(map)
    }
}

impl From<Split> for BTreeMap<VersionId, u8> {
    fn from(split: Split) -> Self {
        split.0
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (version, share)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{share}% to version {version}")?;
        }
        Ok(())
    }
}

/// An immutable release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// The id.
    pub id: VersionId,
    /// When it was made, where the target says.
    pub created: Option<SystemTime>,
    /// The artifact it runs, where the target says.
    pub artifact: Option<Digest>,
    /// Its share of live traffic in percent.
    pub share: u8,
}

impl Version {
    /// A version that carries `share` percent of the traffic.
    #[must_use]
    pub const fn new(id: VersionId, share: u8) -> Self {
        Self {
            id,
            created: None,
            artifact: None,
            share,
        }
    }
}
