//! One table from what the system, the engine and the packager say to the contract's kinds.

use std::io;
use std::path::Path;

use anyport_core::error::{FunctionFailure, Limit, Retry, RolloutFailure, TimedOut, Violation};
use anyport_core::{Error, ErrorKind};
use anyport_engine::{EngineError, FunctionError, InvokeError, StartFailure, StartFailureKind};

use crate::store::Unusable;

/// How this adapter names itself on errors.
pub(crate) const PROVIDER: &str = "local";

/// An error of the file system: what was tried, and on which path.
pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| {
        use io::ErrorKind as Io;
        let (kind, hint) = match source.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => {
                (ErrorKind::QuotaExceeded, "make room on the disk")
            }
            Io::PermissionDenied | Io::ReadOnlyFilesystem => (
                ErrorKind::Forbidden,
                "give this user write access to the state folder, or use another one",
            ),
            _ => (
                ErrorKind::Unavailable,
                "check the disk and the state folder",
            ),
        };
        let code = source.raw_os_error().map(|code| format!("os error {code}"));
        Error::new(kind, operation)
            .because(format_args!("{path}: {}", source.kind()))
            .hint(hint)
            .with_retry(Retry::No)
            .from_provider(PROVIDER, code)
    }
}

/// The engine could not be set up, or did not take a function's settings.
pub(crate) fn engine(error: EngineError) -> Error {
    let kind = match &error {
        EngineError::Unsupported { .. } => ErrorKind::Unsupported {
            capability: "invoke".to_owned(),
            hint: "use a Linux machine or a container".to_owned(),
        },
        EngineError::Spec { reason, .. } => {
            ErrorKind::InvalidSpec(vec![Violation::new("function", reason.clone())].into())
        }
        _ => ErrorKind::Unavailable,
    };
    let error = match kind {
        ErrorKind::InvalidSpec(_) => Error::new(kind, "run"),
        kind => Error::new(kind, "run").because(&error),
    };
    error.with_retry(Retry::No).from_provider(PROVIDER, None)
}

/// An artifact could not be unpacked.
pub(crate) fn package(error: anyport_package::Error) -> Error {
    use anyport_package::Error as Package;
    const OPERATION: &str = "unpack the artifact of";
    match error {
        Package::Io { path, source, .. } => io(OPERATION, &path)(source),
        Package::Refused { ref refusals, .. } => {
            let violations = refusals
                .as_slice()
                .iter()
                .map(|refusal| Violation::new("artifact", refusal.to_string()))
                .collect();
            Error::new(ErrorKind::InvalidSpec(violations), OPERATION)
                .hint("pack the artifact again")
        }
        other => Error::new(ErrorKind::Unavailable, OPERATION)
            .because(&other)
            .with_retry(Retry::No),
    }
}

/// A call did not get an answer.
pub(crate) fn invoke(error: InvokeError) -> Error {
    let may_have_run = error.may_have_run();
    let (kind, code) = match error {
        InvokeError::Function(ref failure) => {
            (ErrorKind::Function(function(failure)), "FunctionError")
        }
        InvokeError::Timeout { limit, .. } => {
            (ErrorKind::Timeout(TimedOut::Function { limit }), "Timeout")
        }
        InvokeError::OutOfMemory { ref log_tail, .. } => (
            ErrorKind::Function(
                FunctionFailure::new(false, "Runtime.OutOfMemory", error.to_string())
                    .with_logs(log_tail.clone()),
            ),
            "OutOfMemory",
        ),
        InvokeError::Overloaded { .. } => {
            (ErrorKind::Throttled { retry_after: None }, "Overloaded")
        }
        InvokeError::StartFailed(failure) => return start(&failure),
        InvokeError::TooLarge { limit } => (
            ErrorKind::PayloadTooLarge(Limit {
                what: "reply".to_owned(),
                max: limit,
                actual: None,
            }),
            "ReplyTooLarge",
        ),
        InvokeError::Request { field, ref reason } => (
            ErrorKind::InvalidSpec(vec![Violation::new(field, reason.clone())].into()),
            "InvalidRequest",
        ),
        _ => (ErrorKind::Unavailable, "Shutdown"),
    };
    Error::new(kind, "invoke")
        .may_have_run(may_have_run)
        .from_provider(PROVIDER, Some(code.to_owned()))
}

fn function(failure: &FunctionError) -> FunctionFailure {
    FunctionFailure::new(
        failure.handled,
        failure.error_type.clone(),
        failure.message.clone(),
    )
    .with_stack(stack(&failure.payload))
    .with_logs(failure.log_tail.clone())
}

/// The stack of an error report: `stackTrace` or `trace`, a list of lines.
fn stack(payload: &[u8]) -> Vec<String> {
    let Ok(report) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return Vec::new();
    };
    let frames = report.get("stackTrace").or_else(|| report.get("trace"));
    let frames = frames.and_then(serde_json::Value::as_array);
    let text = |frame: &serde_json::Value| match frame {
        serde_json::Value::String(line) => line.clone(),
        other => other.to_string(),
    };
    frames.map_or_else(Vec::new, |frames| frames.iter().map(text).collect())
}

/// No instance could be started for a call. The handler has not run.
fn start(failure: &StartFailure) -> Error {
    let error = match &failure.kind {
        kind @ (StartFailureKind::Machine { .. } | StartFailureKind::Closed) => {
            Error::new(ErrorKind::Unavailable, "invoke").because(kind)
        }
        kind => {
            let failure = FunctionFailure::new(false, reason(kind), kind.to_string())
                .with_logs(failure.log_tail.clone())
                .not_started();
            Error::new(ErrorKind::Function(failure), "invoke").hint(CORRECT)
        }
    };
    error.from_provider(PROVIDER, Some("StartFailed".to_owned()))
}

/// What to do about code that does not start.
const CORRECT: &str = "read the log lines, correct the function and deploy it again";

/// A version's secret cannot be used: nothing of it can be started.
pub(crate) fn secret(unusable: Unusable) -> Error {
    let failure = FunctionFailure::new(false, SECRET, unusable.why).not_started();
    Error::new(ErrorKind::Function(failure), "invoke")
        .hint(unusable.next)
        .from_provider(PROVIDER, Some(SECRET.to_owned()))
}

/// The code for secrets that cannot be used.
const SECRET: &str = "Secret.Unusable";

/// What kept an instance from starting, as the failure of a release; other errors as they are.
pub(crate) fn unstartable(error: Error, still_serving: Option<String>) -> Error {
    let ErrorKind::Function(failure) = error.kind() else {
        return error;
    };
    let code = failure.error_type.clone();
    let rollout = RolloutFailure::new(code.clone(), failure.message.clone())
        .with_logs(failure.logs.clone())
        .still_serving(still_serving);
    Error::new(ErrorKind::RolloutFailed(rollout), "deploy")
        .hint(error.next_step().unwrap_or(CORRECT))
        .from_provider(PROVIDER, Some(code))
}

/// A release did not start.
pub(crate) fn rollout(failure: &StartFailure, still_serving: Option<String>) -> Error {
    let rollout = RolloutFailure::new(reason(&failure.kind), failure.kind.to_string())
        .with_logs(failure.log_tail.clone())
        .still_serving(still_serving);
    Error::new(ErrorKind::RolloutFailed(rollout), "deploy")
        .hint(CORRECT)
        .from_provider(PROVIDER, Some(reason(&failure.kind)))
}

/// A stable word for why an instance did not get ready.
fn reason(kind: &StartFailureKind) -> String {
    match kind {
        StartFailureKind::Missing { .. } => "Artifact.Missing",
        StartFailureKind::NotExecutable { .. } => "Artifact.NotExecutable",
        StartFailureKind::WrongArchitecture { .. } => "Artifact.WrongArchitecture",
        StartFailureKind::MissingInterpreter { .. } => "Runtime.MissingInterpreter",
        StartFailureKind::Crash { .. } => "Runtime.ExitError",
        StartFailureKind::InitError { error_type, .. } => error_type,
        StartFailureKind::Timeout { .. } => "Runtime.StartTimeout",
        StartFailureKind::OutOfMemory { .. } => "Runtime.OutOfMemory",
        StartFailureKind::Machine { .. } => "Machine.Exhausted",
        _ => "Runtime.Unavailable",
    }
    .to_owned()
}
