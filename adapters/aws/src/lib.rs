//! The `lambda://` target: functions on AWS Lambda.

mod auth;
mod capability;
mod config;
mod dead;
mod enqueue;
mod envelope;
mod error;
mod invoke;
mod logs;
mod provider;
mod stream;
mod wire;

pub use auth::Raw;
pub use config::{Config, Credentials};
pub use provider::{Lambda, connect};

/// What the crate's verbs answer until they are there.
fn unfinished(name: &str) -> anyport_core::Error {
    let hint = "wait for the release that has it".to_owned();
    let kind = anyport_core::ErrorKind::Unsupported {
        capability: "lambda".to_owned(),
        hint,
    };
    anyport_core::Error::new(kind, "use").on(name)
}
