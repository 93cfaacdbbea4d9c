//! What owns everything that runs.

use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::bootstrap;
use crate::config::{self, Containment, EngineConfig, Interpreters};
use crate::error::{EngineError, StartFailureKind};
use crate::instance::Instance;
use crate::pool::{Pool, PoolInner};
use crate::process::cgroup::Groups;
use crate::process::guardian::Guardian;
use crate::process::interpreter::Finder;
use crate::process::spawner::Spawner;
use crate::process::watch::Watch;
use crate::spec::{Interpreter, Language, PoolSpec};

/// How often idle instances are looked for.
const UPKEEP: Duration = Duration::from_millis(200);

/// Ports handed to HTTP functions lie below those the kernel gives to outgoing connections.
const PORTS: std::ops::Range<u16> = 16_000..32_000;

/// Runs functions; the owner of every process it started.
///
/// Clones share one engine. When the last one is dropped, everything is killed at once;
/// [`Engine::shutdown`] does it gracefully and waits.
#[derive(Clone)]
pub struct Engine {
    owner: Arc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
    upkeep: JoinHandle<()>,
}

/// What pools and instances use of the engine.
pub(crate) struct Shared {
    /// A random name; every process of this engine carries it.
    pub(crate) mark: String,
    pub(crate) scratch: PathBuf,
    pub(crate) runtime_dir: PathBuf,
    pub(crate) path: String,
    pub(crate) spawner: Spawner,
    pub(crate) guardian: Arc<Guardian>,
    pub(crate) watch: Watch,
    /// The control groups, or why there are none.
    pub(crate) groups: Result<Groups, String>,
    pub(crate) runtime: Handle,
    interpreters: Interpreters,
    finder: Finder,
    numbers: AtomicU64,
    next_port: AtomicU16,
    closed: AtomicBool,
    pools: Mutex<Vec<Weak<PoolInner>>>,
    live: Mutex<HashMap<u64, Weak<Instance>>>,
}

impl Engine {
    /// Starts an engine on the current tokio runtime.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] on other systems than Linux; otherwise what could not be set up.
    ///
    /// # Panics
    /// When called outside a tokio runtime with its I/O and time drivers enabled.
    pub async fn start(config: EngineConfig) -> Result<Self, EngineError> {
        if !cfg!(target_os = "linux") {
            return Err(EngineError::Unsupported {
                os: std::env::consts::OS,
            });
        }
        let runtime = Handle::current();
        let seed = RandomState::new();
        let mark = format!("{:016x}", seed.hash_one(std::process::id()));
        let root = config.scratch_root.unwrap_or_else(std::env::temp_dir);
        let unusable = |source| EngineError::Scratch {
            path: root.clone(),
            source,
        };
        // Functions get the path they may not leave as an absolute one.
        let scratch = fs::canonicalize(&root)
            .map_err(unusable)?
            .join(format!("anyport-engine-{mark}"));
        let helper = |what| move |source| EngineError::Helper { what, source };
        // First of all, so that a death at any later moment leaves nothing.
        let guardian =
            Guardian::start(&mark, &scratch).map_err(helper("guardian process (/bin/sh)"))?;
        bootstrap::install(&scratch, &scratch.join("runtime")).map_err(unusable)?;
        let groups = match &config.groups {
            config::Groups::Own => Groups::within_own(&mark, &guardian),
            config::Groups::Within(parent) => Ok(Groups::within(parent, &mark, &guardian)?),
            config::Groups::Off => Err("they are turned off".to_owned()),
        };
        let span = u64::from(PORTS.end - PORTS.start);
        let offset = u16::try_from(seed.hash_one("port") % span).unwrap_or(0);
        let shared = Arc::new(Shared {
            runtime_dir: scratch.join("runtime"),
            scratch,
            path: config
                .path
                .or_else(|| std::env::var("PATH").ok())
                .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned()),
            spawner: Spawner::start(runtime.clone()).map_err(helper("spawner thread"))?,
            guardian: Arc::new(guardian),
            watch: Watch::start().map_err(helper("memory thread"))?,
            groups,
            interpreters: config.interpreters,
            finder: Finder::default(),
            numbers: AtomicU64::new(1),
            next_port: AtomicU16::new(PORTS.start + offset),
            closed: AtomicBool::new(false),
            pools: Mutex::default(),
            live: Mutex::default(),
            mark,
            runtime,
        });
        let upkeep = shared.runtime.spawn(upkeep(Arc::downgrade(&shared)));
        Ok(Self {
            owner: Arc::new(Owner { shared, upkeep }),
        })
    }

    /// Makes a pool; nothing is started yet.
    ///
    /// # Errors
    /// [`EngineError::Spec`] for settings that make no sense, [`EngineError::Shutdown`] after the end.
    pub fn pool(&self, spec: PoolSpec) -> Result<Pool, EngineError> {
        let shared = &self.owner.shared;
        if shared.closed.load(Ordering::Acquire) {
            return Err(EngineError::Shutdown);
        }
        let pool = Pool::new(Arc::clone(shared), spec)?;
        let mut pools = lock(&shared.pools);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(pool.downgrade());
        Ok(pool)
    }

    /// Finds an interpreter: `name` as given or on the functions' `PATH`, or the engine's own.
    ///
    /// # Errors
    /// [`StartFailureKind::MissingInterpreter`] where there is none, or it does not run.
    pub async fn interpreter(
        &self,
        language: Language,
        name: Option<&Path>,
    ) -> Result<Interpreter, StartFailureKind> {
        self.owner.shared.interpreter(language, name).await
    }

    /// How many process trees are running or ending, in all pools.
    #[must_use]
    pub fn live_instances(&self) -> usize {
        lock(&self.owner.shared.live).len()
    }

    /// By what instances are held together, on this machine and with these settings.
    #[must_use]
    pub fn containment(&self) -> Containment {
        match &self.owner.shared.groups {
            Ok(groups) => Containment::ControlGroups {
                path: groups.path().to_owned(),
                limits_memory: groups.limits_memory(),
            },
            Err(reason) => Containment::Watching {
                reason: reason.clone(),
            },
        }
    }

    /// The guardian's process number, for diagnostics.
    #[must_use]
    pub fn guardian_pid(&self) -> Option<u32> {
        self.owner.shared.guardian.pid()
    }

    /// Stops everything, gracefully, and waits until no process is left and the scratch directory is
    /// gone. Calls that wait for an instance fail with
    /// [`InvokeError::Shutdown`](crate::InvokeError::Shutdown).
    pub async fn shutdown(&self) {
        let shared = &self.owner.shared;
        shared.closed.store(true, Ordering::Release);
        let pools: Vec<_> = lock(&shared.pools)
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        let closing: Vec<_> = pools
            .into_iter()
            .map(|pool| tokio::spawn(async move { pool.close().await }))
            .collect();
        for task in closing {
            let _ = task.await;
        }
        for instance in shared.instances() {
            instance.discard();
            instance.ended().await;
        }
        if let Some(mut guardian) = shared.guardian.close() {
            let waited = tokio::task::spawn_blocking(move || guardian.wait());
            let _ = waited.await;
        }
        // The supervisors' own clean-up may have run beside the guardian's.
        let _ = fs::remove_dir_all(&shared.scratch);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.upkeep.abort();
        self.shared.closed.store(true, Ordering::Release);
        let pools: Vec<_> = lock(&self.shared.pools)
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        pools.iter().for_each(|pool| pool.close_now());
        self.shared
            .instances()
            .iter()
            .for_each(|instance| instance.discard());
        // Closing the pipe makes the guardian sweep; a thread collects it so that no zombie stays.
        if let Some(mut guardian) = self.shared.guardian.close() {
            std::thread::spawn(move || guardian.wait());
        }
    }
}

impl Shared {
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Puts an instance under the engine's care; false when the engine is shut down.
    pub(crate) fn remember(&self, instance: &Arc<Instance>) -> bool {
        lock(&self.live).insert(instance.number, Arc::downgrade(instance));
        !self.is_closed()
    }

    pub(crate) fn forget(&self, number: u64) {
        lock(&self.live).remove(&number);
    }

    fn instances(&self) -> Vec<Arc<Instance>> {
        lock(&self.live)
            .values()
            .filter_map(Weak::upgrade)
            .collect()
    }

    pub(crate) async fn interpreter(
        &self,
        language: Language,
        name: Option<&Path>,
    ) -> Result<Interpreter, StartFailureKind> {
        let name = name.unwrap_or(match language {
            Language::Python => &self.interpreters.python,
            Language::Node => &self.interpreters.node,
        });
        self.finder.find(name, language, &self.path).await
    }

    /// A port nobody listens on now, different from those handed out recently.
    pub(crate) fn free_port(&self) -> io::Result<u16> {
        let mut last = None;
        for _ in 0..512 {
            let at = self.next_port.fetch_add(1, Ordering::Relaxed);
            let port = PORTS.start + at % (PORTS.end - PORTS.start);
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(_free) => return Ok(port),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrInUse)))
    }
}

/// Looks after pools and the guardian until the engine is gone.
async fn upkeep(shared: Weak<Shared>) {
    let mut tick = tokio::time::interval(UPKEEP);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let pools: Vec<_> = lock(&shared.pools)
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        pools.iter().for_each(|pool| pool.tick());
        // A guardian that can't be replaced now is tried again at the next tick.
        let _ = shared.guardian.check();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
