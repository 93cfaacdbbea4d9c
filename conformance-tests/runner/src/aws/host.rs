//! An embedded AWS on a thread and a runtime of its own, so that what it does is not taken for what a case leaves behind.

use std::thread::JoinHandle;

use anyport::embedded::aws::{Admin, Config, Credentials, Emulator};
use anyport_conformance::harness::Missing;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// What is known of it while it runs.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) endpoint: String,
    pub(super) account: String,
    pub(super) region: String,
    /// May do everything.
    pub(super) credentials: Credentials,
    pub(super) admin: Admin,
    /// Its runtime.
    pub(super) runtime: Handle,
}

/// Ends the cloud when it is dropped; [`Self::stop`] also waits.
pub(super) struct Host {
    running: Running,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Host {
    pub(super) async fn start(config: Config) -> Result<Self, Missing> {
        let (tell, told) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("embedded-aws".to_owned())
            .spawn(move || run(config, tell, stopped))
            .map_err(|error| {
                Missing::because(format!("no thread for the embedded AWS: {error}"))
            })?;
        let gone = |_| Err("its thread ended".to_owned());
        match told.await.unwrap_or_else(gone) {
            Ok(running) => Ok(Self {
                running,
                stop,
                thread,
            }),
            Err(why) => Err(Missing::because(format!("no embedded AWS: {why}"))),
        }
    }

    pub(super) const fn running(&self) -> &Running {
        &self.running
    }

    /// Stops everything and waits until it has.
    pub(super) async fn stop(self) {
        let Self { stop, thread, .. } = self;
        drop(stop);
        // A thread that panicked has ended as well.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

fn run(
    config: Config,
    tell: oneshot::Sender<Result<Running, String>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            // Who asked may have gone.
            let _ = tell.send(Err(error.to_string()));
            return;
        }
    };
    runtime.block_on(async {
        match Emulator::start(config).await {
            Ok(aws) => {
                let running = Running {
                    endpoint: aws.endpoint().to_owned(),
                    account: aws.account().to_owned(),
                    region: aws.region().to_owned(),
                    credentials: aws.credentials().clone(),
                    admin: aws.cloud(),
                    runtime: Handle::current(),
                };
                if tell.send(Ok(running)).is_ok() {
                    // Sent or dropped, it is time.
                    let _ = stopped.await;
                }
                aws.shutdown().await;
            }
            Err(error) => {
                let _ = tell.send(Err(error.to_string()));
            }
        }
    });
}
