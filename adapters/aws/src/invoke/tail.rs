//! The last lines of an invocation's log, which Lambda sends back with its answer.
//!
//! Asked for with every call: I2 promises the last lines of a call that failed, and afterwards they can only be had from CloudWatch, late.
//! The cost is a response header of at most 5.5 KB. Source: Lambda API model, `LogType`: the last 4 KB.

use data_encoding::BASE64;

use crate::logs::platform::{self, Report};

/// What of the tail is read for an answer that went well, in base64 characters: the line with the figures is the last one.
const LAST: usize = 512;

/// Reads the figures of the invocation, without allocating: this is done for every answer.
pub(crate) fn figures(tail: &str) -> Report {
    let tail = tail.as_bytes();
    // Groups of four characters are decoded on their own.
    let start = (tail.len().saturating_sub(LAST)).next_multiple_of(4);
    let Some(end) = tail.get(start..) else {
        return Report::default();
    };
    let mut bytes = [0; LAST];
    let Some(room) = BASE64
        .decode_len(end.len())
        .ok()
        .and_then(|length| bytes.get_mut(..length))
    else {
        return Report::default();
    };
    let Ok(length) = BASE64.decode_mut(end, room) else {
        return Report::default();
    };
    // A line whose beginning was cut off may start inside a character.
    let bytes = &bytes[..length];
    let line = bytes
        .trim_ascii_end()
        .rsplit(|byte| *byte == b'\n')
        .find_map(|line| std::str::from_utf8(line).ok().and_then(platform::report));
    line.unwrap_or_default()
}

/// The tail of a call that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// What the function wrote, without Lambda's own lines.
    pub(crate) lines: Vec<String>,
    pub(crate) report: Report,
    /// Whether it failed before the handler was called.
    pub(crate) at_start: bool,
}

impl Tail {
    /// Reads the whole tail.
    pub(crate) fn read(tail: Option<&str>) -> Self {
        let text = tail.and_then(|tail| BASE64.decode(tail.trim().as_bytes()).ok());
        let text = text.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut read = Self::default();
        for line in text.lines() {
            if let Some(report) = platform::report(line) {
                read.report = report;
            } else if platform::is_failed_start(line) {
                read.at_start = true;
            } else if !platform::is_own(line) && !line.trim().is_empty() {
                read.lines.push(line.trim_end().to_owned());
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REPORT: &str = "REPORT RequestId: 8f5a\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tInit Duration: 56.7 ms\t\n";

    fn tail(text: &str) -> String {
        BASE64.encode(text.as_bytes())
    }

    #[test]
    fn the_figures_are_found_however_long_the_tail_is() {
        for before in [0, 1, 2, 3, 400, 4000] {
            let text = format!("{}\nEND RequestId: 8f5a\n{REPORT}", "é".repeat(before));
            let report = figures(&tail(&text));
            assert_eq!(
                report.duration,
                Some(Duration::from_micros(12_340)),
                "{before}"
            );
            assert_eq!(report.cold, Some(true));
        }
        for none in ["", "!", &tail("hello\n")] {
            assert_eq!(figures(none), Report::default(), "{none}");
        }
    }

    #[test]
    fn lambdas_own_lines_are_taken_out() {
        let text = format!(
            "START RequestId: 8f5a Version: 3\nfirst\n\nsecond \nEND RequestId: 8f5a\n{REPORT}"
        );
        let read = Tail::read(Some(&tail(&text)));
        assert_eq!(read.lines, ["first", "second"]);
        assert!(!read.at_start && read.report.is_out_of_memory());
        let text = "INIT_REPORT Init Duration: 12.0 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\nlast words\n";
        let read = Tail::read(Some(&tail(text)));
        assert!(read.at_start);
        assert_eq!(read.lines, ["last words"]);
        assert_eq!(Tail::read(None), Tail::default());
    }
}
