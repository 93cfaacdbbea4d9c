//! The runtime as a real process, with each of its callers played by the test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lambda;
mod lambda_faults;
mod lambda_streaming;
mod oneshot;
mod server;
mod server_lifecycle;
mod support;
