//! Keeping the whole cloud's state in a folder.
//!
//! ```text
//! lock            held by the process that uses the folder, with its id
//! endpoint.json   where that process listens and the admin key, while it runs
//! state.json      everything that fits into memory, written whole and put in place at once
//! blobs/          code and objects, by their SHA-256
//! ```
//! Files are for their owner alone: there are secrets in them. A change is on disk before the call that
//! made it is answered, so a process that is killed loses only what nobody was told.

mod blobs;
mod changes;
mod endpoint;
mod error;
mod file;
mod keeper;
mod lock;

pub(crate) use blobs::{Blob, Blobs};
pub(crate) use changes::Changes;
pub use endpoint::Endpoint;
pub use error::StateError;
pub(crate) use keeper::Keeper;
