//! What runs: one pool of instances for each configuration of a version that is invoked.

mod code;
mod environment;
mod journal;
mod lines;
mod rights;
pub(crate) mod runtime;
mod slots;
mod stream;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyport_engine::InvokeError;
use anyport_engine::{Overload, Pool, PoolSpec, Request, Response, StartFailure, Trail};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::errors;
use super::version::VersionConfig;
use crate::answer::ApiError;
use crate::call::Service;
use crate::cloud::Cloud;
use crate::config::Config;

pub(crate) use journal::Journal;
pub(crate) use lines::{Ended, Status, time};
pub(crate) use rights::role_cx;
pub(crate) use slots::{Full, Slot, Slots};

/// How long getting ready may take before the time limit of the call counts. Source: Lambda developer
/// guide, execution environment lifecycle.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// Most instances of one configuration at a time; concurrency limits are far lower.
const INSTANCES: usize = 10_000;
/// How long instances are kept that nobody calls. *Guessed*: AWS does not say.
const IDLE: Duration = Duration::from_secs(300);
/// How long changes are collected before what is no longer needed is ended.
const SWEEP_PAUSE: Duration = Duration::from_millis(200);

type Entry = Arc<OnceCell<Arc<Run>>>;

/// The pools.
#[derive(Debug)]
pub(crate) struct Runs {
    /// By the id of the configuration.
    runs: Mutex<HashMap<String, Entry>>,
    /// Who runs now.
    pub(crate) slots: Slots,
    code: code::Folders,
    sweeper: Mutex<Option<JoinHandle<()>>>,
}

/// One configuration of a version, and its instances.
#[derive(Debug)]
pub(crate) struct Run {
    config: Arc<VersionConfig>,
    pool: Pool,
    /// Where its instances' lines go.
    pub(crate) journal: Arc<Journal>,
    /// Keeps the unpacked code.
    _code: Arc<code::Folder>,
}

impl Run {
    /// Calls the function, and tells what it cost.
    pub(crate) async fn invoke(
        &self,
        request: Request,
    ) -> (Result<Response, InvokeError>, Option<Trail>) {
        self.pool.invoke_traced(request).await
    }

    /// Tries to start an instance, also while the version is held back for failing.
    ///
    /// # Errors
    /// Why it did not get ready.
    pub(crate) async fn probe(&self) -> Result<Duration, StartFailure> {
        self.pool.probe().await
    }

    /// What runs.
    pub(crate) fn config(&self) -> &VersionConfig {
        &self.config
    }
}

impl Runs {
    /// None yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self {
            runs: Mutex::default(),
            slots: Slots::default(),
            code: code::Folders::default(),
            sweeper: Mutex::default(),
        }
    }

    /// Begins to end what is no longer needed whenever functions change.
    pub(crate) fn start(&self, cloud: &Arc<Cloud>) {
        let mut changes = cloud.lambda.functions.subscribe();
        let cloud = Arc::downgrade(cloud);
        let sweeper = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                tokio::time::sleep(SWEEP_PAUSE).await;
                let Some(cloud) = cloud.upgrade() else {
                    return;
                };
                cloud.lambda.runs.sweep(&cloud);
            }
        });
        *self.sweeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(sweeper);
    }

    /// The run of a configuration, which is set up when it is needed first; no instance is started.
    ///
    /// # Errors
    /// Its runtime is not on this machine, its package can't be unpacked.
    pub(crate) async fn get(
        &self,
        cloud: &Arc<Cloud>,
        config: &Arc<VersionConfig>,
    ) -> Result<Arc<Run>, ApiError> {
        let entry = {
            let mut runs = self.lock();
            match runs.get(&config.id) {
                Some(entry) => Arc::clone(entry),
                None => Arc::clone(runs.entry(config.id.clone()).or_default()),
            }
        };
        if let Some(run) = entry.get() {
            return Ok(Arc::clone(run));
        }
        let run = entry
            .get_or_try_init(|| async { self.set_up(cloud, config).await.map(Arc::new) })
            .await
            .map(Arc::clone);
        // This one may have taken the place of another.
        self.sweep(cloud);
        run
    }

    async fn set_up(
        &self,
        cloud: &Arc<Cloud>,
        config: &Arc<VersionConfig>,
    ) -> Result<Run, ApiError> {
        let found = runtime::find(&cloud.engine, &cloud.config.interpreters, config)
            .await
            .map_err(|missing| {
                ApiError::new("InvalidRuntimeException", missing.to_string())
                    .with("Type", "Server")
                    .with("Message", missing.to_string())
            })?;
        let code = self.code.unpacked(cloud, &config.code).await?;
        let journal = Arc::new(Journal::new(cloud, Arc::clone(config)));
        let settings = &config.settings;
        let mut spec = PoolSpec::new(
            config.function.as_str(),
            config.version.as_str(),
            code.path(),
            found.launch,
        );
        spec.interpreter = found.interpreter;
        (spec.env, spec.platform_env) = environment::of(cloud, config);
        spec.memory_mb = settings.memory;
        spec.timeout = settings.time_limit();
        spec.init_timeout = settings.time_limit().max(INIT_LIMIT);
        spec.max_instances = INSTANCES;
        spec.overload = Overload::Queue { limit: INSTANCES };
        spec.idle_after = IDLE;
        spec.invoked_arn = config.function_arn();
        spec.logs = Arc::clone(&journal) as _;
        spec.observer = Arc::clone(&journal) as _;
        let pool = cloud
            .engine
            .pool(spec)
            .map_err(|error| ApiError::internal(Service::Lambda, error))?;
        Ok(Run {
            config: Arc::clone(config),
            pool,
            journal,
            _code: code,
        })
    }

    /// Ends the runs of configurations that no invocation can reach any more; calls in flight end first.
    pub(crate) fn sweep(&self, cloud: &Cloud) {
        let live = cloud.lambda.functions.live();
        let mut gone = Vec::new();
        self.lock().retain(|id, entry| {
            // One that is being set up right now is looked at the next time.
            let keep = live.contains(id) || entry.get().is_none();
            if !keep {
                gone.extend(entry.get().cloned());
            }
            keep
        });
        for run in gone {
            tokio::spawn(async move { run.pool.drain().await });
        }
    }

    /// Ends all of them.
    pub(crate) async fn stop(&self) {
        self.abort();
        let runs: Vec<Entry> = self.lock().drain().map(|(_, entry)| entry).collect();
        for run in runs.iter().filter_map(|entry| entry.get()) {
            run.pool.close().await;
        }
    }

    /// Ends what goes on by itself, at once.
    pub(crate) fn abort(&self) {
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sweeper) = sweeper.take() {
            sweeper.abort();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.abort();
    }
}

/// The cloud, for those it owns.
pub(crate) type CloudRef = Weak<Cloud>;

/// The error for a call that can't have a slot now.
pub(crate) fn throttled(reason: slots::Full) -> ApiError {
    ApiError::new("TooManyRequestsException", "Rate Exceeded.")
        .with("Reason", reason.name())
        .with("Type", "User")
        .with("retryAfterSeconds", "1")
}

/// The error for a version that can't be invoked in its state.
pub(crate) fn not_ready(state: super::version::State) -> ApiError {
    errors::in_state(state.name())
}
