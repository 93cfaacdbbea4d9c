//! Anyport's [`Target`]: deploy, invoke and inspect functions on any provider.
//!
//! A [`Target`] wraps an adapter's [`Provider`](anyport_core::provider::Provider) and does, once for every adapter, what the contract asks of
//! a caller: it validates, fits specs to what the target can do, refuses what it cannot before anything is sent, drives the steps of a plan in
//! order, retries by effect, keeps deadlines, counts and traces every call, and names the state of the target when something stops half-way.
//!
//! Every verb needs a Tokio runtime with its clock enabled, unless [`Options::seam`] brings another clock.

mod adopt;
mod apply;
mod capabilities;
mod dead_letters;
mod deploy;
mod enqueue;
mod export;
mod halted;
mod identify;
mod interruptible;
mod invoke;
mod list;
mod logs;
mod mutation;
mod nearest;
mod options;
mod payload;
mod plan;
mod policy;
mod progress;
mod release;
mod remove;
mod rollback;
mod seam;
mod status;
mod target;
mod traffic;
mod versions;

pub use export::Export;
pub use halted::Halted;
pub use invoke::InvokeOptions;
#[cfg(feature = "mutants")]
pub use mutation::Mutation;
pub use options::{Options, Timeouts};
pub use progress::{Event, Progress};
pub use remove::Removal;
pub use seam::{Calls, Cancel, Counts, LiveSeam, Observer};
pub use target::Target;
