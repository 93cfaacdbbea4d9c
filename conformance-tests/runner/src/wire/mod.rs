//! The wire between an adapter and AWS, broken on purpose: a proxy on loopback that changes requests or replies.

mod fault;
mod proxy;

pub use fault::{FAULTS, Fault};
pub(crate) use proxy::Proxy;
