//! Every case of the suite, by what it is about. A case belongs to the rules that name it.

mod adopt;
mod cancel;
mod concurrent;
mod cut;
mod deploy;
mod drift;
mod endpoint;
mod enqueue;
mod error;
mod export;
mod fit;
mod http;
mod invoke;
mod list;
mod load;
mod payload;
mod plan;
mod remove;
mod rollout;
mod streaming;
mod versions;

use std::time::Duration;

use futures_core::future::LocalBoxFuture;

use crate::scene::Scene;
use crate::verdict::Verdict;

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its id, `ABOUT/WHAT`.
    pub id: &'static str,
    /// What it may cost.
    pub budget: Budget,
    /// Its body.
    pub run: for<'a> fn(&'a Scene) -> LocalBoxFuture<'a, Verdict>,
}

/// What a case may cost. Calls are exact; time is a generous bound for slow machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Provider calls by all of its clients.
    pub calls: usize,
    /// Time.
    pub time: Duration,
}

impl Budget {
    /// For most cases.
    pub const USUAL: Self = Self {
        calls: 200,
        time: Duration::from_secs(60),
    };
    /// For cases that repeat something many times.
    pub const LARGE: Self = Self {
        calls: 4_000,
        time: Duration::from_secs(180),
    };
}

/// A case from its id, its body and, where it is not the usual one, its budget.
macro_rules! case {
    ($id:literal, $run:path) => {
        $crate::cases::case!($id, $run, $crate::cases::Budget::USUAL)
    };
    ($id:literal, $run:path, $budget:expr) => {
        $crate::cases::Case {
            id: $id,
            budget: $budget,
            run: |scene| Box::pin($run(scene)),
        }
    };
}
pub(crate) use case;
pub(crate) use enqueue::delivered;
pub(crate) use fit::trigger_source;

/// Every case, in the order in which they run.
#[must_use]
pub fn all() -> Vec<&'static Case> {
    [
        plan::CASES,
        deploy::CASES,
        rollout::CASES,
        concurrent::CASES,
        adopt::CASES,
        fit::CASES,
        drift::CASES,
        endpoint::CASES,
        list::CASES,
        export::CASES,
        versions::CASES,
        remove::CASES,
        cut::CASES,
        cancel::CASES,
        payload::CASES,
        http::CASES,
        invoke::CASES,
        load::CASES,
        streaming::CASES,
        enqueue::CASES,
        error::CASES,
        crate::model::CASES,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The case with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    all().into_iter().find(|case| case.id == id)
}
