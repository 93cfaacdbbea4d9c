//! What a function's failure looks like to its caller.
//!
//! Source of the shapes: answers recorded from the real Lambda. Every error is `Unhandled` there, also
//! those that the function reported itself.

use anyport_engine::{Exit, InvokeError, StartFailure, StartFailureKind};
use bytes::Bytes;
use serde_json::Value;

use crate::answer::ApiError;
use crate::call::Service;
use crate::services::lambda::run::Status;
use crate::services::lambda::version::VersionConfig;

/// A failed call: the body that the caller gets, and what is reported.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// JSON.
    pub(crate) payload: Bytes,
    /// For the report.
    pub(crate) status: Status,
}

/// What a call that failed comes to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The function's failure, which is an answer.
    Failed(Failure),
    /// The service's: nothing of the function's doing.
    Service(ApiError),
    /// What runs was exchanged: it was not called, and may be called anew.
    Again,
}

/// Reads an engine's error.
pub(super) fn read(config: &VersionConfig, request: &str, error: &InvokeError) -> Verdict {
    let failed = |kind: &str, message: String| {
        let text = format!("RequestId: {request} Error: {message}");
        Verdict::Failed(platform(kind, &text))
    };
    match error {
        InvokeError::Function(function) => match function.exit {
            Some(exit) => failed("Runtime.ExitError", exited(exit)),
            None => Verdict::Failed(Failure {
                payload: function.payload.clone(),
                status: Status::Answered,
            }),
        },
        InvokeError::Timeout { .. } => timed_out(config, request),
        InvokeError::OutOfMemory { .. } => out_of_memory(request),
        InvokeError::TooLarge { limit } => {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({limit} bytes)."
            );
            let kind = "Function.ResponseSizeTooLarge";
            let body = [("errorMessage", message.as_str()), ("errorType", kind)];
            Verdict::Failed(Failure {
                payload: object(&body),
                status: Status::Answered,
            })
        }
        InvokeError::StartFailed(failure) => not_started(config, request, failure),
        InvokeError::Shutdown {
            may_have_run: false,
        } => Verdict::Again,
        InvokeError::Overloaded { .. } => Verdict::Service(
            crate::services::lambda::run::throttled(crate::services::lambda::run::Full::Account),
        ),
        InvokeError::Request { field, reason } => Verdict::Service(
            ApiError::new(
                "InvalidRequestContentException",
                format!("The request's {field} can't be passed on: {reason}"),
            )
            .with("Type", "User"),
        ),
        other => Verdict::Service(ApiError::internal(Service::Lambda, other)),
    }
}

fn timed_out(config: &VersionConfig, request: &str) -> Verdict {
    let text = format!(
        "RequestId: {request} Error: Task timed out after {:.2} seconds",
        config.settings.time_limit().as_secs_f64()
    );
    let body = [("errorType", "Sandbox.Timedout"), ("errorMessage", &text)];
    Verdict::Failed(Failure {
        payload: object(&body),
        status: Status::TimedOut,
    })
}

/// *Guessed*: the error's type; the message is the one that users show.
fn out_of_memory(request: &str) -> Verdict {
    let text = format!("RequestId: {request} Error: Runtime exited with error: signal: killed");
    Verdict::Failed(platform("Runtime.OutOfMemory", &text))
}

/// Getting ready failed. *Guessed* for a function that is not ready in time: that it ends as a call
/// that is not.
fn not_started(config: &VersionConfig, request: &str, failure: &StartFailure) -> Verdict {
    let failed = |kind: &str, message: String| {
        let text = format!("RequestId: {request} Error: {message}");
        Verdict::Failed(platform(kind, &text))
    };
    const ENTRY: &str = "Runtime.InvalidEntrypoint";
    match &failure.kind {
        StartFailureKind::Missing { .. } => failed(
            ENTRY,
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
        ),
        StartFailureKind::NotExecutable { .. } => failed(
            ENTRY,
            "fork/exec /var/task/bootstrap: permission denied".to_owned(),
        ),
        StartFailureKind::WrongArchitecture { .. } => failed(
            ENTRY,
            "fork/exec /var/task/bootstrap: exec format error".to_owned(),
        ),
        StartFailureKind::MissingInterpreter { .. } => failed(
            ENTRY,
            "fork/exec /var/task/bootstrap: no such file or directory".to_owned(),
        ),
        StartFailureKind::Crash { exit } => failed("Runtime.ExitError", exited(*exit)),
        StartFailureKind::InitError {
            error_type,
            payload,
            ..
        } => Verdict::Failed(Failure {
            payload: payload.clone(),
            status: Status::Failed {
                kind: error_type.clone(),
                message: None,
            },
        }),
        StartFailureKind::Timeout { .. } => timed_out(config, request),
        StartFailureKind::OutOfMemory { .. } => out_of_memory(request),
        StartFailureKind::Closed => Verdict::Again,
        _ => Verdict::Service(ApiError::internal(Service::Lambda, failure)),
    }
}

/// An error that the platform tells.
fn platform(kind: &str, text: &str) -> Failure {
    Failure {
        payload: object(&[("errorType", kind), ("errorMessage", text)]),
        status: Status::Failed {
            kind: kind.to_owned(),
            message: Some(text.to_owned()),
        },
    }
}

/// How a process ended, as Go's standard library says it: the platform is written in it.
fn exited(exit: Exit) -> String {
    let how = match exit {
        Exit::Code(0) => return "Runtime exited without providing a reason".to_owned(),
        Exit::Code(code) => format!("exit status {code}"),
        Exit::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("signal: {name}"),
            None => format!("signal: signal {signal}"),
        },
        _ => return "Runtime exited without providing a reason".to_owned(),
    };
    format!("Runtime exited with error: {how}")
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        10 => "user defined signal 1",
        11 => "segmentation fault",
        12 => "user defined signal 2",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        _ => return None,
    })
}

/// An object with its members in this order, as the real one writes them.
fn object(members: &[(&str, &str)]) -> Bytes {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{}", Value::from(*value)))
        .collect();
    Bytes::from(format!("{{{}}}", members.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_go_tells_them() {
        let told = |exit| exited(exit);
        assert_eq!(
            told(Exit::Code(1)),
            "Runtime exited with error: exit status 1"
        );
        assert_eq!(
            told(Exit::Signal(9)),
            "Runtime exited with error: signal: killed"
        );
        assert_eq!(
            told(Exit::Code(0)),
            "Runtime exited without providing a reason"
        );
    }

    #[test]
    fn members_keep_their_order_and_are_escaped() {
        let body = object(&[("b", "x\"y"), ("a", "\n")]);
        assert_eq!(body, r#"{"b":"x\"y","a":"\n"}"#);
    }
}
