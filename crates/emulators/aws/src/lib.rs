//! AWS on one loopback port: Lambda, with the S3, SQS, STS, IAM and CloudWatch Logs that it needs.
//!
//! Written from the vendor's definitions alone. It really runs functions, on [`anyport_engine`], and
//! checks what the real one checks: signatures, permissions, constraints, limits, states and retries.
//! Any client of AWS works against it by its endpoint URL.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use anyport_emulator_aws::{Config, Emulator};
//!
//! let aws = Emulator::start(Config::new()).await?;
//! println!("AWS_ENDPOINT_URL={}", aws.endpoint());
//! aws.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! What was read from the vendor and what was guessed is said where it is done, and all guesses are
//! listed in `BEHAVIOURS.md`.

mod access;
mod answer;
mod call;
mod clock;
mod cloud;
mod config;
mod coverage;
mod emulator;
mod error;
mod fault;
mod front;
mod model;
mod services;
mod sigv4;
mod state;

pub use clock::Clock;
pub use cloud::Admin;
pub use config::{Config, Credentials, Delays, Limits};
pub use coverage::{ServedOperation, served};
pub use emulator::Emulator;
pub use error::EmulatorError;
pub use fault::{Fault, FaultRule, Faults};
pub use state::{Endpoint, StateError};
