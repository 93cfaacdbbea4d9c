//! What a function's failure says, in the contract's words.
//!
//! Lambda answers 200 for a function that failed, and names every failure `Unhandled`; what it was is in the report. Source: Lambda developer
//! guide, and the runtime interface's clients; which names are the platform's own is in part guessed.

use std::time::Duration;

use anyport_core::error::{Error, ErrorKind, FunctionFailure, Limit, TimedOut};
use serde::Deserialize;

use super::tail::Tail;
use crate::error::PROVIDER;

/// The largest buffered answer in bytes. Source: the service's own message; the API model says 6 MB.
pub(crate) const MAX_REPLY: u64 = 6_291_556;

const CORRECT: &str = "read the log lines, correct the function and deploy it again";

/// A report of a failure, as functions and Lambda write it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    error_type: Option<String>,
    error_message: Option<String>,
    stack_trace: Option<serde_json::Value>,
    /// What Node.js calls the stack.
    trace: Option<serde_json::Value>,
}

/// A failure as it arrived.
#[derive(Debug, Default)]
pub(crate) struct Failed<'a> {
    /// `Handled` or `Unhandled`, or, at the end of a stream, the error's type.
    pub(crate) code: &'a str,
    /// The report, which should be JSON.
    pub(crate) report: &'a [u8],
    /// The tail of the log, base64.
    pub(crate) tail: Option<&'a str>,
    pub(crate) request_id: Option<&'a str>,
}

/// The failure as an error of `operation`.
pub(crate) fn lift(operation: &'static str, failed: &Failed<'_>) -> Error {
    let mut report: Report = serde_json::from_slice(failed.report).unwrap_or_else(|_| Report {
        error_message: Some(String::from_utf8_lossy(failed.report).into_owned()),
        ..Report::default()
    });
    if report.error_type.is_none() && !matches!(failed.code, "Handled" | "Unhandled" | "") {
        report.error_type = Some(failed.code.to_owned());
    }
    let tail = Tail::read(failed.tail);
    let error =
        kind(operation, failed.code == "Handled", report, tail).may_have_run_unless_unstarted();
    match failed.request_id {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}

trait Ran {
    fn may_have_run_unless_unstarted(self) -> Error;
}

impl Ran for Error {
    /// What did not get ready has not run the handler; everything else has.
    fn may_have_run_unless_unstarted(self) -> Error {
        let unstarted = matches!(self.kind(), ErrorKind::Function(failure) if failure.not_started);
        self.may_have_run(!unstarted)
    }
}

fn kind(operation: &'static str, handled: bool, report: Report, tail: Tail) -> Error {
    let error_type = report.error_type.unwrap_or_default();
    let message = report.error_message.unwrap_or_default();
    let named = |error: Error, code: &str| error.from_provider(PROVIDER, Some(code.to_owned()));

    let platforms = error_type.is_empty() || error_type == "Sandbox.Timedout";
    if platforms && let Some(limit) = time_limit(&message) {
        let kind = ErrorKind::Timeout(TimedOut::Function { limit });
        return named(Error::new(kind, operation), "Sandbox.Timedout");
    }
    if error_type == "Function.ResponseSizeTooLarge" {
        let kind = ErrorKind::PayloadTooLarge(Limit {
            what: "reply".to_owned(),
            max: limit_in(&message).unwrap_or(MAX_REPLY),
            actual: None,
        });
        return named(Error::new(kind, operation), &error_type)
            .hint("answer with a reference to the data, or ask for a streamed answer");
    }
    // The header of our own runtime's reports has this prefix; their bodies do not.
    let error_type = error_type
        .strip_prefix("Function.")
        .map_or(error_type.clone(), str::to_owned);
    let crashed = !handled && (error_type.is_empty() || is_platforms(&error_type));
    let not_started = !handled && (tail.at_start || never_starts(&error_type));
    let out_of_memory = crashed
        && (error_type == "Runtime.OutOfMemory"
            || (message.contains("signal: killed") && tail.report.is_out_of_memory()));
    let error_type = match error_type.as_str() {
        "" => "Unknown".to_owned(),
        _ => error_type,
    };
    let code = error_type.clone();
    let mut failure = FunctionFailure::new(!crashed && !not_started, error_type, message)
        .with_stack(stack(report.stack_trace.or(report.trace)))
        .with_logs(tail.lines);
    if not_started {
        failure = failure.not_started();
    }
    let error = named(Error::new(ErrorKind::Function(failure), operation), &code);
    match tail.report.memory_mb {
        Some(memory) if out_of_memory => error.hint(format_args!(
            "it used all of its {memory} MB: raise memory_mb"
        )),
        None if out_of_memory => error.hint("it used all of its memory: raise memory_mb"),
        _ if not_started => error.hint(CORRECT),
        _ => error,
    }
}

/// Whether Lambda, or the runtime beneath the handler, gave the error this name.
fn is_platforms(error_type: &str) -> bool {
    ["Runtime.", "Sandbox.", "Extension."]
        .iter()
        .any(|prefix| error_type.starts_with(prefix))
}

/// Whether errors of this name are from before the handler was called.
fn never_starts(error_type: &str) -> bool {
    const NAMES: [&str; 9] = [
        "Runtime.ImportModuleError",
        "Runtime.HandlerNotFound",
        "Runtime.MalformedHandlerName",
        "Runtime.UserCodeSyntaxError",
        "Runtime.InvalidEntrypoint",
        "Runtime.InvalidWorkingDir",
        "Runtime.InvalidTaskConfig",
        "Runtime.InitError",
        "Extension.InitError",
    ];
    NAMES.contains(&error_type)
}

/// The limit in `... Task timed out after 3.00 seconds`, to the millisecond.
fn time_limit(message: &str) -> Option<Duration> {
    let (_, after) = message.split_once("Task timed out after ")?;
    let seconds: f64 = after.split_whitespace().next()?.parse().ok()?;
    let limit = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Duration::from_millis(
        u64::try_from((limit + Duration::from_micros(500)).as_millis()).ok()?,
    ))
}

/// The limit in `... exceeded maximum allowed payload size (6291556 bytes).`
fn limit_in(message: &str) -> Option<u64> {
    let (before, _) = message.split_once(" bytes)")?;
    before.rsplit('(').next()?.parse().ok()
}

/// A stack as lines: runtimes send a list of lines, a list of frames, or one text.
fn stack(stack: Option<serde_json::Value>) -> Vec<String> {
    use serde_json::Value;
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    match stack {
        Some(Value::Array(frames)) => frames
            .iter()
            .map(|frame| match frame {
                Value::String(line) => line.trim_end().to_owned(),
                other => other.to_string(),
            })
            .collect(),
        Some(Value::String(text)) => lines(&text),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    fn lifted(code: &str, report: &str, tail: &str) -> Error {
        let tail = BASE64.encode(tail.as_bytes());
        lift(
            "invoke",
            &Failed {
                code,
                report: report.as_bytes(),
                tail: Some(&tail),
                request_id: Some("r-1"),
            },
        )
    }

    fn function(error: &Error) -> &FunctionFailure {
        match error.kind() {
            ErrorKind::Function(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_handler_returned_is_handled_whatever_lambda_calls_it() {
        let error = lifted(
            "Unhandled",
            r#"{"errorType":"CardDeclined","errorMessage":"no funds","stackTrace":["a.py, line 1\n","b"]}"#,
            "START RequestId: r-1 Version: 1\nlast words\nEND RequestId: r-1\n",
        );
        let failure = function(&error);
        assert!(failure.handled && !failure.not_started);
        assert_eq!(
            (failure.error_type.as_str(), failure.message.as_str()),
            ("CardDeclined", "no funds")
        );
        assert_eq!(failure.stack, ["a.py, line 1", "b"]);
        assert_eq!(failure.logs, ["last words"]);
        assert_eq!(error.request_id(), Some("r-1"));
        assert!(error.user_code_may_have_run());
        assert_eq!(
            error.to_string(),
            "cannot invoke: the function returned an error: CardDeclined: no funds"
        );
    }

    #[test]
    fn crashes_are_unhandled() {
        for (code, report) in [
            (
                "Unhandled",
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r-1 Error: Runtime exited with error: exit status 3"}"#,
            ),
            (
                "Unhandled",
                r#"{"errorType":"Runtime.Panic","errorMessage":"about to panic"}"#,
            ),
            (
                "Unhandled",
                r#"{"errorMessage":"RequestId: r-1 Process exited before completing request"}"#,
            ),
            ("Runtime.ExitError", r#"{"errorMessage":"x"}"#),
            ("Unhandled", "no JSON"),
        ] {
            let error = lifted(code, report, "");
            let failure = function(&error);
            assert!(!failure.handled && !failure.not_started, "{report}");
            assert!(!failure.error_type.is_empty() && !failure.message.is_empty());
            assert!(error.user_code_may_have_run());
        }
        assert!(function(&lifted("Handled", r#"{"errorMessage":"x"}"#, "")).handled);
    }

    #[test]
    fn what_never_started_has_not_run() {
        let import = lifted(
            "Unhandled",
            r#"{"errorType":"Runtime.ImportModuleError","errorMessage":"Unable to import module 'app'"}"#,
            "",
        );
        let exit = lifted(
            "Unhandled",
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r-1 Error: Runtime exited"}"#,
            "INIT_REPORT Init Duration: 5 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n",
        );
        let own = lifted(
            "Unhandled",
            r#"{"errorType":"ConfigMissing","errorMessage":"x"}"#,
            "INIT_REPORT Init Duration: 5 ms\tPhase: init\tStatus: error\tError Type: ConfigMissing\n",
        );
        for error in [import, exit, own] {
            assert!(
                function(&error).not_started && !function(&error).handled,
                "{error:?}"
            );
            assert!(!error.user_code_may_have_run());
            assert_eq!(error.next_step(), Some(CORRECT));
        }
    }

    #[test]
    fn time_limits_are_read_to_the_millisecond() {
        for (report, millis) in [
            (
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r-1 Error: Task timed out after 1.00 seconds"}"#,
                1_000,
            ),
            (
                r#"{"errorMessage":"2026-11-23T10:00:00.000Z r-1 Task timed out after 3.01 seconds"}"#,
                3_010,
            ),
        ] {
            let error = lifted("Unhandled", report, "");
            let limit = Duration::from_millis(millis);
            assert_eq!(
                error.kind(),
                &ErrorKind::Timeout(TimedOut::Function { limit })
            );
            assert!(error.user_code_may_have_run());
        }
        let own = lifted(
            "Unhandled",
            r#"{"errorType":"Mine","errorMessage":"Task timed out after 3 seconds"}"#,
            "",
        );
        assert!(function(&own).handled);
    }

    #[test]
    fn memory_and_sizes_are_said() {
        let error = lifted(
            "Unhandled",
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r-1 Error: Runtime exited with error: signal: killed"}"#,
            "REPORT RequestId: r-1\tDuration: 9 ms\tBilled Duration: 9 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\n",
        );
        assert_eq!(
            error.next_step(),
            Some("it used all of its 128 MB: raise memory_mb")
        );
        let error = lifted(
            "Unhandled",
            r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#,
            "",
        );
        let ErrorKind::PayloadTooLarge(limit) = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!(limit.max, 6_291_556);
    }

    #[test]
    fn the_end_of_a_stream_names_the_type() {
        let error = lifted(
            "Function.SourceGone",
            r#"{"errorType":"SourceGone","errorMessage":"x"}"#,
            "",
        );
        assert_eq!(function(&error).error_type, "SourceGone");
        let error = lifted("Function.SourceGone", "the source is gone", "");
        let failure = function(&error);
        assert_eq!(
            (failure.error_type.as_str(), failure.message.as_str()),
            ("SourceGone", "the source is gone")
        );
        assert!(failure.handled);
    }
}
