//! The listener and its connections.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::cloud::Cloud;

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    cloud: Arc<Cloud>,
}

impl Server {
    /// Serves the cloud on this listener.
    pub(crate) fn start(_listener: TcpListener, cloud: Arc<Cloud>) -> Self {
        Self { cloud }
    }

    /// Takes no new requests and waits a little for those that run.
    pub(crate) async fn stop(&mut self) {}

    /// Ends at once.
    pub(crate) fn abort(&mut self) {}
}
