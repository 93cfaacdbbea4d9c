//! The `local://` target: functions as processes on this machine, everything else as files in one folder.
//!
//! It implements the whole contract and is the reference that other adapters are compared with.
//!
//! # The state folder
//!
//! ```text
//! functions/NAME.json          the record: mark, versions, split, settings; replaced atomically
//! functions/NAME/artifacts/    archives and unpacked code by digest, shared by the versions that run them
//! functions/NAME/queue/        events that wait, one file each
//! functions/NAME/dead/         dead letters
//! functions/NAME/logs/         log lines as JSON
//! secrets/NAME                 what `secret://file/NAME` refers to; readable by its owner only
//! lock                         one byte of it is locked for each function that is being changed
//! ```
//!
//! - The record alone says what is deployed. It appears and changes in one atomic step, and its revision is a digest of its bytes, so
//!   an edit by hand is noticed like any other change.
//! - Any number of processes may use one folder at once. A step locks its function; every write names the revision it was planned on.
//!   Readers take no lock: an invocation notices a change by one `stat` of the record.
//! - The folder is made by the first change, readable by its owner only. One that others may write to is refused: whoever writes records
//!   decides what runs.
//! - Files of unpacked code are read-only. Their folders are not, so that the whole can be removed like any other folder.
//! - A folder in `functions/` without a record is not ours and is left alone; a record of a newer format is refused, never rewritten.
//! - What an interrupted run left (an unfinished upload, a version that was never put into service) is reported as residue by
//!   `observe` and cleared by the next plan.
//! - Asynchronous events are on disk before `enqueue` returns, and are delivered by one of the processes that hold the target open;
//!   when it dies, another takes over.
//!
//! # Limits
//!
//! Archives 256 MiB packed and 512 MiB unpacked; requests, events and buffered replies 32 MiB; streamed replies 1 GiB; 16 MB to
//! 32 GB of memory; up to 1 hour per invocation; 64 KiB of environment; as many instances of a version as
//! [`Config::max_instances`] says (by default 100 for each processor, at most 1,000; each process counts its own); 32 MiB of logs per function.

mod capability;
mod config;
mod containment;
mod error;
mod ids;
mod lift;
mod live;
mod logs;
mod lower;
mod plan;
mod provider;
mod queue;
mod runtimes;
mod steps;
mod store;

pub use anyport_engine::Containment;
pub use config::Config;
pub use containment::containment;
pub use provider::{Local, connect};
