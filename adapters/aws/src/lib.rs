//! The `lambda://` target: functions on AWS Lambda.

mod alias;
mod auth;
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
mod plan;
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
