//! The `lambda://` target: functions on AWS Lambda, in one region of one account.
//!
//! # What is made for a function
//!
//! ```text
//! NAME                    the function; its description carries the owner's mark and what Lambda has no place for
//! NAME:1, NAME:2, ...     one version for each release; the one that serves and five others are kept
//! NAME:live               the alias that every call goes through; it moves in one write
//! anyport-NAME-dead       the SQS queue for events that were given up; made first and removed last
//! /aws/lambda/NAME        the log group, which Lambda makes with the first line
//! anyport-code-ACCOUNT-REGION   one bucket for code above 50 MB, made by the first deploy that needs it
//! ```
//!
//! - A release is written to the draft (`$LATEST`), which nobody calls; a version is made of it; the alias moves when the version is ready.
//!   Every write names the revision that it was planned on, where Lambda takes one: a lost update is a `Conflict`. Deletions, tags,
//!   reserved concurrency and delivery have no revision; they come after a write that has one.
//! - The alias's description says which version was put into service last and what it holds. A deploy that changes nothing therefore reads
//!   the draft and the alias, and nothing else; a retention of logs or a delivery other than Lambda's own cost one more read each.
//! - Lambda starts no instance when it deploys: a release that cannot start is found by the first call.
//! - A function that runs as no role of its own spec runs as [`Config::execution_role`].
//! - What callers and functions have to be allowed is in [`policy`].

mod alias;
mod artifact;
mod auth;
mod call;
mod capability;
mod config;
mod dead;
mod enqueue;
mod envelope;
mod error;
mod identity;
mod invoke;
mod lift;
mod logs;
mod lower;
mod native;
mod observe;
mod pace;
mod plan;
mod policy;
mod provider;
mod sight;
mod stand;
mod steps;
mod stream;
#[cfg(test)]
mod testing;
mod upload;
mod wait;
mod wire;
mod words;

pub use auth::Raw;
pub use config::{Config, Credentials};
pub use policy::{EXECUTION_ROLE, policies, policy};
pub use provider::{Lambda, connect};
