//! Any port for your code: deploy, invoke and trigger functions anywhere.

#[cfg(feature = "manifest")]
pub mod manifest;
