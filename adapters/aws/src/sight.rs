//! What was read about one name, before it is put into the contract's words.

use std::collections::BTreeMap;

use anyport_core::mark::Mark;
use aws_sdk_lambda::types::FunctionConfiguration;

use crate::alias::Alias;

/// A function, as far as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// `$LATEST`: what the next version is made of.
    pub(crate) draft: FunctionConfiguration,
    pub(crate) tags: BTreeMap<String, String>,
    /// Reserved concurrency.
    pub(crate) reserved: Option<u32>,
    /// The alias that everything goes through.
    pub(crate) alias: Option<Alias>,
    /// Versions, oldest first; empty when they did not have to be read.
    pub(crate) versions: Vec<FunctionConfiguration>,
    /// How events are delivered, where that was read.
    pub(crate) delivery: Option<Delivery>,
    /// How long logs are kept, in days, where that was read and is set.
    pub(crate) retention: Option<u32>,
    /// The queue for dead letters, where it was read and is there.
    pub(crate) queue: Option<Queue>,
}

impl Sight {
    /// A function of which only the draft is known.
    pub(crate) fn new(draft: FunctionConfiguration) -> Self {
        Self {
            draft,
            tags: BTreeMap::new(),
            reserved: None,
            alias: None,
            versions: Vec::new(),
            delivery: None,
            retention: None,
            queue: None,
        }
    }
}

/// How events are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) attempts: u8,
    pub(crate) max_age_s: u64,
}

/// The queue for dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) url: String,
    /// Letters in it, those that somebody is reading included.
    pub(crate) letters: u64,
    /// Its owner; only read when there is no function that says so.
    pub(crate) mark: Option<Mark>,
    pub(crate) owner: String,
}
