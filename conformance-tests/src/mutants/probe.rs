//! Functions that break the function's side of the contract.

use anyport_testkit::probe::Fault;

use super::{Inject, Mutant, Place};

const fn probe(fault: Fault, does: &'static str) -> Mutant {
    Mutant {
        id: fault.name(),
        place: Place::Probe,
        does,
        inject: Inject::Probe(fault),
    }
}

pub(super) const MUTANTS: &[Mutant] = &[
    probe(
        Fault::WrongBytes,
        "the function sends back one byte too many",
    ),
    probe(
        Fault::WrongType,
        "the function sends back another content type",
    ),
    probe(
        Fault::TamesPanics,
        "the function calls a panic an error it returned",
    ),
    probe(
        Fault::DiesSilently,
        "the function says nothing before it crashes",
    ),
    probe(Fault::IgnoresDeadline, "the function knows no deadline"),
    probe(Fault::DropsTrace, "the function knows no trace"),
    probe(Fault::DropsKey, "the function knows no idempotency key"),
    probe(
        Fault::HoldsStream,
        "the function makes its whole answer before it sends the first piece",
    ),
    probe(
        Fault::LosesEnvironment,
        "the function does not see its environment",
    ),
    probe(
        Fault::RenamesCalls,
        "the function gives each attempt of an event an id of its own",
    ),
];
