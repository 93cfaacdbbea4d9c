//! An HTTP server on `PORT`: Cloud Run, Knative, Kubernetes, or a terminal.

mod call;
mod reply;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use self::call::Calls;
use crate::Error;
use crate::environment::Platform;
use crate::guard::{Either, race};
use crate::handler::Service;
use crate::log::{log, report};
use crate::runtime::{Ended, Setup};

/// How long to leave the system alone when it has no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where the function stands, for those who wait for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready,
    Failed,
}

/// The handler, once it is there.
struct Gate<S> {
    service: OnceLock<S>,
    phase: watch::Sender<Phase>,
}

impl<S> Gate<S> {
    fn new() -> Self {
        Self {
            service: OnceLock::new(),
            phase: watch::Sender::new(Phase::Starting),
        }
    }

    fn open(&self, service: S) {
        // Initialisation ends once, so the cell is empty.
        let _ = self.service.set(service);
        self.phase.send_replace(Phase::Ready);
    }

    fn fail(&self) {
        self.phase.send_replace(Phase::Failed);
    }

    fn is_ready(&self) -> bool {
        self.service.get().is_some()
    }

    /// The handler, waiting for it if need be.
    async fn service(&self) -> Result<&S, Error> {
        if let Some(service) = self.service.get() {
            return Ok(service);
        }
        let mut phase = self.phase.subscribe();
        // The sender lives as long as `self`.
        let _ = phase.wait_for(|phase| *phase != Phase::Starting).await;
        self.service.get().ok_or_else(|| {
            Error::unhandled(
                "Runtime.InitError",
                "the function could not start; its log says why",
            )
        })
    }
}

/// Listens, then initialises the function while it already listens, and serves until it is told to end.
pub(crate) async fn run<S: Service>(
    address: SocketAddr,
    setup: &mut Setup,
    init: impl Future<Output = Result<S, Error>>,
) -> Ended {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            log!("can't listen on {address}: {error}; PORT and ANYPORT_BIND set another address");
            return Ended {
                code: ExitCode::FAILURE,
                grace_end: setup.grace_end(),
            };
        }
    };
    if setup.environment.platform == Platform::Local {
        // With port 0 this line is how anybody learns the port.
        log!(
            "listening on http://{}",
            listener.local_addr().unwrap_or(address)
        );
    }
    let calls = Arc::new(Calls::new(Gate::new(), setup));
    let stop = watch::Sender::new(false);
    let code = accept_until_told(&listener, &calls, &stop, setup, init).await;

    // Whoever has connected but not been accepted gets its answer too.
    while let Some(stream) = poll_fn(|cx| Poll::Ready(accepted_now(&listener, cx))).await {
        spawn(stream, Arc::clone(&calls), stop.subscribe());
        tokio::task::yield_now().await;
    }
    drop(listener);
    stop.send_replace(true);
    let grace_end = setup.grace_end();
    if setup
        .signals
        .finish(stop.closed(), grace_end)
        .await
        .is_none()
    {
        log!("requests were still running when the grace ended");
    }
    Ended { code, grace_end }
}

fn accepted_now(listener: &TcpListener, cx: &mut Context<'_>) -> Option<TcpStream> {
    match listener.poll_accept(cx) {
        Poll::Ready(Ok((stream, _))) => Some(stream),
        _ => None,
    }
}

enum Happened<S> {
    Stop,
    Initialised(Result<S, Error>),
    Accepted(io::Result<TcpStream>),
}

/// Accepts connections until a signal, or until initialisation fails.
async fn accept_until_told<S: Service>(
    listener: &TcpListener,
    calls: &Arc<Calls<S>>,
    stop: &watch::Sender<bool>,
    setup: &mut Setup,
    init: impl Future<Output = Result<S, Error>>,
) -> ExitCode {
    let mut init = pin!(init);
    let mut starting = true;
    loop {
        let happened = poll_fn(|cx| {
            if setup.signals.poll(cx).is_ready() {
                return Poll::Ready(Happened::Stop);
            }
            if starting && let Poll::Ready(result) = init.as_mut().poll(cx) {
                return Poll::Ready(Happened::Initialised(result));
            }
            listener
                .poll_accept(cx)
                .map(|result| Happened::Accepted(result.map(|(stream, _)| stream)))
        })
        .await;
        match happened {
            Happened::Stop => return ExitCode::SUCCESS,
            Happened::Initialised(Ok(service)) => {
                starting = false;
                calls.gate().open(service);
            }
            Happened::Initialised(Err(error)) => {
                log!("the function can't start: {error}");
                report(&error);
                calls.gate().fail();
                return ExitCode::FAILURE;
            }
            Happened::Accepted(Ok(stream)) => spawn(stream, Arc::clone(calls), stop.subscribe()),
            Happened::Accepted(Err(error)) => {
                if !is_the_peers_fault(&error) {
                    log!("can't accept a connection: {error}; trying again");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Serves one connection on a task of its own; its requests run on that task, one after the other.
fn spawn<S: Service>(stream: TcpStream, calls: Arc<Calls<S>>, mut stop: watch::Receiver<bool>) {
    // Answers are written whole or in chunks that must not wait for each other.
    let _ = stream.set_nodelay(true);
    tokio::spawn(async move {
        let service = service_fn(move |request| {
            let calls = Arc::clone(&calls);
            async move { Ok::<_, Infallible>(calls.answer(request).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        if let Either::Right(()) = race(connection.as_mut(), pin!(told(&mut stop))).await {
            connection.as_mut().graceful_shutdown();
            // Whatever breaks a connection, its peer is gone.
            let _ = connection.await;
        }
        // Held until here: all copies gone is how the server knows that all connections are done.
        drop(stop);
    });
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, which is a reason to stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
