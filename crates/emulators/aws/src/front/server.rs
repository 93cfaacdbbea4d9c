//! The listener and its connections.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::Throttle;
use super::handle::Front;
use crate::cloud::Cloud;

/// How many connections are open at most; more wait to be accepted.
const CONNECTIONS: usize = 1024;

/// How long a connection may idle, or take to send a request's headers.
const IDLE: Duration = Duration::from_secs(120);

/// How large a request's line and headers may be together.
const HEADERS: usize = 128 << 10;

/// How long requests that run are waited for at the end.
const GRACE: Duration = Duration::from_secs(5);

/// Where the server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Running,
    /// What runs may end, nothing new starts.
    Draining,
    /// What runs is broken off.
    Ending,
}

/// Waits until the server has come this far, or is gone.
pub(super) async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    phase: watch::Sender<Phase>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the cloud on this listener.
    pub(crate) fn start(listener: TcpListener, cloud: Arc<Cloud>) -> Self {
        let (phase, seen) = watch::channel(Phase::Running);
        let front = Arc::new(Front {
            cloud,
            throttle: Throttle::default(),
            phase: seen,
        });
        Self {
            phase,
            accepting: Some(tokio::spawn(accept(listener, front))),
        }
    }

    /// Takes no new requests and waits a little for those that run.
    pub(crate) async fn stop(&mut self) {
        self.phase.send_replace(Phase::Draining);
        if let Some(accepting) = self.accepting.take() {
            let abort = accepting.abort_handle();
            if tokio::time::timeout(GRACE, accepting).await.is_err() {
                abort.abort();
            }
        }
        self.phase.send_replace(Phase::Ending);
    }

    /// Ends at once.
    pub(crate) fn abort(&mut self) {
        self.phase.send_replace(Phase::Ending);
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
        }
    }
}

/// Accepts connections until the server drains, and then waits for theirs to end. Dropped, it closes them.
async fn accept(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    let mut phase = front.phase.clone();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&front)));
                }
                // Out of descriptors, most likely: some may be free soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            () = reached(&mut phase, Phase::Draining) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, front: Arc<Front>) {
    // Small answers must not wait for each other.
    let _ = stream.set_nodelay(true);
    let mut phase = front.phase.clone();
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { front.handle(request).await }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(HEADERS)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        result = connection.as_mut() => Some(result),
        () = reached(&mut phase, Phase::Draining) => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        // Whatever breaks a connection is the client's or a fault's doing.
        let _ = connection.await;
    }
}
