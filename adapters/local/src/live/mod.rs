//! What runs: for each function its record as last read, and a pool of instances for each version that was called.

mod pools;
mod split;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyport_core::call::{Qualifier, Reply};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::VersionId;
use anyport_core::spec::Name;
use anyport_engine::{Engine, EngineConfig, InvokeError, Pool, Request, StartFailureKind};
use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::logs::Logs;
use crate::runtimes::Runtimes;
use crate::store::{Record, Release, Stamp, Store, Stored};
use crate::{error, ids, lift, lower};
use pools::Pools;
use split::Turns;

/// How often a call is made on a newer record because its version went away under it.
const MOVES: usize = 3;

/// How often changes made by others are looked for, so that instances of what is gone are stopped, and floors are kept.
const UPKEEP: Duration = Duration::from_secs(1);

/// Rounds of upkeep between two looks for log lines that have been kept long enough.
const TIDY: u64 = 60;

/// Everything that runs in this process for one state folder.
pub(crate) struct Live {
    pub(crate) store: Arc<Store>,
    pub(crate) config: Config,
    pub(crate) logs: Logs,
    engine: OnceCell<Engine>,
    runtimes: OnceCell<Runtimes>,
    functions: Mutex<HashMap<Name, Arc<Function>>>,
}

/// A function as of one revision of its record.
pub(crate) struct Function {
    stamp: Stamp,
    pub(crate) record: Record,
    pools: Pools,
    turns: Arc<Turns>,
}

/// One call, ready to be made more than once.
pub(crate) struct Attempt {
    pub(crate) name: Name,
    pub(crate) qualifier: Qualifier,
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

impl Live {
    pub(crate) fn new(store: Arc<Store>, config: Config) -> Self {
        Self {
            logs: Logs::new(Arc::clone(&store)),
            store,
            config,
            engine: OnceCell::new(),
            runtimes: OnceCell::new(),
            functions: Mutex::default(),
        }
    }

    /// The language runtimes of this machine, looked for once.
    pub(crate) async fn runtimes(&self) -> &Runtimes {
        let find = || Runtimes::find(&self.config.python, &self.config.node);
        self.runtimes.get_or_init(find).await
    }

    /// The engine, started when something is to run for the first time.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) async fn engine(&self) -> Result<&Engine> {
        let start = || async {
            let runtimes = self.runtimes().await;
            let mut config = EngineConfig::default()
                .python(&self.config.python)
                .node(&self.config.node);
            // The programs themselves: a wrapper that chooses one would cost every start its time.
            if let Some(python) = &runtimes.python {
                config = config.python(&python.program);
            }
            if let Some(node) = &runtimes.node {
                config = config.node(&node.program);
            }
            Engine::start(config).await.map_err(error::engine)
        };
        self.engine.get_or_try_init(start).await
    }

    /// The function as it is now. One `stat` when nothing changed.
    ///
    /// # Errors
    /// `NotFound` when nothing is deployed under the name; what reading can fail with.
    pub(crate) fn function(&self, name: &Name) -> Result<Arc<Function>> {
        let path = self.store.record(name);
        let stamp = Stamp::of(&path).map_err(error::io("read the record of", &path))?;
        let known = self.functions().get(name).cloned();
        let Some(stamp) = stamp else {
            self.forget(name);
            return Err(not_found(name));
        };
        if let Some(known) = known.filter(|known| known.stamp == stamp) {
            return Ok(known);
        }
        // A change between the stat and the read is noticed by the next stat.
        let Some(Stored { record, .. }) = self.store.read(name)? else {
            self.forget(name);
            return Err(not_found(name));
        };
        self.logs.retain(name, record.settings.log_retention_days);
        let mut functions = self.functions();
        let (pools, turns) = match functions.get(name) {
            Some(known) => (known.pools.carried(&record), Arc::clone(&known.turns)),
            None => (Pools::default(), Arc::new(Turns::new(ids::random()))),
        };
        let function = Arc::new(Function {
            stamp,
            record,
            pools,
            turns,
        });
        functions.insert(name.clone(), Arc::clone(&function));
        Ok(function)
    }

    /// Stops what runs of a function, once its calls have ended.
    pub(crate) fn forget(&self, name: &Name) {
        self.functions().remove(name);
        self.logs.forget(name);
    }

    fn functions(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<Function>>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The pool of a version, made when it is needed first.
    ///
    /// # Errors
    /// When its secrets cannot be used or the engine does not take it.
    pub(crate) async fn pool(&self, function: &Function, release: &Release) -> Result<Pool> {
        let engine = self.engine().await?;
        let name = &function.record.name;
        function.pools.get_or_make(&self.store, release, |env| {
            let code = self.store.artifact(name, release.spec.artifact.digest);
            let spec = lower::pool(&self.config, release, code, env, self.logs.sink(name))?;
            engine.pool(spec).map_err(error::engine)
        })
    }

    /// Calls a function. On the way it moves to a newer record as long as its code has not run.
    ///
    /// # Errors
    /// As [`Provider::invoke`](anyport_core::provider::Provider::invoke) says.
    pub(crate) async fn invoke(&self, attempt: &Attempt, request_id: String) -> Result<Reply> {
        let mut moves = 0;
        loop {
            let function = self.function(&attempt.name)?;
            let release = function.choose(&attempt.qualifier)?;
            let pool = self.pool(&function, release).await?;
            let outcome = pool.invoke(request(attempt, &request_id)).await;
            let failure = match outcome {
                Ok(response) => {
                    let http = response_is_http(release);
                    return Ok(lift::reply(request_id, response, pool, http));
                }
                Err(failure) => failure,
            };
            moves += 1;
            if moves < MOVES && gone(&failure) && self.moved(&function) {
                function.pools.discard(&release.id);
                continue;
            }
            return Err(error::invoke(failure)
                .on(&attempt.name)
                .with_request_id(request_id));
        }
    }

    /// Whether the record is another than this one by now.
    fn moved(&self, function: &Function) -> bool {
        let now = Stamp::of(&self.store.record(&function.record.name));
        !matches!(now, Ok(Some(now)) if now == function.stamp)
    }

    /// Whether a record has what a call asks for.
    ///
    /// # Errors
    /// `NotFound` when it has not.
    pub(crate) fn check(record: &Record, qualifier: &Qualifier) -> Result<()> {
        match qualifier {
            Qualifier::Live if record.split.is_some() => Ok(()),
            Qualifier::Live => Err(empty(record)),
            Qualifier::Version(id) => pinned(record, id).map(|_| ()),
        }
    }

    /// Looks after what runs until it is dropped.
    pub(crate) async fn upkeep(self: Arc<Self>) {
        let this = Arc::downgrade(&self);
        drop(self);
        let mut round: u64 = 0;
        loop {
            tokio::time::sleep(UPKEEP).await;
            let Some(live) = this.upgrade() else { return };
            let names: Vec<Name> = live.functions().keys().cloned().collect();
            for name in names {
                // What cannot be read now is told to whoever calls it.
                if let Ok(function) = live.function(&name) {
                    live.keep_floor(&function).await;
                }
            }
            round += 1;
            if round.is_multiple_of(TIDY) {
                let tidy = move || live.logs.tidy();
                let _ = tokio::task::spawn_blocking(tidy).await;
            }
        }
    }

    /// Starts what is missing of the instances to be kept ready.
    async fn keep_floor(&self, function: &Function) {
        for release in &function.record.versions {
            let floor = release.spec.min_instances;
            if floor == 0 || function.record.share(&release.id) == 0 {
                continue;
            }
            if let Ok(pool) = self.pool(function, release).await {
                // A version that fails now is reported by the next call, and tried again by the next round.
                let _ = pool
                    .warm(usize::try_from(floor).unwrap_or(usize::MAX))
                    .await;
            }
        }
    }
}

impl Function {
    /// The version that a call goes to.
    fn choose(&self, qualifier: &Qualifier) -> Result<&Release> {
        let record = &self.record;
        match qualifier {
            Qualifier::Live => {
                let split = record.split.as_ref();
                let chosen = split.and_then(|split| self.turns.choose(split));
                let release = chosen.and_then(|id| record.version(id));
                release.ok_or_else(|| empty(record))
            }
            Qualifier::Version(id) => pinned(record, id),
        }
    }
}

/// Whether a call failed because its version was taken away before the code ran.
fn gone(failure: &InvokeError) -> bool {
    match failure {
        InvokeError::Shutdown { may_have_run } => !may_have_run,
        InvokeError::StartFailed(failure) => matches!(
            failure.kind,
            StartFailureKind::Missing { .. } | StartFailureKind::Closed
        ),
        _ => false,
    }
}

fn response_is_http(release: &Release) -> bool {
    use anyport_core::spec::{Packaging, Protocol};
    matches!(
        release.spec.artifact.packaging,
        Packaging::Command { .. }
            | Packaging::Zip {
                protocol: Protocol::Http
            }
    )
}

fn request(attempt: &Attempt, id: &str) -> Request {
    let mut request = Request::new(id, attempt.body.clone());
    request.content_type = Some(attempt.content_type.clone());
    request.traceparent.clone_from(&attempt.traceparent);
    request.idempotency_key.clone_from(&attempt.idempotency_key);
    request
}

/// Nothing of that name is deployed.
pub(crate) fn not_found(name: &Name) -> Error {
    Error::new(ErrorKind::NotFound, "find")
        .on(name)
        .from_provider(error::PROVIDER, None)
}

fn empty(record: &Record) -> Error {
    not_found(&record.name)
        .because("no version of it is live")
        .hint("deploy it first")
}

fn pinned<'a>(record: &'a Record, id: &VersionId) -> Result<&'a Release> {
    let there = || record.versions.iter().filter(|release| release.routed);
    there().find(|release| release.id == *id).ok_or_else(|| {
        let ids: Vec<&str> = there().map(|release| release.id.as_str()).collect();
        not_found(&record.name)
            .because(format_args!("it has no version {id}"))
            .hint(format_args!("its versions are {}", ids.join(", ")))
    })
}
