//! Finds out where the process runs and starts the driver for it.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::time::Instant;

use crate::environment::{Environment, Protocol};
use crate::handler::{Service, Stateful, Stateless};
use crate::log::log;
use crate::shutdown::{Hook, Signals, run_hooks};
use crate::{Context, Error, Request, Response, guard, lambda, oneshot, server};

const DEFAULT_MAX_PAYLOAD: usize = 32 * 1024 * 1024;

/// A function's settings; [`serve`] and [`serve_with`] are this with none changed.
#[must_use = "nothing runs before `serve`"]
pub struct Runtime {
    max_payload: usize,
    hooks: Vec<Hook>,
}

/// What every driver is given.
pub(crate) struct Setup {
    pub(crate) environment: Arc<Environment>,
    pub(crate) max_payload: usize,
    pub(crate) signals: Signals,
}

impl Setup {
    /// When the grace of a shutdown is over that began with the first signal, or begins now.
    pub(crate) fn grace_end(&self) -> Instant {
        self.signals.since().unwrap_or_else(Instant::now) + self.environment.grace
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime {
    /// The default settings: payloads up to 32 MiB, no shutdown hook.
    pub fn new() -> Self {
        Self {
            max_payload: DEFAULT_MAX_PAYLOAD,
            hooks: Vec::new(),
        }
    }

    /// The largest payload that reaches the handler, in bytes; a larger one is refused without it.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Something to do before the process ends in order, after the last request: flush, say goodbye.
    ///
    /// Hooks run in the order they were added, within the grace (`ANYPORT_GRACE_MS`, 8000 by
    /// default), and at least half a second. A platform that kills or freezes the process instead of
    /// asking it to end (Lambda does) runs none, so nothing may depend on them.
    pub fn on_shutdown<H, Fut>(mut self, hook: H) -> Self
    where
        H: FnOnce() -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        self.hooks.push(Box::new(|| Box::pin(hook())));
        self
    }

    /// Serves requests until the platform ends the process; see [`serve`].
    pub fn serve<F, Fut, R>(self, handler: F) -> ExitCode
    where
        F: Fn(Request, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send,
        R: Into<Response>,
    {
        self.run(std::future::ready(Ok(Stateless(handler))))
    }

    /// Serves requests with a state that is made first; see [`serve_with`].
    pub fn serve_with<I, IFut, S, F, Fut, R>(self, init: I, handler: F) -> ExitCode
    where
        I: FnOnce() -> IFut,
        IFut: Future<Output = Result<S, Error>>,
        S: Send + Sync + 'static,
        F: Fn(Arc<S>, Request, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send,
        R: Into<Response>,
    {
        self.run(guard::catch(async move {
            let state = Arc::new(init().await?);
            Ok(Stateful { state, handler })
        }))
    }

    fn run<S: Service>(self, init: impl Future<Output = Result<S, Error>>) -> ExitCode {
        let (environment, protocol) = match Environment::read(|name| std::env::var(name).ok()) {
            Ok(read) => read,
            Err(problem) => {
                log!("can't start: {problem}");
                return ExitCode::FAILURE;
            }
        };
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => {
                log!("can't start: the system gave no event loop: {error}");
                return ExitCode::FAILURE;
            }
        };
        let code = runtime.block_on(async move {
            let signals = match Signals::listen() {
                Ok(signals) => signals,
                Err(error) => {
                    log!("can't start: signals can't be listened to: {error}");
                    return ExitCode::FAILURE;
                }
            };
            let mut setup = Setup {
                environment: Arc::new(environment),
                max_payload: self.max_payload,
                signals,
            };
            let ended = match protocol {
                Protocol::RuntimeApi(api) => lambda::run(&api, &mut setup, init).await,
                Protocol::Http(address) => server::run(address, &mut setup, init).await,
                Protocol::OneShot(event) => oneshot::run(event, &mut setup, init).await,
            };
            run_hooks(self.hooks, ended.grace_end).await;
            ended.code
        });
        // Blocking work that somebody left running must not hold the process.
        runtime.shutdown_background();
        code
    }
}

/// How a driver ended.
pub(crate) struct Ended {
    pub(crate) code: ExitCode,
    pub(crate) grace_end: Instant,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("max_payload", &self.max_payload)
            .field("hooks", &self.hooks.len())
            .finish()
    }
}

/// Serves requests with this handler, wherever the process runs, until it is told to end; returns
/// what `main` should return.
///
/// It blocks, and owns a single-threaded async runtime: a handler that computes for long without
/// awaiting holds up the others. A handler that panics fails its own request only.
pub fn serve<F, Fut, R>(handler: F) -> ExitCode
where
    F: Fn(Request, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send,
    R: Into<Response>,
{
    Runtime::new().serve(handler)
}

/// The same with a state that takes time to make: connections, a model, a cache.
///
/// A server listens before `init` begins: its health path answers 503 until `init` is done, and
/// requests wait. On Lambda `init` runs in the platform's own initialisation phase. If it fails, the
/// failure is reported as the platform defines it and the process ends with 1.
///
/// ```no_run
/// use std::{collections::HashMap, sync::Arc};
/// use anyport_runtime::{Context, Error, Request, serve_with};
///
/// type Prices = HashMap<String, u32>;
///
/// async fn load() -> Result<Prices, Error> {
///     Ok(serde_json::from_str(&std::fs::read_to_string("prices.json")?)?)
/// }
///
/// async fn price(prices: Arc<Prices>, request: Request, _: Context) -> Result<String, Error> {
///     let item = request.text()?;
///     let price = prices.get(item).ok_or_else(|| Error::new("UnknownItem", "no such item"))?;
///     Ok(price.to_string())
/// }
///
/// fn main() -> std::process::ExitCode {
///     serve_with(load, price)
/// }
/// ```
pub fn serve_with<I, IFut, S, F, Fut, R>(init: I, handler: F) -> ExitCode
where
    I: FnOnce() -> IFut,
    IFut: Future<Output = Result<S, Error>>,
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Request, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send,
    R: Into<Response>,
{
    Runtime::new().serve_with(init, handler)
}
