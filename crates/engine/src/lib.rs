//! Runs function artifacts as real processes on this machine.
//!
//! An [`Engine`] owns everything that runs; a [`Pool`] is one immutable version of one function; an
//! instance is one process tree of that version. The engine knows nothing of providers, plans or
//! contracts: adapters and embedded clouds translate to and from its types.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use anyport_engine::{Engine, EngineConfig, Launch, PoolSpec, Request};
//!
//! let engine = Engine::start(EngineConfig::default()).await?;
//! let pool = engine.pool(PoolSpec::new("hello", "1", "/srv/hello", Launch::Bootstrap))?;
//! pool.probe().await?;
//! let reply = pool.invoke(Request::json("req-1", r#"{"name":"Ada"}"#)).await?;
//! println!("{:?}", reply.body.collect(1 << 20).await?);
//! engine.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - **Time.** A call that passes its limit ends as [`InvokeError::Timeout`] and its process tree is
//!   killed: the code stops. An instance that serves other calls at that moment takes no new ones and
//!   is killed as soon as those have ended.
//! - **Memory.** The resident size of the process tree is watched and the tree is killed over the
//!   limit ([`InvokeError::OutOfMemory`]); never an address-space limit, under which Node aborts.
//!   Where the memory controller can be used the kernel enforces the limit as well.
//! - **Nothing is left.** Each instance runs in a control group of its own wherever this process may
//!   make one ([`Groups`]), and that group is killed with it: children that called `setsid`, emptied
//!   their environment and lost their parent go too. When the engine's process dies by any cause, a
//!   guardian process notices and does the same for all instances. Out of reach is only what moves
//!   itself to a foreign control group on purpose, with the rights to do so.
//! - **Without control groups** ([`Engine::containment`] tells) an instance's end takes its process
//!   group, all descendants of its first process, which adopts orphans, every process that was ever
//!   seen to be one, and every process that carries its mark in the environment. Out of reach there: a
//!   process in a session of its own, with another environment, started less than a quarter of a
//!   second (while the instance idles: two seconds) before the first process ends by itself or the
//!   engine's process is killed.
//! - **Dropping a call** leaks nothing: the function is not told, it runs on until it answers or its
//!   time limit kills it, and its instance is then used again.
//! - **Logs are bounded.** Lines go to the [`LogSink`] as they come; the engine keeps a short tail.
//!
//! Linux only. Elsewhere the crate compiles and [`Engine::start`] returns
//! [`EngineError::Unsupported`].

// Elsewhere only the types are built.
#![cfg_attr(not(unix), allow(dead_code))]

#[cfg(unix)]
mod bootstrap;
mod config;
#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod engine;
mod error;
#[cfg(unix)]
mod instance;
mod logs;
mod observer;
#[cfg(unix)]
mod pool;
#[cfg(unix)]
mod process;
mod request;
mod spec;
#[cfg(unix)]
mod wire;

pub use config::{Containment, EngineConfig, Groups, Interpreters};
#[cfg(not(unix))]
pub use elsewhere::{Engine, Pool, Trail};
#[cfg(unix)]
pub use engine::Engine;
pub use error::{EngineError, Exit, FunctionError, InvokeError, StartFailure, StartFailureKind};
pub use logs::{LogLine, LogRing, LogSink, LogStream};
pub use observer::Observer;
#[cfg(unix)]
pub use pool::{Pool, Trail};
pub use request::{Body, Metrics, Payload, Request, Response};
pub use spec::{Interpreter, Language, Launch, Overload, PoolSpec, PoolStats};
