//! How well a capability is supported, and which sizes exist.

use serde::{Deserialize, Serialize};

/// How a target supports something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Support<T> {
    /// The platform does it.
    Native(T),
    /// The adapter does it, at a cost.
    Emulated(T, String),
    /// Something near it is done, and said.
    Approximated(T, String),
    /// It is refused, with what to do instead.
    Refused(String),
}

impl<T> Support<T> {
    /// Refused, with what to do instead.
    #[must_use]
    pub fn refused(hint: impl Into<String>) -> Self {
        Self::Refused(hint.into())
    }

    /// The details, unless refused.
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Native(details) | Self::Emulated(details, _) | Self::Approximated(details, _) => {
                Some(details)
            }
            Self::Refused(_) => None,
        }
    }

    /// Whether it is there in any form.
    #[must_use]
    pub const fn is_supported(&self) -> bool {
        self.get().is_some()
    }

    /// The hint, if refused.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(hint) => Some(hint),
            _ => None,
        }
    }

    /// Changes the details.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Support<U> {
        match self {
            Self::Native(details) => Support::Native(change(details)),
            Self::Emulated(details, cost) => Support::Emulated(change(details), cost),
            Self::Approximated(details, note) => Support::Approximated(change(details), note),
            Self::Refused(hint) => Support::Refused(hint),
        }
    }

    /// One word for a table: `native`, `emulated`, `approximated` or `refused`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Native(_) => "native",
            Self::Emulated(..) => "emulated",
            Self::Approximated(..) => "approximated",
            Self::Refused(_) => "refused",
        }
    }
}

/// The sizes a target has for a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Sizes {
    /// Every multiple of `step` from `min` to `max`.
    Range {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// The distance between two sizes; at least 1.
        step: u64,
    },
    /// These, in ascending order.
    Steps(Vec<u64>),
}

/// How an asked number fits the sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is a size.
    Exact,
    /// It lies between two sizes; the next larger one is used.
    Up(u64),
    /// It is outside; this is the nearest size.
    Outside(u64),
}

impl Sizes {
    /// Every whole number from `min` to `max`.
    #[must_use]
    pub const fn range(min: u64, max: u64) -> Self {
        Self::Range { min, max, step: 1 }
    }

    /// Only this number.
    #[must_use]
    pub const fn only(size: u64) -> Self {
        Self::range(size, size)
    }

    /// Fits a number to the sizes.
    #[must_use]
    pub fn fit(&self, want: u64) -> Fit {
        match self {
            Self::Range { min, max, step } => {
                if want < *min {
                    Fit::Outside(*min)
                } else if want > *max {
                    Fit::Outside(*max)
                } else {
                    let up = min + (want - min).div_ceil((*step).max(1)) * (*step).max(1);
                    match up {
                        up if up == want => Fit::Exact,
                        up if up > *max => Fit::Up(*max),
                        up => Fit::Up(up),
                    }
                }
            }
            Self::Steps(steps) => match steps.iter().find(|size| **size >= want) {
                Some(size) if *size == want => Fit::Exact,
                Some(size) if steps.first() != Some(size) => Fit::Up(*size),
                Some(size) => Fit::Outside(*size),
                None => Fit::Outside(steps.last().copied().unwrap_or_default()),
            },
        }
    }

    /// The smallest size.
    #[must_use]
    pub fn min(&self) -> u64 {
        match self {
            Self::Range { min, .. } => *min,
            Self::Steps(steps) => steps.first().copied().unwrap_or_default(),
        }
    }

    /// The largest size.
    #[must_use]
    pub fn max(&self) -> u64 {
        match self {
            Self::Range { max, .. } => *max,
            Self::Steps(steps) => steps.last().copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_round_up_and_edges_are_outside() {
        let sizes = Sizes::Steps(vec![512, 2048, 4096]);
        assert_eq!(sizes.fit(512), Fit::Exact);
        assert_eq!(sizes.fit(513), Fit::Up(2048));
        assert_eq!(sizes.fit(100), Fit::Outside(512));
        assert_eq!(sizes.fit(5000), Fit::Outside(4096));
    }

    proptest! {
        #[test]
        fn what_is_offered_fits_exactly(min in 1u64..100, span in 0u64..1000, step in 1u64..50, want in 0u64..2000) {
            let sizes = Sizes::Range { min, max: min + span / step * step, step };
            match sizes.fit(want) {
                Fit::Exact => {}
                Fit::Up(size) => prop_assert!(size > want && sizes.fit(size) == Fit::Exact),
                Fit::Outside(size) => prop_assert!(sizes.fit(size) == Fit::Exact),
            }
        }
    }
}
