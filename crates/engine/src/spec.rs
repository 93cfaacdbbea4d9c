//! What a pool is: one immutable version of one function.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::logs::LogSink;
use crate::observer::Observer;

/// How the process of a function is started and spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Launch {
    /// The executable `bootstrap` at the root of the code directory, over the Lambda Runtime API.
    Bootstrap,
    /// A Python handler, `module.function` or `dir/module.function`, over the Runtime API through a
    /// small built-in client.
    Python {
        /// The handler's name.
        handler: String,
    },
    /// A Node handler, `module.export` or `dir/module.export`, likewise.
    Node {
        /// The handler's name.
        handler: String,
    },
    /// A command that listens on `PORT` and is spoken to over HTTP. A name with a slash, or one
    /// that exists at the root of the code directory, is taken from there; others from the `PATH`.
    Http {
        /// Program and arguments; no shell is involved.
        command: Vec<String>,
    },
    /// The executable `bootstrap`, listening on `PORT`.
    HttpBootstrap,
}

/// A language whose bundles an interpreter runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript, by Node.js.
    Node,
}

/// An interpreter that was found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interpreter {
    /// The program itself, not a shim of a version manager.
    pub program: PathBuf,
    /// Its version as Lambda names it: `3.12` for Python, `20` for Node.
    pub version: String,
}

impl Launch {
    pub(crate) fn is_http(&self) -> bool {
        matches!(self, Self::Http { .. } | Self::HttpBootstrap)
    }

    pub(crate) fn handler(&self) -> &str {
        match self {
            Self::Python { handler } | Self::Node { handler } => handler,
            Self::Bootstrap | Self::Http { .. } | Self::HttpBootstrap => "bootstrap",
        }
    }
}

/// What happens to a call when every instance is busy and no more may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overload {
    /// It fails at once with [`InvokeError::Overloaded`](crate::InvokeError::Overloaded).
    Reject,
    /// It waits for its turn, first come, first served, at most until its deadline.
    Queue {
        /// Calls that may wait beyond those that can be served; more are rejected.
        limit: usize,
    },
}

/// One immutable version of one function, and how it is run.
///
/// Made with [`PoolSpec::new`]; fields are set directly.
#[derive(Clone)]
#[non_exhaustive]
pub struct PoolSpec {
    /// The function's name, as it sees it.
    pub function: String,
    /// The version's name, as the function sees it.
    pub version: String,
    /// The unpacked artifact, shared by all instances. The engine never writes to it.
    pub code_dir: PathBuf,
    /// How the process is started and spoken to.
    pub launch: Launch,
    /// The function's own variables. Names the engine reserves (`AWS_LAMBDA_*`, `ANYPORT_*`, `PORT`,
    /// `TMPDIR`, `HOME`, ...) are overridden.
    pub env: BTreeMap<String, String>,
    /// Variables of the platform, set after everything else (region, credentials of an emulator, ...).
    pub platform_env: BTreeMap<String, String>,
    /// Memory limit in MiB for the whole process tree.
    pub memory_mb: u32,
    /// Time limit of one call, from its hand-over to the function.
    pub timeout: Duration,
    /// Time limit for getting ready. Default: 10 s.
    pub init_timeout: Duration,
    /// Most instances at a time. Default: 10. An instance that is being stopped, or serves its last
    /// call because another one passed its time limit, does not count.
    pub max_instances: usize,
    /// Instances that idle scale-down leaves. Default: 0. They are started by
    /// [`Pool::warm`](crate::Pool::warm), not by themselves.
    pub min_instances: usize,
    /// Calls one instance serves at a time. The Runtime API serves one; this is for HTTP.
    pub per_instance_concurrency: usize,
    /// An instance idle for this long is stopped. Default: 5 minutes.
    pub idle_after: Duration,
    /// How long a stopped instance has between `SIGTERM` and `SIGKILL`. Default: 500 ms.
    pub stop_grace: Duration,
    /// What happens above `max_instances`.
    pub overload: Overload,
    /// Whether payloads may be anything, each with its content type. When false only the payload is
    /// handed over, as Lambda does: JSON, without a content type.
    ///
    /// A function that does not know of this (a Python or Node handler) gets a JSON payload decoded
    /// and any other payload as bytes (`bytes`, `Buffer`).
    pub media_any: bool,
    /// What the function sees as its own ARN, unless a request says otherwise.
    pub invoked_arn: String,
    /// Limit for a buffered reply in bytes. Default: 6,291,556, Lambda's.
    pub max_response_bytes: u64,
    /// Limit for a streamed reply in bytes. Default: 200 MiB.
    pub max_stream_bytes: u64,
    /// Name or path of the interpreter of a language bundle. Default: the engine's.
    pub interpreter: Option<PathBuf>,
    /// Where log lines go. Default: nowhere; the engine's short tail is kept either way.
    pub logs: Arc<dyn LogSink>,
    /// Who is told what happens to instances. Default: nobody.
    pub observer: Arc<dyn Observer>,
}

impl PoolSpec {
    /// A version with default limits: 128 MiB, 3 s, 10 instances, calls above that rejected.
    pub fn new(
        function: impl Into<String>,
        version: impl Into<String>,
        code_dir: impl Into<PathBuf>,
        launch: Launch,
    ) -> Self {
        let function = function.into();
        let invoked_arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{function}");
        Self {
            function,
            version: version.into(),
            code_dir: code_dir.into(),
            launch,
            env: BTreeMap::new(),
            platform_env: BTreeMap::new(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            max_instances: 10,
            min_instances: 0,
            per_instance_concurrency: 1,
            idle_after: Duration::from_secs(300),
            stop_grace: Duration::from_millis(500),
            overload: Overload::Reject,
            media_any: false,
            invoked_arn,
            max_response_bytes: 6_291_556,
            max_stream_bytes: 200 << 20,
            interpreter: None,
            logs: Arc::new(()),
            observer: Arc::new(()),
        }
    }

    /// Calls one instance may serve at once, given how it is spoken to.
    pub(crate) fn slots(&self) -> usize {
        if self.launch.is_http() {
            self.per_instance_concurrency.max(1)
        } else {
            1
        }
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mb) << 20
    }
}

impl fmt::Debug for PoolSpec {
    /// Shows everything but the values of variables, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolSpec")
            .field("function", &self.function)
            .field("version", &self.version)
            .field("code_dir", &self.code_dir)
            .field("launch", &self.launch)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("memory_mb", &self.memory_mb)
            .field("timeout", &self.timeout)
            .field("max_instances", &self.max_instances)
            .field("per_instance_concurrency", &self.per_instance_concurrency)
            .field("overload", &self.overload)
            .field("media_any", &self.media_any)
            .finish_non_exhaustive()
    }
}

/// What a pool is doing at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Instances that are up.
    pub instances: usize,
    /// Instances that serve no call.
    pub idle: usize,
    /// Instances that are being started.
    pub starting: usize,
    /// Calls being served.
    pub in_flight: usize,
    /// Calls waiting for an instance.
    pub waiting: usize,
}
