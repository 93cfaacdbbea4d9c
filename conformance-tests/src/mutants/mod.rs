//! Adapters, clients, seams and functions that are broken on purpose: each must fail the suite, with a rule it breaks among the failures.

mod alter;
mod client;
mod deploy;
mod drift;
mod errors;
mod invoke;
mod list;
mod plan;
mod probe;
#[cfg(feature = "mutants")]
mod run;
mod seam;
mod twist;
mod wire;

use std::sync::Arc;

use anyport_core::context::Seam;
use anyport_core::provider::Provider;
use anyport_testkit::probe::Fault;
use serde::Serialize;

#[cfg(feature = "mutants")]
pub use run::{MutantReport, Trial, run_mutants, trial};

/// Where a mutant is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// Around the adapter: what it decides.
    Provider,
    /// Between the adapter and the vendor: how requests and replies are translated.
    Wire,
    /// Under the client: in the one way to the provider.
    Seam,
    /// In the client.
    Client,
    /// In the function.
    Probe,
}

/// One broken thing.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// Its id.
    pub id: &'static str,
    /// Where it is.
    pub place: Place,
    /// What it does wrong.
    pub does: &'static str,
    inject: Inject,
}

/// Puts something around an adapter.
type Wrap = fn(Arc<dyn Provider>) -> Arc<dyn Provider>;

#[derive(Clone, Copy)]
enum Inject {
    Around(Wrap),
    #[cfg_attr(
        not(feature = "mutants"),
        allow(dead_code, reason = "the hook is not compiled in")
    )]
    Client(client::Hook, Option<Wrap>),
    Seam(seam::Fault),
    Probe(Fault),
}

impl Mutant {
    /// The adapter with the mutant around it.
    pub(crate) fn around(&self, provider: Arc<dyn Provider>) -> Arc<dyn Provider> {
        match self.inject {
            Inject::Around(wrap) | Inject::Client(_, Some(wrap)) => wrap(provider),
            _ => provider,
        }
    }

    /// The client's options with the mutant in them.
    #[cfg(feature = "mutants")]
    pub(crate) fn within(&self, options: anyport_client::Options) -> anyport_client::Options {
        match self.inject {
            Inject::Client(hook, _) => options.with_mutation(hook.mutation()),
            _ => options,
        }
    }

    /// The seam with the mutant in it.
    pub(crate) fn under(&self, inner: Arc<dyn Seam>) -> Arc<dyn Seam> {
        match self.inject {
            Inject::Seam(fault) => Arc::new(seam::Faulty { inner, fault }),
            _ => inner,
        }
    }

    /// What the probe does wrong.
    pub(crate) const fn fault(&self) -> Option<Fault> {
        match self.inject {
            Inject::Probe(fault) => Some(fault),
            _ => None,
        }
    }
}

/// Every mutant.
#[must_use]
pub fn all() -> Vec<&'static Mutant> {
    [
        plan::MUTANTS,
        deploy::MUTANTS,
        list::MUTANTS,
        drift::MUTANTS,
        invoke::MUTANTS,
        wire::MUTANTS,
        errors::MUTANTS,
        seam::MUTANTS,
        client::MUTANTS,
        probe::MUTANTS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The mutant with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Mutant> {
    all().into_iter().find(|mutant| mutant.id == id)
}

/// A mutant around the adapter, from a [`Twist`](twist::Twist).
macro_rules! twisted {
    ($place:ident, $id:literal, $does:literal, $twist:expr) => {
        $crate::mutants::Mutant {
            id: $id,
            place: $crate::mutants::Place::$place,
            does: $does,
            inject: $crate::mutants::Inject::Around(|inner| {
                std::sync::Arc::new($crate::mutants::twist::Twisted::new(inner, $twist))
            }),
        }
    };
}
use twisted;
