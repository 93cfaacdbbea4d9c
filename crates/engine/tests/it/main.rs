//! The engine against real processes.

#![cfg(target_os = "linux")]
#![allow(missing_docs)]

mod bundles;
mod calls;
mod concurrency;
mod death;
mod http;
mod limits;
mod measure;
mod starts;
mod streams;
mod support;
