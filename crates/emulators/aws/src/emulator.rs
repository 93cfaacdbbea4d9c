//! Starting and stopping.

use std::sync::Arc;

use anyport_engine::{Engine, EngineConfig};
use tokio::net::TcpListener;

use crate::access;
use crate::cloud::{Admin, Cloud};
use crate::config::{Config, Credentials};
use crate::error::EmulatorError;
use crate::fault::Faults;
use crate::front::{self, log::CallLog};
use crate::services::{lambda, logs, s3, sqs};
use crate::state::{Changes, Keeper};

/// A running AWS. Dropping it stops everything, without waiting; [`Self::shutdown`] waits.
#[derive(Debug)]
pub struct Emulator {
    cloud: Arc<Cloud>,
    credentials: Credentials,
    server: front::Server,
    keeper: Keeper,
}

impl Emulator {
    /// Starts an AWS on the current tokio runtime.
    ///
    /// # Errors
    /// What can't be listened on, written or used; on other systems than Linux there is no engine.
    pub async fn start(config: Config) -> Result<Self, EmulatorError> {
        config.check()?;
        let port = config.port;
        let listen = |source| EmulatorError::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(listen)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(listen)?);
        let mut keeper = Keeper::open(&config, &endpoint)?;
        let credentials = keeper.credentials();
        let mut engine = EngineConfig::default()
            .scratch_root(keeper.scratch())
            .groups(config.groups.clone());
        engine.interpreters = config.interpreters.clone();
        let engine = Engine::start(engine).await.map_err(EmulatorError::Engine)?;
        let cloud = Arc::new(Cloud {
            endpoint,
            folder: keeper.folder().to_owned(),
            clock: config.clock.clone(),
            faults: Faults::default(),
            access: access::Store::new(&config, &credentials),
            lambda: lambda::Lambda::new(&config),
            logs: logs::Logs::new(&config),
            s3: s3::S3::new(&config, keeper.blobs()),
            sqs: sqs::Sqs::new(&config),
            engine,
            calls: CallLog::default(),
            blobs: keeper.blobs(),
            changes: Arc::new(Changes::default()),
            config,
        });
        keeper.attach(&cloud)?;
        cloud.lambda.start(&cloud);
        let server = front::Server::start(listener, Arc::clone(&cloud));
        Ok(Self {
            cloud,
            credentials,
            server,
            keeper,
        })
    }

    /// The endpoint URL for clients, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.cloud.endpoint
    }

    /// The credentials that may do everything.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Cloud> {
        &self.cloud
    }

    /// The account of those credentials.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.cloud.config.account
    }

    /// The region of requests that name none.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.cloud.config.region
    }

    /// The language runtimes whose interpreters are here, such as `python3.12`; oldest first in each
    /// family. Looks for them, and tells other processes through [`Endpoint`](crate::Endpoint).
    pub async fn runtimes(&self) -> Vec<String> {
        let found = lambda::control::runtimes_here(&self.cloud).await;
        self.keeper.tell_runtimes(&found);
        found
    }

    /// What a test harness may ask of it.
    #[must_use]
    pub fn cloud(&self) -> Admin {
        Admin::new(Arc::clone(&self.cloud))
    }

    /// The cloud itself, for tests of its rooms without HTTP.
    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Arc<Cloud> {
        &self.cloud
    }

    /// Takes no new requests, waits a little for those that run, keeps the state and stops everything.
    pub async fn shutdown(mut self) {
        self.server.stop().await;
        self.cloud.lambda.stop().await;
        self.cloud.engine.shutdown().await;
        self.keeper.close().await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
        self.cloud.lambda.abort();
    }
}
