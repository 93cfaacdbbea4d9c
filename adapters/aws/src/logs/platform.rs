//! The lines that Lambda itself writes into a function's log, as text or as JSON.
//!
//! Source: Lambda developer guide, pages on logs of runtimes and on the JSON log format.

use std::time::Duration;

use serde::Deserialize;

/// The figures of an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How long the handler ran.
    pub(crate) duration: Option<Duration>,
    /// Whether an instance was started for it.
    pub(crate) cold: Option<bool>,
    pub(crate) memory_mb: Option<u64>,
    pub(crate) memory_used_mb: Option<u64>,
}

impl Report {
    /// Whether it used all the memory that it has.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!((self.memory_mb, self.memory_used_mb), (Some(has), Some(used)) if used >= has)
    }
}

/// A line of Lambda's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Own<'a> {
    /// An invocation begins.
    Start {
        request_id: &'a str,
        version: Option<&'a str>,
    },
    /// An invocation has ended.
    End,
    /// The figures of the invocation that ended before.
    Report,
    /// Anything else.
    Other,
}

#[derive(Deserialize)]
struct Json<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    record: Record<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Record<'a> {
    #[serde(borrow)]
    request_id: Option<&'a str>,
    #[serde(borrow)]
    version: Option<&'a str>,
    #[serde(borrow)]
    status: Option<&'a str>,
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    #[serde(default)]
    duration_ms: Option<f64>,
    #[serde(default)]
    init_duration_ms: Option<f64>,
    #[serde(default, rename = "memorySizeMB")]
    memory_size_mb: Option<u64>,
    #[serde(default, rename = "maxMemoryUsedMB")]
    max_memory_used_mb: Option<u64>,
}

/// A JSON line of Lambda's own.
fn json(line: &str) -> Option<Json<'_>> {
    // A line of a function is hardly ever parsed: the type stands near the beginning.
    if !line.starts_with("{\"time\"") || !line.contains("\"platform.") {
        return None;
    }
    let json: Json<'_> = serde_json::from_str(line.trim()).ok()?;
    json.kind.starts_with("platform.").then_some(json)
}

/// Reads the line that ends an invocation: `REPORT RequestId: ...`.
pub(crate) fn report(line: &str) -> Option<Report> {
    if let Some(rest) = line.strip_prefix("REPORT RequestId:") {
        return Some(figures(rest));
    }
    let json = json(line).filter(|json| json.kind == "platform.report")?;
    let metrics = json.record.metrics?;
    Some(Report {
        duration: metrics.duration_ms.and_then(millis),
        cold: Some(metrics.init_duration_ms.is_some()),
        memory_mb: metrics.memory_size_mb,
        memory_used_mb: metrics.max_memory_used_mb,
    })
}

/// The tab-separated figures of a text report.
fn figures(rest: &str) -> Report {
    let mut report = Report {
        cold: Some(false),
        ..Report::default()
    };
    for part in rest.split('\t') {
        let Some((name, value)) = part.split_once(": ") else {
            continue;
        };
        let number = value.split_whitespace().next().unwrap_or_default();
        match name.trim() {
            "Duration" => report.duration = number.parse().ok().and_then(millis),
            "Init Duration" | "Restore Duration" => report.cold = Some(true),
            "Memory Size" => report.memory_mb = number.parse().ok(),
            "Max Memory Used" => report.memory_used_mb = number.parse().ok(),
            _ => {}
        }
    }
    report
}

fn millis(millis: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(millis / 1000.0).ok()
}

/// Whether the line says that an instance did not get ready.
pub(crate) fn is_failed_start(line: &str) -> bool {
    if line.starts_with("INIT_REPORT ") {
        return line.contains("Status: error") || line.contains("Status: timeout");
    }
    json(line).is_some_and(|json| {
        json.kind == "platform.initReport"
            && json.record.status.is_some_and(|status| status != "success")
    })
}

/// Whether the line is Lambda's own, and not the function's.
pub(crate) fn is_own(line: &str) -> bool {
    own(line).is_some()
}

/// Reads a line of Lambda's own, `None` when it is the function's.
pub(crate) fn own(line: &str) -> Option<Own<'_>> {
    const OTHERS: [&str; 6] = [
        "INIT_START Runtime Version: ",
        "INIT_REPORT Init Duration: ",
        "RESTORE_START Runtime Version: ",
        "RESTORE_REPORT ",
        "XRAY TraceId: ",
        "EXTENSION\tName: ",
    ];
    if let Some(rest) = line.strip_prefix("START RequestId: ") {
        let mut words = rest.split_whitespace();
        let request_id = words.next()?;
        let version = match words.next() {
            Some("Version:") => words.next(),
            _ => None,
        };
        return Some(Own::Start {
            request_id,
            version,
        });
    }
    if line.starts_with("END RequestId: ") {
        return Some(Own::End);
    }
    if line.starts_with("REPORT RequestId: ") {
        return Some(Own::Report);
    }
    if OTHERS.iter().any(|start| line.starts_with(start)) {
        return Some(Own::Other);
    }
    let json = json(line)?;
    Some(match (json.kind, json.record.request_id) {
        ("platform.start", Some(request_id)) => Own::Start {
            request_id,
            version: json.record.version,
        },
        ("platform.runtimeDone", _) => Own::End,
        ("platform.report", _) => Own::Report,
        _ => Own::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_lambda_are_told_from_the_functions() {
        let start = Own::Start {
            request_id: "8f5a-1",
            version: Some("3"),
        };
        for (line, expected) in [
            ("START RequestId: 8f5a-1 Version: 3\n", Some(start.clone())),
            (
                r#"{"time":"2026-11-23T10:00:00.000Z","type":"platform.start","record":{"requestId":"8f5a-1","version":"3"}}"#,
                Some(start),
            ),
            ("END RequestId: 8f5a-1", Some(Own::End)),
            (
                "REPORT RequestId: 8f5a-1\tDuration: 1 ms",
                Some(Own::Report),
            ),
            (
                "INIT_START Runtime Version: provided:al2023.v1\tRuntime Version ARN: a",
                Some(Own::Other),
            ),
            (
                r#"{"time":"2026-11-23T10:00:00.000Z","type":"platform.initStart","record":{"phase":"init"}}"#,
                Some(Own::Other),
            ),
            ("START of something", None),
            ("REPORT", None),
            (r#"{"time":"now","message":"platform. is fine"}"#, None),
            (
                "2026-11-23T10:00:00.000Z 8f5a-1 Task timed out after 3.00 seconds",
                None,
            ),
        ] {
            assert_eq!(own(line), expected, "{line}");
        }
    }

    #[test]
    fn json_reports_have_the_same_figures() {
        let line = r#"{"time":"2026-11-23T10:00:00.000Z","type":"platform.report","record":{"requestId":"8f5a","metrics":{"durationMs":2.5,"billedDurationMs":3,"memorySizeMB":128,"maxMemoryUsedMB":30,"initDurationMs":100.0},"status":"success"}}"#;
        let read = report(line).unwrap();
        assert_eq!(read.duration, Some(Duration::from_micros(2_500)));
        assert_eq!(read.cold, Some(true));
        assert!(!read.is_out_of_memory());
        let warm = report("REPORT RequestId: 8f5a\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t").unwrap();
        assert_eq!((warm.cold, warm.memory_used_mb), (Some(false), Some(30)));
        assert_eq!(report("hello"), None);
    }

    #[test]
    fn a_start_that_failed_is_seen_in_both_formats() {
        assert!(is_failed_start(
            "INIT_REPORT Init Duration: 1 ms\tPhase: init\tStatus: error\tError Type: X"
        ));
        assert!(is_failed_start(
            r#"{"time":"t","type":"platform.initReport","record":{"status":"timeout"}}"#
        ));
        assert!(!is_failed_start(
            r#"{"time":"t","type":"platform.initReport","record":{"status":"success"}}"#
        ));
        assert!(!is_failed_start("hello"));
    }
}
