//! The adapter over the real platform: a tour of it, and the conformance suite.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod suite;
mod tour;
