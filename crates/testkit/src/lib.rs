//! Helpers for testing Anyport adapters: the probe function that the conformance suite deploys, and how it is built and packed.
//!
//! The probe is an ordinary function on `anyport-runtime`. What it does is chosen by its payload ([`probe::Command`]), how it starts by its
//! environment ([`probe::START`]), and which promise it breaks on purpose by a file beside it ([`probe::Fault`]).

mod build;
mod pack;
pub mod probe;

pub use build::{NoProbe, build_probe, find_probe};
pub use pack::{Packed, ProbeKit, Variant};
