//! Runs the conformance suite over Anyport's own adapters.

mod aws;
mod local;
mod wire;

pub use aws::Lambda;
pub use local::{LAYOUT, Local};
pub use wire::{FAULTS, Fault};
