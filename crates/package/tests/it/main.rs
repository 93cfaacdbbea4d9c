//! Artifacts from end to end: packed, looked into, unpacked, and attacked.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod cargo;
mod disk;
mod foreign;
mod forge;
mod hostile;
mod inspect;
mod pack;
mod properties;
mod tree;
