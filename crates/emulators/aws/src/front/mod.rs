//! HTTP in, HTTP out: which service, which operation, its input and its answer.

mod body;
mod faults;
mod function_url;
mod handle;
mod host;
pub(crate) mod ids;
mod limits;
pub(crate) mod log;
mod operation;
mod parse;
mod reply;
mod server;
mod service;
mod throttle;
pub(crate) mod time;

pub(crate) use server::Server;
pub(crate) use throttle::Throttle;
