//! The function side of Anyport: link it, write one async handler, and the same binary runs on AWS
//! Lambda, Cloud Run, Knative, any Kubernetes cluster, as a one-shot job, and in a terminal.
//!
//! ```no_run
//! use anyport_runtime::{Context, Error, Request, serve};
//!
//! async fn greet(request: Request, _: Context) -> Result<String, Error> {
//!     Ok(format!("hello, {}", request.text()?))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     serve(greet)
//! }
//! ```
//!
//! # Where it runs
//!
//! The environment decides, the first that matches:
//!
//! | what is set | what it speaks |
//! |---|---|
//! | `AWS_LAMBDA_RUNTIME_API` | the Lambda Runtime API: it pulls one event after the other |
//! | `ANYPORT_EVENT` (a file, or `-` for standard input) or `CLOUD_RUN_JOB` | one event, answered to the file `ANYPORT_RESULT` or standard output; exits with 0, 1 for a handler's error, 2 for a crash, a timeout or an interruption |
//! | anything else | HTTP on `PORT` (default 8080): a POST to any path is a call, `GET /_anyport/health` says whether it is ready |
//!
//! A server listens on all addresses in a container (`PORT` is set, or a cluster is seen) and on
//! loopback in a terminal; `ANYPORT_BIND` names another address. `ANYPORT_TIMEOUT_MS` is the
//! function's own time limit where no caller sends a deadline; `ANYPORT_GRACE_MS` is how long
//! requests in flight may go on after SIGTERM or SIGINT.
//!
//! # What a caller sees
//!
//! | the handler | on the Runtime API | over HTTP |
//! |---|---|---|
//! | returns a value | its bytes; what is not JSON in an envelope, unless the platform takes any media | 200 |
//! | returns an error | `Function.<type>` | 500, `x-anyport-error: handled` |
//! | panics | `Runtime.Panic` | 500, `x-anyport-error: unhandled` |
//! | passes its deadline | stopped by the platform | stopped; 504, `x-anyport-error: unhandled` |
//! | fails while streaming | trailers | the body is aborted |
//! | gets too much | `Runtime.PayloadTooLarge` | 413 |
//!
//! There is no TLS here: every platform ends it before the function.

mod body;
mod context;
mod envelope;
mod environment;
mod error;
mod guard;
mod handler;
mod lambda;
mod log;
mod oneshot;
mod request;
mod response;
mod runtime;
mod server;
mod shutdown;
mod trace;

pub use body::Sink;
pub use context::Context;
pub use environment::Platform;
pub use error::Error;
pub use handler::{JsonCall, json};
pub use request::Request;
pub use response::Response;
pub use runtime::{Runtime, serve, serve_with};
pub use trace::{InvalidTraceparent, TraceContext};

/// The byte buffer that payloads arrive in and leave in.
pub use bytes::Bytes;
