//! What is done on both targets: every act once, then random sequences of those that leave something behind.

use std::fmt;

use anyport_core::spec::TriggerKind;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Random sequences in a run.
const SEQUENCES: usize = 8;
/// Acts in a random sequence.
const LENGTH: usize = 8;
/// Variants in play.
pub(super) const VARIANTS: [&str; 3] = ["a", "b", "c"];

/// One thing that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Deploys one of the variants.
    Deploy(usize),
    /// Deploys a spec that asks for something special, or only plans it where it names what others own.
    Ask(Part),
    /// Calls.
    Invoke(Payload),
    /// Calls asynchronously, with an event that succeeds.
    Enqueue,
    /// Calls asynchronously, with an event that is given up.
    GiveUp,
    /// Reads what the function logged.
    Logs,
    /// Sends all traffic to the version before the live one.
    Rollback,
    /// Splits traffic between the two newest versions.
    Split,
    /// Sends all traffic to the newest version.
    Join,
    /// Removes the function.
    Remove,
    /// Gives the function away.
    Release,
    /// Takes it over.
    Adopt,
    /// Changes its memory behind the adapter's back.
    Tamper,
    /// Opens the place anew.
    Restart,
    /// Lists everything.
    List,
}

/// Something special in a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Identity,
    Network,
    EncryptionKey,
    LogRetention,
    Secret,
    Tags,
    Protection,
    MostInstances,
    Concurrency,
    MemoryBetween,
    TooMuchMemory,
    TimeBetween,
    TooMuchTime,
    Server,
    Image,
    Service,
    OtherArch,
    OtherProduct,
    Trigger(TriggerKind),
    Pause,
    LargeEnvironment,
    CannotStart,
}

impl Part {
    /// Whether it names what is not there: it is planned and not deployed.
    pub(super) const fn only_planned(self) -> bool {
        matches!(
            self,
            Self::Identity
                | Self::Network
                | Self::EncryptionKey
                | Self::Secret
                | Self::Image
                | Self::Trigger(_)
        )
    }
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    Who,
    Json,
    OddJson,
    Binary,
    Text,
    Nothing,
    SevenMegabytes,
    OverTheLimit,
    WithKey,
    OfNoVersion,
    Streamed,
    Fails,
    Panics,
    Exits,
    Overruns,
}

/// Everything that is done to one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Makes its names different from those of others.
    pub(super) number: usize,
    pub(super) acts: Vec<Act>,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deploy(variant) => write!(f, "Deploy({})", VARIANTS[*variant]),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Every sequence of a run with this seed.
pub(super) fn sequences(seed: u64) -> Vec<Sequence> {
    let mut all: Vec<Vec<Act>> = parts().map(|part| vec![Act::Ask(part)]).collect();
    all.push(calls());
    all.push(life());
    all.extend(random(seed));
    all.into_iter()
        .enumerate()
        .map(|(number, acts)| Sequence { number, acts })
        .collect()
}

fn parts() -> impl Iterator<Item = Part> {
    let triggers = TriggerKind::ALL.into_iter().map(Part::Trigger);
    [
        Part::Identity,
        Part::Network,
        Part::EncryptionKey,
        Part::LogRetention,
        Part::Secret,
        Part::Tags,
        Part::Protection,
        Part::MostInstances,
        Part::Concurrency,
        Part::MemoryBetween,
        Part::TooMuchMemory,
        Part::TimeBetween,
        Part::TooMuchTime,
        Part::Server,
        Part::Image,
        Part::Service,
        Part::OtherArch,
        Part::OtherProduct,
        Part::Pause,
        Part::LargeEnvironment,
        Part::CannotStart,
    ]
    .into_iter()
    .chain(triggers)
}

fn calls() -> Vec<Act> {
    let payloads = [
        Payload::Who,
        Payload::Json,
        Payload::OddJson,
        Payload::Binary,
        Payload::Text,
        Payload::Nothing,
        Payload::SevenMegabytes,
        Payload::OverTheLimit,
        Payload::WithKey,
        Payload::OfNoVersion,
        Payload::Streamed,
        Payload::Fails,
        Payload::Panics,
        Payload::Exits,
        Payload::Overruns,
        Payload::Who,
    ];
    // Before there is anything to call, then all of them.
    [Act::Invoke(Payload::Who), Act::Enqueue, Act::Deploy(0)]
        .into_iter()
        .chain(payloads.into_iter().map(Act::Invoke))
        .chain([Act::Enqueue, Act::GiveUp, Act::Logs])
        .collect()
}

fn life() -> Vec<Act> {
    use Act as A;
    vec![
        A::Remove,
        A::Rollback,
        A::Deploy(0),
        A::Deploy(0),
        A::Deploy(1),
        A::List,
        A::Rollback,
        A::Rollback,
        A::Join,
        A::Split,
        A::Split,
        A::Deploy(2),
        A::Join,
        A::Deploy(2),
        A::Tamper,
        A::Deploy(2),
        A::Restart,
        A::Release,
        A::Deploy(0),
        A::Remove,
        A::Adopt,
        A::Adopt,
        A::Deploy(0),
        A::Remove,
        A::Remove,
        A::List,
    ]
}

fn random(seed: u64) -> Vec<Vec<Act>> {
    let act = prop_oneof![
        5 => (0..VARIANTS.len()).prop_map(Act::Deploy),
        2 => Just(Act::Invoke(Payload::Who)),
        1 => Just(Act::Invoke(Payload::Fails)),
        2 => Just(Act::Rollback),
        2 => Just(Act::Split),
        1 => Just(Act::Join),
        1 => Just(Act::Remove),
        1 => Just(Act::Release),
        1 => Just(Act::Adopt),
        1 => Just(Act::Restart),
    ];
    let sequences = proptest::collection::vec(proptest::collection::vec(act, LENGTH), SEQUENCES);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    sequences
        .new_tree(&mut runner)
        .map(|tree| tree.current())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_sequences_and_every_act_is_in_one() {
        let all = sequences(1);
        assert_eq!(all, sequences(1));
        assert_ne!(all, sequences(2));
        let has = |act| all.iter().any(|sequence| sequence.acts.contains(&act));
        for act in [
            Act::Deploy(2),
            Act::GiveUp,
            Act::Tamper,
            Act::Ask(Part::Server),
        ] {
            assert!(has(act), "{act}");
        }
    }
}
