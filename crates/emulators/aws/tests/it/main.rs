//! The embedded AWS over HTTP, as a client sees it.

// Helpers outside `#[test]` functions fail a test by panicking, as the tests themselves do.
#![allow(clippy::unwrap_used)]

// Each module uses some of it.
#[allow(dead_code)]
mod client;
mod front;
mod iam;
mod lambda_control;
mod lambda_run;
mod s3;
mod sqs;
mod state;
mod strain;
mod sts;
