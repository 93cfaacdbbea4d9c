//! HTTP in, HTTP out: which service, which operation, its input and its answer.

pub(crate) mod log;
mod server;

pub(crate) use server::Server;
