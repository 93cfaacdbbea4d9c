//! The real executable, as users call it: output and exit code together.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(target_os = "linux")]

mod arguments;
mod artifacts;
mod conformance;
mod delivery;
mod init;
mod lifecycle;
mod manifest;
mod partial;
mod payloads;
mod policy;
mod sandbox;
mod saved_plans;
mod scrub;
mod signals;
