//! The kinds of failure, and the advice that follows from each.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Violations;

/// What kind of failure an error is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing of that name is there.
    NotFound,
    /// The name is taken by something that is not ours to change.
    AlreadyExists {
        /// Who manages it, as far as can be read.
        owner: String,
    },
    /// Something changed since it was read, or another change is under way.
    Conflict,
    /// What was asked breaks the rules; nothing was changed.
    InvalidSpec(Violations),
    /// Who the caller is could not be established.
    Unauthorized,
    /// The caller is known and may not do this.
    Forbidden,
    /// Too many requests; the provider did not do it.
    Throttled {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// A quota is used up; waiting does not help.
    QuotaExceeded,
    /// The payload is over a limit.
    PayloadTooLarge(Limit),
    /// Time ran out.
    Timeout(TimedOut),
    /// The function ran and failed.
    Function(FunctionFailure),
    /// A release could not start.
    RolloutFailed(RolloutFailure),
    /// Some steps are done and some are not.
    Incomplete {
        /// What is done, in words.
        done: Vec<String>,
        /// What is left, in words.
        left: Vec<String>,
    },
    /// The provider cannot answer now.
    Unavailable,
    /// The target cannot do this.
    Unsupported {
        /// The capability that is missing, such as `deploy.images`.
        capability: String,
        /// What to do instead.
        hint: String,
    },
    /// The caller gave up, or was told to stop.
    Cancelled,
}

impl ErrorKind {
    /// The kind's name, stable for machines.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists { .. } => "already_exists",
            Self::Conflict => "conflict",
            Self::InvalidSpec(_) => "invalid_spec",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Throttled { .. } => "throttled",
            Self::QuotaExceeded => "quota_exceeded",
            Self::PayloadTooLarge(_) => "payload_too_large",
            Self::Timeout(_) => "timeout",
            Self::Function(_) => "function",
            Self::RolloutFailed(_) => "rollout_failed",
            Self::Incomplete { .. } => "incomplete",
            Self::Unavailable => "unavailable",
            Self::Unsupported { .. } => "unsupported",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) const fn default_retry(&self) -> Retry {
        match self {
            Self::Throttled {
                retry_after: Some(wait),
            } => Retry::After(*wait),
            Self::Throttled { retry_after: None } | Self::Unavailable => Retry::Safe,
            _ => Retry::No,
        }
    }

    pub(super) fn default_hint(&self) -> Option<&str> {
        match self {
            Self::Conflict => Some("read the current state again and plan anew"),
            Self::Unsupported { hint, .. } => Some(hint),
            Self::Incomplete { .. } => Some("run the same command again to finish"),
            Self::Timeout(TimedOut::Caller) => Some("allow it more time"),
            _ => None,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::AlreadyExists { owner } => {
                write!(f, "it belongs to {owner}, and is left alone")
            }
            Self::Conflict => f.write_str("it changed in the meantime"),
            Self::InvalidSpec(violations) => write!(f, "invalid: {violations}"),
            Self::Unauthorized => f.write_str("the credentials were not accepted"),
            Self::Forbidden => f.write_str("not allowed"),
            Self::Throttled { retry_after: None } => f.write_str("too many requests"),
            Self::Throttled {
                retry_after: Some(wait),
            } => write!(f, "too many requests, asked to wait {wait:?}"),
            Self::QuotaExceeded => f.write_str("a quota is used up"),
            Self::PayloadTooLarge(limit) => write!(f, "too large: {limit}"),
            Self::Timeout(what) => write!(f, "{what}"),
            Self::Function(failure) => write!(f, "{failure}"),
            Self::RolloutFailed(failure) => write!(f, "{failure}"),
            Self::Incomplete { done, left } => write!(
                f,
                "stopped half-way: done: {}; left: {}",
                list(done),
                list(left)
            ),
            Self::Unavailable => f.write_str("unavailable"),
            Self::Unsupported { capability, .. } => write!(f, "{capability} is not supported here"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "nothing".to_owned()
    } else {
        items.join(", ")
    }
}

/// Whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// The same call will fail the same way.
    No,
    /// The call did nothing, or may be repeated; try again after a pause of your choice.
    Safe,
    /// Try again, not sooner than this.
    After(Duration),
    /// It was tried this many times already; do not retry a retry.
    GaveUp {
        /// Attempts made.
        attempts: u32,
    },
}

/// A size limit that was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What the limit is on, such as `request payload`.
    pub what: String,
    /// The limit in bytes.
    pub max: u64,
    /// What was asked, in bytes, where it is known; a stream is cut as soon as it passes the limit.
    pub actual: Option<u64>,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.actual {
            Some(actual) => write!(
                f,
                "the {} is {actual} bytes, the limit is {} bytes",
                self.what, self.max
            ),
            None => write!(
                f,
                "the {} passed the limit of {} bytes",
                self.what, self.max
            ),
        }
    }
}

/// Whose time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "whose")]
#[non_exhaustive]
pub enum TimedOut {
    /// The caller's own deadline passed.
    Caller,
    /// The function used up its time limit.
    Function {
        /// The limit.
        limit: Duration,
    },
    /// The provider's control plane did not finish in time.
    ControlPlane,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller => f.write_str("the caller's deadline passed"),
            Self::Function { limit } => {
                write!(f, "the function ran into its time limit of {limit:?}")
            }
            Self::ControlPlane => f.write_str("the provider did not finish in time"),
        }
    }
}

/// How a function failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionFailure {
    /// True when the handler returned an error, false when it crashed, exited or panicked.
    pub handled: bool,
    /// True when no instance got ready: the handler has not run.
    #[serde(default)]
    pub not_started: bool,
    /// The error's type, as the function or the platform names it.
    pub error_type: String,
    /// The error's message.
    pub message: String,
    /// The stack, one frame a line, where the function gave one.
    pub stack: Vec<String>,
    /// The last log lines before the failure.
    pub logs: Vec<String>,
}

impl FunctionFailure {
    /// A failure with a type and a message; no stack and no logs.
    #[must_use]
    pub fn new(handled: bool, error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            handled,
            error_type: error_type.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// Says that no instance got ready.
    #[must_use]
    pub const fn not_started(mut self) -> Self {
        self.not_started = true;
        self
    }

    /// Adds the last log lines.
    #[must_use]
    pub fn with_logs(mut self, logs: Vec<String>) -> Self {
        self.logs = logs;
        self
    }

    /// Adds the stack.
    #[must_use]
    pub fn with_stack(mut self, stack: Vec<String>) -> Self {
        self.stack = stack;
        self
    }
}

impl fmt::Display for FunctionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.handled {
            "returned an error"
        } else if self.not_started {
            "could not start"
        } else {
            "crashed"
        };
        write!(
            f,
            "the function {how}: {}",
            Reason(&self.error_type, &self.message)
        )
    }
}

/// Why a release could not start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RolloutFailure {
    /// The provider's reason, such as `ImagePullBackOff` or `Runtime.ExitError`.
    pub reason: String,
    /// The reason in words.
    pub message: String,
    /// The last log lines of the release that did not start.
    pub logs: Vec<String>,
    /// The version that keeps serving, where the platform kept one.
    pub still_serving: Option<String>,
}

impl RolloutFailure {
    /// A failure with the provider's reason and the same in words.
    #[must_use]
    pub fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// Adds the last log lines.
    #[must_use]
    pub fn with_logs(mut self, logs: Vec<String>) -> Self {
        self.logs = logs;
        self
    }

    /// Names the version that keeps serving.
    #[must_use]
    pub fn still_serving(mut self, version: Option<String>) -> Self {
        self.still_serving = version;
        self
    }
}

impl fmt::Display for RolloutFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the release did not start: {}",
            Reason(&self.reason, &self.message)
        )?;
        match &self.still_serving {
            Some(version) => write!(f, " (version {version} keeps serving)"),
            None => Ok(()),
        }
    }
}

/// A reason and the same in words, or the words alone where they name the reason.
struct Reason<'a>(&'a str, &'a str);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reason, words) = self;
        match (reason.is_empty(), words.is_empty()) {
            (_, true) => f.write_str(reason),
            (true, false) => f.write_str(words),
            (false, false) if words.contains(reason) => f.write_str(words),
            (false, false) => write!(f, "{reason}: {words}"),
        }
    }
}
