//! The adapter over the real platform: a tour of it, and the conformance suite.

mod suite;
mod tour;
