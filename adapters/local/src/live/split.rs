//! Who gets the next call of split traffic.

use std::sync::atomic::{AtomicU64, Ordering};

use anyport_core::plan::{Split, VersionId};

/// Deals calls out by shares: of each hundred calls every version gets exactly its percentage, in an order that differs from hundred
/// to hundred, so that no rhythm of the callers meets always the same version.
#[derive(Debug)]
pub(crate) struct Turns {
    seed: u64,
    dealt: AtomicU64,
}

/// Shares no divisor with 100, so that a hundred strides meet every percent once, well mixed.
const STRIDE: u64 = 37;

impl Turns {
    /// Starts anywhere, so that processes that make one call each spread over the versions too.
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            seed,
            dealt: AtomicU64::new(0),
        }
    }

    /// The next number below 100.
    fn next(&self) -> u64 {
        let dealt = self.dealt.fetch_add(1, Ordering::Relaxed);
        let (hundred, place) = (dealt / 100, dealt % 100);
        let start = mix(self.seed.wrapping_add(hundred)) % 100;
        (start + place * STRIDE) % 100
    }

    /// The version whose turn it is; a split always has one.
    pub(crate) fn choose<'a>(&self, split: &'a Split) -> Option<&'a VersionId> {
        if let Some(only) = split.only() {
            return Some(only);
        }
        let turn = self.next();
        let mut until = 0;
        split.shares().find_map(|(id, share)| {
            until += u64::from(share);
            (turn < until).then_some(id)
        })
    }
}

/// Spreads neighbouring numbers over all of them (the finaliser of SplitMix64).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
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
    fn a_caller_with_a_rhythm_meets_every_version() {
        let split = Split::new([(VersionId::new("1"), 99), (VersionId::new("2"), 1)]).unwrap();
        let turns = Turns::new(3);
        let rare = VersionId::new("2");
        let met = (0..10_000)
            .filter(|_| turns.choose(&split) == Some(&rare))
            .count();
        assert_eq!(met, 100);
        // Every second call, as of one of two callers that take turns.
        let every_second = |_: &i32| {
            turns.choose(&split);
            turns.choose(&split) == Some(&rare)
        };
        let met = (0..5_000).filter(every_second).count();
        assert!((20..80).contains(&met), "{met}");
    }

    #[test]
    fn one_version_gets_everything() {
        let split = Split::all_to(VersionId::new("7"));
        let turns = Turns::new(3);
        assert!((0..10).all(|_| turns.choose(&split) == split.only()));
    }
}
