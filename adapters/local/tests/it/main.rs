//! The local target, end to end: real artifacts, real processes, real files.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod child;
mod deploy;
mod disk;
mod events;
mod invoke;
mod kill;
mod list;
mod logs;
mod secrets;
mod share;
mod support;
