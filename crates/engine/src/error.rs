//! What can go wrong, told apart by what the caller can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

/// The engine itself could not start, or a pool could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Functions run on Linux only.
    #[error(
        "functions can't be run on {os}: the engine needs Linux; use a Linux machine or a container"
    )]
    Unsupported {
        /// This operating system.
        os: &'static str,
    },
    /// The scratch directory can't be used.
    #[error("the scratch directory {} can't be set up; name a writable one", path.display())]
    Scratch {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A helper of the engine (a thread, or the guardian process) did not start.
    #[error("the engine's {what} did not start")]
    Helper {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The control group handed to the engine can't be used.
    #[error("the control group {} can't be used: {reason}; delegate it to this user with the memory controller, or leave it out", path.display())]
    Cgroup {
        /// The group's directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A pool's settings make no sense.
    #[error("the settings of function {function} are not usable: {reason}")]
    Spec {
        /// The function.
        function: String,
        /// Which setting, and what it must be.
        reason: String,
    },
    /// The engine was shut down.
    #[error("the engine is shut down; start a new one")]
    Shutdown,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// Its status is not known.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(6) => f.write_str("signal 6 (abort)"),
            Self::Signal(9) => f.write_str("signal 9 (killed)"),
            Self::Signal(11) => f.write_str("signal 11 (segmentation fault)"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown status"),
        }
    }
}

/// An instance did not get ready.
#[derive(Debug, Clone, thiserror::Error)]
#[error("version {version} of function {function} can't start: {kind}")]
#[non_exhaustive]
pub struct StartFailure {
    /// The function.
    pub function: String,
    /// The version.
    pub version: String,
    /// What happened.
    pub kind: StartFailureKind,
    /// The last lines the process wrote.
    pub log_tail: Vec<String>,
    /// Set when the version failed several times in a row: it is not started again before this
    /// much time has passed, and this failure is the last one, repeated.
    pub retry_in: Option<Duration>,
}

/// Why an instance did not get ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartFailureKind {
    /// The file to run does not exist.
    #[error("{} does not exist; the artifact must contain it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file to run can't be executed.
    #[error("{} can't be executed: {reason}", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The program is for another processor or operating system.
    #[error("{} is built for {found}, this machine is {host}; build it for {host}", path.display())]
    WrongArchitecture {
        /// The file.
        path: PathBuf,
        /// What it is built for.
        found: String,
        /// What this machine runs.
        host: &'static str,
    },
    /// The interpreter of the program is not installed.
    #[error("the interpreter {name} was not found ({searched}); install it or name another one")]
    MissingInterpreter {
        /// The interpreter.
        name: String,
        /// Where it was looked for, or who asks for it.
        searched: String,
    },
    /// The process ended before it was ready.
    #[error("the process ended with {exit} before it was ready")]
    Crash {
        /// How.
        exit: Exit,
    },
    /// The function reported that its initialisation failed.
    #[error("its initialisation failed with {error_type}: {message}")]
    InitError {
        /// The error's type, for example `Runtime.ImportModuleError`.
        error_type: String,
        /// The error's message.
        message: String,
        /// The whole report, as JSON.
        payload: Bytes,
    },
    /// It was not ready in time.
    #[error("it was not ready after {limit:?}")]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// It went over its memory limit before it was ready.
    #[error("it used more than {limit_mb} MiB of memory before it was ready")]
    OutOfMemory {
        /// The limit in MiB.
        limit_mb: u32,
    },
    /// The machine could not start a process: no descriptors, processes, ports or disk left.
    #[error("this machine could not start a process: {reason}")]
    Machine {
        /// What the operating system said.
        reason: String,
    },
    /// The pool was closed meanwhile.
    #[error("its pool was closed")]
    Closed,
}

impl StartFailureKind {
    /// Whether the artifact itself is at fault, so that trying again can't help.
    #[must_use]
    pub fn is_bad_artifact(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::NotExecutable { .. }
                | Self::WrongArchitecture { .. }
                | Self::MissingInterpreter { .. }
        )
    }
}

/// A function answered with an error, or went down while it was called.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FunctionError {
    /// True for an error the function reported and lives on; false for a crash, an exit or a panic.
    pub handled: bool,
    /// The error's type, for example `ValueError` or `Runtime.ExitError`.
    pub error_type: String,
    /// The error's message.
    pub message: String,
    /// The error as the function sent it, JSON for the Runtime API (with its stack trace).
    pub payload: Bytes,
    /// The media type of `payload`, if it was named.
    pub content_type: Option<String>,
    /// The HTTP status, for functions spoken to over HTTP.
    pub status: Option<u16>,
    /// How the process ended, where that is the error.
    pub exit: Option<Exit>,
    /// The last lines the function wrote during the call.
    pub log_tail: Vec<String>,
}

/// A call did not get an answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The function failed.
    #[error("the function failed with {}: {}", .0.error_type, .0.message)]
    Function(Box<FunctionError>),
    /// The function did not answer in time and was stopped.
    #[error(
        "the function did not answer within {limit:?} and was stopped; raise its timeout or do less per call"
    )]
    Timeout {
        /// The limit.
        limit: Duration,
        /// The last lines the function wrote during the call.
        log_tail: Vec<String>,
    },
    /// The function went over its memory limit and was stopped.
    #[error(
        "the function used more than {limit_mb} MiB of memory and was stopped; raise its memory"
    )]
    OutOfMemory {
        /// The limit in MiB.
        limit_mb: u32,
        /// The last lines the function wrote during the call.
        log_tail: Vec<String>,
    },
    /// All instances are busy.
    #[error("all {max_instances} instances are busy; try again later or allow more")]
    Overloaded {
        /// Most instances at a time.
        max_instances: usize,
    },
    /// No instance could be started. The function has not run.
    #[error("no instance could be started")]
    StartFailed(#[source] Box<StartFailure>),
    /// The answer is too large.
    #[error(
        "the function's answer is larger than {limit} bytes; answer with a reference to the data instead"
    )]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The request can't be put on the wire.
    #[error("the request's {field} can't be sent: {reason}")]
    Request {
        /// The part that is wrong.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The pool or the engine was shut down.
    #[error("the function's pool was shut down")]
    Shutdown {
        /// Whether the call had been handed to the function by then.
        may_have_run: bool,
    },
}

impl InvokeError {
    /// Whether the function's code may have run for this call.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        match self {
            Self::Function(_)
            | Self::Timeout { .. }
            | Self::OutOfMemory { .. }
            | Self::TooLarge { .. } => true,
            Self::Shutdown { may_have_run } => *may_have_run,
            Self::Overloaded { .. } | Self::StartFailed(_) | Self::Request { .. } => false,
        }
    }
}
