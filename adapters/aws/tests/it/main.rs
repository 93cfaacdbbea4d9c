//! The Lambda target over the embedded AWS, by nothing but HTTP.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod allocations;
mod budget;
mod deploy;
mod events;
mod iam;
mod interrupted;
mod invoke;
mod least;
mod ownership;
mod support;
mod upload;
