//! A small adapter, complete, as somebody outside this project would write it.
//!
//! The platform it is for is `unixd`, made up but real (see `src/bin/unixd.rs`): every release of a
//! function is a daemon behind a Unix socket. Daemons outlive the client that started them. The
//! platform knows nothing of versions that wait, of traffic, queues or logs, and the adapter says so:
//! **an adapter declares what its platform can do, does that, and refuses the rest.**
//!
//! Read in this order:
//!
//! 1. [`protocol`]: what the platform speaks. A real adapter has a vendor's API here.
//! 2. [`capability`]: what this target declares. The suite holds the adapter to every word.
//! 3. [`state`]: where the platform remembers what is deployed. There is no state file of ours: the
//!    owner's mark and the spec live in the platform's own record, and change atomically with it.
//! 4. [`plan`]: pure. From what is seen to what is wanted, as steps.
//! 5. [`provider`]: takes the steps and makes the calls, each through [`Ctx::call`]; [`release`] has
//!    the writes, [`daemon`] the conversation.
//! 6. [`lower`] and [`lift`]: the contract's words in the platform's, and back. Pure.
//! 7. [`error`]: one table from the platform's failures to the contract's.
//! 8. `tests/it`: the conformance suite over it, with one macro.
//!
//! The adapters of this repository have the same file names.
//!
//! [`Ctx::call`]: anyport_core::context::Ctx::call

pub mod capability;
pub mod daemon;
pub mod error;
pub mod lift;
pub mod lower;
pub mod plan;
pub mod protocol;
pub mod provider;
pub mod release;
pub mod state;

pub use provider::Unixd;
