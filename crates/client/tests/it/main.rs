//! `Target` over an in-memory provider whose every call can be made to fail, hang or be cut off.

#![allow(clippy::unwrap_used, reason = "a test that unwraps in vain fails")]

mod allocations;
mod capabilities;
mod changes;
mod halting;
mod invoking;
mod memory;
mod missing;
mod ownership;
mod properties;
mod script;
mod streams;
mod traces;
