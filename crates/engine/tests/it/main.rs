//! The engine against real processes.

#![cfg(target_os = "linux")]
// Helpers outside `#[test]` functions fail a test by panicking, as the tests themselves do.
#![allow(clippy::unwrap_used)]

mod bundles;
mod calls;
mod concurrency;
mod daemons;
mod death;
mod http;
mod limits;
mod measure;
mod observed;
mod starts;
mod streams;
mod support;
