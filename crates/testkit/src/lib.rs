//! Probe functions and helpers for testing Anyport adapters.
