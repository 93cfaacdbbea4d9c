//! The platform's own lines, as text or as JSON.
//!
//! Source: Lambda developer guide, log formats and the telemetry API's schema; the text lines are those
//! that users of the real one show. Times are those of the cloud's clock.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::runtime;
use super::stream::EVENT_END;
use crate::services::lambda::control::runtime_version_arn;
use crate::services::lambda::version::VersionConfig;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// The function answered, maybe with an error of its own.
    Answered,
    /// It did not answer in time.
    TimedOut,
    /// It went down or never came up.
    Failed {
        /// The error's type.
        kind: String,
        /// What the platform says about it.
        message: Option<String>,
    },
}

/// What is reported of a call.
#[derive(Debug, Clone)]
pub(crate) struct Ended<'a> {
    /// The request's id.
    pub(crate) request: &'a str,
    /// How it ended.
    pub(crate) status: Status,
    /// How long the function took.
    pub(crate) duration: Duration,
    /// How long its instance took to get ready, for the first call of an instance.
    pub(crate) init: Option<Duration>,
    /// The most memory that was seen, in bytes.
    pub(crate) memory: u64,
    /// Root of the trace and segment, where the call is traced.
    pub(crate) trace: Option<(&'a str, &'a str)>,
}

/// Writes the lines of one version.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    pub(super) config: &'a VersionConfig,
    /// Milliseconds since 1970.
    pub(super) now: u64,
}

impl Lines<'_> {
    fn json(&self) -> bool {
        self.config.settings.logging.format == "JSON"
    }

    /// Whether records of this level are written. Source: Lambda developer guide, log level filtering.
    fn shows(&self, level: usize) -> bool {
        let lowest = match self.config.settings.logging.system_level.as_deref() {
            Some("DEBUG") => 0,
            Some("WARN") => 2,
            _ => 1,
        };
        level >= lowest
    }

    fn record(&self, level: usize, kind: &str, record: &Value) -> String {
        if !self.shows(level) {
            return String::new();
        }
        let record =
            json!({ "time": time(self.now), "type": format!("platform.{kind}"), "record": record });
        format!("{record}\n{EVENT_END}")
    }

    /// An instance begins to get ready.
    pub(super) fn init_start(&self) -> String {
        let config = self.config;
        let version = runtime::shown(&config.settings.runtime);
        let arn = runtime_version_arn(&config.region, &config.settings);
        if self.json() {
            let record = json!({
                "initializationType": "on-demand",
                "phase": "init",
                "runtimeVersion": version,
                "runtimeVersionArn": arn,
                "functionName": config.function,
                "functionVersion": config.version,
            });
            return self.record(INFO, "initStart", &record);
        }
        format!("INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n")
    }

    /// An instance did not get ready.
    pub(super) fn init_failed(&self, took: Duration, status: &Status) -> String {
        let (word, kind) = words(status);
        if self.json() {
            let mut record = json!({
                "initializationType": "on-demand",
                "phase": "init",
                "status": word,
                "metrics": { "durationMs": millis(took) },
            });
            if let Some(kind) = kind {
                record["errorType"] = kind.into();
            }
            return self.record(DEBUG, "initReport", &record);
        }
        let kind = kind.map_or_else(String::new, |kind| format!("\tError Type: {kind}"));
        format!(
            "INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {word}{kind}\n",
            millis(took)
        )
    }

    /// A call begins.
    pub(super) fn start(&self, request: &str) -> String {
        let version = &self.config.version;
        if self.json() {
            let record = json!({
                "requestId": request,
                "functionArn": self.config.function_arn(),
                "version": version,
            });
            return self.record(INFO, "start", &record);
        }
        format!("START RequestId: {request} Version: {version}\n")
    }

    /// A call has ended: what the platform says about it, its end and its report.
    pub(super) fn end(&self, ended: &Ended<'_>) -> String {
        if self.json() {
            return self.end_json(ended);
        }
        let request = ended.request;
        let settings = &self.config.settings;
        let mut text = match &ended.status {
            Status::Answered => String::new(),
            Status::TimedOut => format!(
                "{} {request} Task timed out after {:.2} seconds\n\n{EVENT_END}",
                time(self.now),
                settings.time_limit().as_secs_f64()
            ),
            Status::Failed {
                kind,
                message: Some(message),
            } => format!("{message}\n{kind}\n{EVENT_END}"),
            Status::Failed { message: None, .. } => String::new(),
        };
        let (duration, billed) = self.durations(ended);
        text.push_str(&format!(
            "END RequestId: {request}\n{EVENT_END}REPORT RequestId: {request}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            settings.memory,
            self.used_mb(ended.memory)
        ));
        if let Some(init) = ended.init {
            text.push_str(&format!("Init Duration: {:.2} ms\t", millis(init)));
        }
        if let (word, kind) = words(&ended.status)
            && ended.status != Status::Answered
        {
            text.push_str(&format!("Status: {word}"));
            if let Some(kind) = kind {
                text.push_str(&format!("\tError Type: {kind}"));
            }
        }
        text.push('\n');
        if let Some((root, segment)) = ended.trace {
            text.push_str(&format!(
                "XRAY TraceId: {root}\tSegmentId: {segment}\tSampled: true\t\n"
            ));
        }
        text.push(EVENT_END);
        text
    }

    fn end_json(&self, ended: &Ended<'_>) -> String {
        let (word, kind) = words(&ended.status);
        let (duration, billed) = self.durations(ended);
        let mut metrics = json!({
            "durationMs": round(duration),
            "billedDurationMs": billed,
            "memorySizeMB": self.config.settings.memory,
            "maxMemoryUsedMB": self.used_mb(ended.memory),
        });
        if let Some(init) = ended.init {
            metrics["initDurationMs"] = round(millis(init)).into();
        }
        let done = json!({ "durationMs": round(duration) });
        let mut done = json!({ "requestId": ended.request, "status": word, "metrics": done });
        let mut report = json!({ "requestId": ended.request, "metrics": metrics, "status": word });
        for record in [&mut done, &mut report] {
            if let Some(kind) = kind {
                record["errorType"] = kind.into();
            }
        }
        let level = if ended.status == Status::Answered {
            INFO
        } else {
            WARN
        };
        let mut text = self.record(level.saturating_sub(1), "runtimeDone", &done);
        text.push_str(&self.record(level, "report", &report));
        text
    }

    /// Milliseconds the function took, and those that count. The first are never more than the limit;
    /// the second contain the time to get ready. Source: Lambda pricing since August 2025.
    fn durations(&self, ended: &Ended<'_>) -> (f64, u64) {
        let limit = self.config.settings.time_limit();
        let took = match ended.status {
            Status::TimedOut => limit,
            _ => ended.duration.min(limit),
        };
        let billed = took + ended.init.unwrap_or_default();
        let whole = billed.as_nanos().div_ceil(1_000_000).max(1);
        (millis(took), u64::try_from(whole).unwrap_or(u64::MAX))
    }

    fn used_mb(&self, bytes: u64) -> u64 {
        bytes
            .div_ceil(1 << 20)
            .clamp(1, u64::from(self.config.settings.memory))
    }
}

const DEBUG: usize = 0;
const INFO: usize = 1;
const WARN: usize = 2;

/// The word for a status, and the error's type.
fn words(status: &Status) -> (&'static str, Option<&str>) {
    match status {
        Status::Answered => ("success", None),
        Status::TimedOut => ("timeout", None),
        Status::Failed { kind, .. } => ("error", Some(kind)),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// To a thousandth.
fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// A time as log lines have it: `2026-11-23T12:00:00.000Z`.
pub(crate) fn time(at: u64) -> String {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(at).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// The name of an instance's log stream: `2026/11/23/[$LATEST]` and 32 hexadecimal digits.
pub(super) fn stream_name(at: u64, version: &str, id: &str) -> String {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    let date = Timestamp::from_millisecond(at).map_or_else(
        |_| String::new(),
        |at| at.to_zoned(TimeZone::UTC).strftime("%Y/%m/%d").to_string(),
    );
    format!("{date}/[{version}]{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::lambda::version::tests::config;

    fn ended(status: Status) -> Ended<'static> {
        Ended {
            request: "r-1",
            status,
            duration: Duration::from_micros(1_234),
            init: None,
            memory: 30 << 20,
            trace: None,
        }
    }

    #[test]
    fn text_lines_are_awss() {
        let config = config();
        let lines = Lines {
            config: &config,
            now: 1_700_000_000_123,
        };
        assert_eq!(
            lines.start("r-1"),
            "START RequestId: r-1 Version: $LATEST\n"
        );
        let events = |ended: Ended<'_>| -> Vec<String> {
            let text = lines.end(&ended);
            let events = text.split(EVENT_END).filter(|event| !event.is_empty());
            events.map(str::to_owned).collect()
        };
        assert_eq!(
            events(ended(Status::Answered)),
            [
                "END RequestId: r-1\n",
                "REPORT RequestId: r-1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n"
            ]
        );
        let mut cold = ended(Status::Answered);
        cold.init = Some(Duration::from_millis(10));
        assert!(events(cold)[1].ends_with(
            "\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 10.00 ms\t\n"
        ));
        let late = events(ended(Status::TimedOut));
        assert_eq!(
            late[0],
            "2023-11-14T22:13:20.123Z r-1 Task timed out after 3.00 seconds\n\n"
        );
        assert!(late[2].contains("\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"));
        assert!(late[2].ends_with("\tStatus: timeout\n"));
        let gone = events(ended(Status::Failed {
            kind: "Runtime.ExitError".to_owned(),
            message: Some("RequestId: r-1 Error: gone".to_owned()),
        }));
        assert_eq!(gone[0], "RequestId: r-1 Error: gone\nRuntime.ExitError\n");
        assert!(gone[2].ends_with("\tStatus: error\tError Type: Runtime.ExitError\n"));
    }

    #[test]
    fn json_lines_are_records_by_level() {
        let mut config = config();
        config.settings.logging.format = "JSON".to_owned();
        let text = |config: &VersionConfig, status| {
            let lines = Lines { config, now: 0 };
            lines.end(&ended(status))
        };
        let report = text(&config, Status::Answered);
        let report: Value = serde_json::from_str(report.trim_end_matches(EVENT_END)).unwrap();
        assert_eq!(report["type"], "platform.report");
        assert_eq!(report["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!(report["record"]["metrics"]["durationMs"], 1.234);
        config.settings.logging.system_level = Some("WARN".to_owned());
        assert_eq!(text(&config, Status::Answered), "");
        assert!(text(&config, Status::TimedOut).contains("\"status\":\"timeout\""));
        config.settings.logging.system_level = Some("DEBUG".to_owned());
        assert!(text(&config, Status::Answered).contains("platform.runtimeDone"));
    }

    #[test]
    fn streams_are_named_by_day_and_version() {
        assert_eq!(
            stream_name(1_700_000_000_000, "$LATEST", "00ff"),
            "2023/11/14/[$LATEST]00ff"
        );
    }
}
