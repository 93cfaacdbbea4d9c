//! Who gets the next call of split traffic.

use std::sync::atomic::{AtomicU64, Ordering};

use anyport_core::plan::{Split, VersionId};

/// Deals calls out by shares: of any hundred calls in a row each version gets exactly its percentage.
#[derive(Debug)]
pub(crate) struct Turns(AtomicU64);

/// Shares no divisor with 100, so that a hundred strides meet every percent once, well mixed.
const STRIDE: u64 = 37;

impl Turns {
    /// Starts anywhere, so that processes that make one call each spread over the versions too.
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed % 100))
    }

    /// The version whose turn it is; a split always has one.
    pub(crate) fn choose<'a>(&self, split: &'a Split) -> Option<&'a VersionId> {
        if let Some(only) = split.only() {
            return Some(only);
        }
        let turn = self.0.fetch_add(1, Ordering::Relaxed) % 100 * STRIDE % 100;
        let mut until = 0;
        split.shares().find_map(|(id, share)| {
            until += u64::from(share);
            (turn < until).then_some(id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_hundred_calls_meet_the_shares_exactly_wherever_they_start() {
        let shares = [("1", 10), ("2", 25), ("3", 65)];
        let split = Split::new(shares.map(|(id, share)| (VersionId::new(id), share))).unwrap();
        for seed in [0, 17, 99, u64::MAX] {
            let turns = Turns::new(seed);
            let mut counts = BTreeMap::new();
            for _ in 0..100 {
                let id = turns.choose(&split).unwrap();
                *counts.entry(id.as_str().to_owned()).or_insert(0u8) += 1;
            }
            let counts: Vec<(&str, u8)> = counts.iter().map(|(id, n)| (id.as_str(), *n)).collect();
            assert_eq!(counts, shares);
        }
    }

    #[test]
    fn one_version_gets_everything() {
        let split = Split::all_to(VersionId::new("7"));
        let turns = Turns::new(3);
        assert!((0..10).all(|_| turns.choose(&split) == split.only()));
    }
}
