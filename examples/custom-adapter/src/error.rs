//! One table: what the platform fails with, as the contract's kinds.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyport_core::error::{FunctionFailure, Limit, Retry, RolloutFailure, TimedOut};
use anyport_core::spec::Name;
use anyport_core::{Error, ErrorKind};

use crate::protocol::{Failure, MAX_BODY};

/// A failure of the file system.
pub fn io<'a>(operation: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| {
        let kind = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::QuotaExceeded,
            io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, operation)
            .on(path.display())
            .with_retry(Retry::No)
            .with_source(source)
    }
}

/// A record that is damaged or was written by something newer. It is left alone.
pub fn unreadable(path: &Path, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unavailable, "read the record of")
        .on(path.display())
        .because("it is damaged, or of a newer format")
        .hint("update this adapter, or remove the directory")
        .with_retry(Retry::No)
        .with_source(source)
}

/// A daemon that could not be reached, or that broke a connection off.
///
/// Before the greeting nothing has happened, so the call is safe to repeat: most likely the daemon
/// was just replaced, and the record already names the next one.
#[must_use]
pub fn connection(name: &Name, greeted: bool, source: io::Error) -> Error {
    let error = Error::new(ErrorKind::Unavailable, "call")
        .on(name)
        .with_source(source);
    if greeted {
        error
            .because("the daemon broke the connection off")
            .may_have_run(true)
    } else {
        error
            .because("its daemon does not answer")
            .hint("deploy it again to start the daemon")
    }
}

/// Nothing of that name. `Target` adds the nearest name that there is.
#[must_use]
pub fn not_found(operation: &'static str, name: &Name) -> Error {
    Error::new(ErrorKind::NotFound, operation).on(name)
}

/// What the platform cannot do.
#[must_use]
pub fn unsupported(operation: &'static str, name: impl fmt::Display, hint: &str) -> Error {
    let capability = operation.to_owned();
    let hint = hint.to_owned();
    Error::new(ErrorKind::Unsupported { capability, hint }, operation).on(name)
}

/// What a daemon said about a call.
#[must_use]
pub fn call_failed(name: &Name, request_id: &str, failure: Failure) -> Error {
    let (kind, may_have_run) = match failure {
        Failure::Function {
            handled,
            error_type,
            message,
            stack,
            logs,
        } => {
            let failure = FunctionFailure::new(handled, error_type, message)
                .with_stack(stack)
                .with_logs(logs);
            (ErrorKind::Function(failure), true)
        }
        Failure::TimedOut { limit_ms } => {
            let limit = Duration::from_millis(limit_ms);
            (ErrorKind::Timeout(TimedOut::Function { limit }), true)
        }
        Failure::Busy => (ErrorKind::Throttled { retry_after: None }, false),
        Failure::TooLarge => (
            ErrorKind::PayloadTooLarge(Limit {
                what: "reply".to_owned(),
                max: MAX_BODY.into(),
                actual: None,
            }),
            true,
        ),
        // It started when it was deployed, so this is the function's own crash on the way up.
        Failure::NotStarted {
            reason,
            message,
            logs,
        } => {
            let failure = FunctionFailure::new(false, reason, message).with_logs(logs);
            (ErrorKind::Function(failure), false)
        }
        Failure::Ended { may_have_run } => (ErrorKind::Unavailable, may_have_run),
    };
    Error::new(kind, "call")
        .on(name)
        .with_request_id(request_id)
        .may_have_run(may_have_run)
}

/// What a daemon said when it did not start. `serving` is the release that keeps serving.
#[must_use]
pub fn start_failed(name: &Name, failure: Failure, serving: Option<String>) -> Error {
    let failure = match failure {
        Failure::NotStarted {
            reason,
            message,
            logs,
        } => RolloutFailure::new(reason, message).with_logs(logs),
        _ => RolloutFailure::new("daemon", "the daemon ended before it was ready"),
    };
    Error::new(
        ErrorKind::RolloutFailed(failure.still_serving(serving)),
        "deploy",
    )
    .on(name)
}
