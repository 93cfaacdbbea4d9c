//! The Anyport contract: specs, capabilities, plans, outcomes, events and errors, and the [`Provider`](provider::Provider) trait that an
//! adapter implements.
//!
//! This crate is pure: it has no runtime, no HTTP, and no environment, clock or randomness of its own. Time and admission come in through
//! the [`Seam`](context::Seam) of a [`Ctx`](context::Ctx).

pub mod call;
pub mod capability;
pub mod content;
pub mod context;
mod digest;
pub mod error;
pub mod event;
pub mod mark;
pub mod outcome;
pub mod plan;
pub mod provider;
pub mod spec;
pub mod target;

pub use digest::{Digest, InvalidDigest};
pub use error::{Error, ErrorKind, Result};
