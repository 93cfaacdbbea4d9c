//! What every test needs: an engine, code directories, and a view of processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyport_engine::{
    Containment, Engine, EngineConfig, FunctionError, InvokeError, Launch, LogRing, Pool, PoolSpec,
    Request, Response,
};
use serde_json::Value;
use tempfile::TempDir;

/// An engine in a directory of its own, with one code directory.
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) dir: TempDir,
    pub(crate) logs: Arc<LogRing>,
}

/// Waiting for something that surely comes, on a machine however slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl Stage {
    /// With an empty code directory.
    pub(crate) async fn empty() -> Self {
        Self::over(EngineConfig::default()).await
    }

    /// With the stage function as `bootstrap`, and an engine of these settings.
    pub(crate) async fn configured(config: EngineConfig) -> Self {
        let stage = Self::over(config).await;
        install(&stage.code());
        stage
    }

    async fn over(config: EngineConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("code")).unwrap();
        fs::create_dir(dir.path().join("scratch")).unwrap();
        let config = config.scratch_root(dir.path().join("scratch"));
        let engine = Engine::start(config).await.unwrap();
        let logs = Arc::new(LogRing::new(1 << 20));
        Self { engine, dir, logs }
    }

    /// With the stage function as `bootstrap`.
    pub(crate) async fn new() -> Self {
        let stage = Self::empty().await;
        install(&stage.code());
        stage
    }

    pub(crate) fn code(&self) -> PathBuf {
        self.dir.path().join("code")
    }

    /// Writes a file of the artifact.
    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.code().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The engine's control group, if it has one.
    pub(crate) fn group(&self) -> Option<PathBuf> {
        match self.engine.containment() {
            Containment::ControlGroups { path, .. } => Some(path),
            _ => None,
        }
    }

    /// A spec with limits that a slow machine does not meet by accident, and one instance.
    pub(crate) fn spec(&self, launch: Launch) -> PoolSpec {
        let mut spec = PoolSpec::new("staged", "7", self.code(), launch);
        spec.timeout = PATIENCE;
        spec.init_timeout = PATIENCE;
        spec.memory_mb = 256;
        spec.max_instances = 1;
        spec.logs = self.logs.clone();
        spec
    }

    pub(crate) fn pool(&self, launch: Launch) -> Pool {
        self.engine.pool(self.spec(launch)).unwrap()
    }

    pub(crate) fn pool_with(&self, launch: Launch, change: impl FnOnce(&mut PoolSpec)) -> Pool {
        let mut spec = self.spec(launch);
        change(&mut spec);
        self.engine.pool(spec).unwrap()
    }

    /// The lines of the log that hold `text`.
    pub(crate) fn lines(&self, text: &str) -> Vec<anyport_engine::LogLine> {
        let mut lines = self.logs.lines();
        lines.retain(|line| line.text.contains(text));
        lines
    }

    /// Ends the engine and checks that nothing of it is left.
    pub(crate) async fn end(self) {
        self.engine.shutdown().await;
        assert_eq!(self.engine.live_instances(), 0);
        let left: Vec<_> = fs::read_dir(self.dir.path().join("scratch"))
            .unwrap()
            .collect();
        assert!(left.is_empty(), "scratch directories are left: {left:?}");
        if let Some(group) = self.group() {
            assert!(!group.exists(), "its control group is left");
        }
    }
}

/// The stage function's program.
pub(crate) fn stage_binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples/stage");
    assert!(
        binary.is_file(),
        "{} is missing: run `cargo test -p anyport-engine`, which builds it",
        binary.display()
    );
    binary
}

/// Makes the stage function the `bootstrap` of a code directory.
pub(crate) fn install(code: &Path) {
    // A link would show the same inode as busy when the example is rebuilt while a test runs.
    fs::copy(stage_binary(), code.join("bootstrap")).unwrap();
}

/// A request with a fresh id.
pub(crate) fn request(payload: &str) -> Request {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("req-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Request::json(id, payload.to_owned())
}

pub(crate) async fn json(response: Response) -> Value {
    let body = response.body.collect(64 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

pub(crate) async fn call(pool: &Pool, payload: &str) -> Value {
    json(pool.invoke(request(payload)).await.unwrap()).await
}

pub(crate) fn function_error(error: InvokeError) -> FunctionError {
    match error {
        InvokeError::Function(error) => *error,
        other => panic!("expected the function's own error, got {other:?}"),
    }
}

/// Whether a process runs (one that has ended and was not collected does not).
pub(crate) fn runs(pid: u64) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
}

/// Waits until `done`, which surely comes.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "did not come: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a program the test needs is there. Where it is not, the test says so and is not run, unless
/// `ANYPORT_REQUIRE` (names with commas) insists.
pub(crate) fn have(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        let required = std::env::var("ANYPORT_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name == program),
            "{program} is required and missing"
        );
        println!("not run: no {program}");
    }
    found
}
