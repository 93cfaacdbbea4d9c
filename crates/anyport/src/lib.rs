//! Any port for your code: deploy, invoke and trigger functions anywhere.
//!
//! [`connect`] opens a [`Target`] by its URL; the rest is the same everywhere. Each adapter is a feature of this crate; [`schemes`] says which
//! are there.

mod connect;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "manifest")]
pub mod manifest;
mod scheme;

pub use anyport_client::{
    Calls, Cancel, Counts, Event, Halted, InvokeOptions, LiveSeam, Observer, Options, Progress,
    Removal, Target, Timeouts,
};
pub use anyport_core::{
    Digest, Error, ErrorKind, InvalidDigest, Result, call, capability, content, context, error,
    event, mark, outcome, plan, provider, spec, target,
};
/// Making artifacts: pack, inspect and check zips.
#[cfg(feature = "package")]
pub use anyport_package as package;
pub use connect::{Connect, connect};
pub use scheme::{Scheme, schemes};
