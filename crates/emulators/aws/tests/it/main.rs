//! The embedded AWS over HTTP, as a client sees it.

// Each module uses some of it.
#[allow(dead_code)]
mod client;
mod front;
mod lambda_control;
mod s3;
mod sqs;
mod state;
