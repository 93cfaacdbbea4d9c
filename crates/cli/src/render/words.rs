//! Durations, sizes and times in words.

use std::time::{Duration, SystemTime};

/// A duration as people say it: `850 µs`, `12 ms`, `1.4 s`, `2 min 5 s`.
pub(crate) fn duration(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{} ms", time.as_millis()),
        1_000_000..60_000_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

/// A size in bytes, with a unit that keeps it short.
pub(crate) fn size(bytes: u64) -> String {
    #[allow(
        clippy::cast_precision_loss,
        reason = "one digit behind the point is shown"
    )]
    let as_f64 = bytes as f64;
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{:.1} KiB", as_f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", as_f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", as_f64 / 1_073_741_824.0),
    }
}

/// A time in UTC, to the millisecond.
pub(crate) fn time(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "?".to_owned(),
        |stamp| stamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// A line that a function wrote, fit for a terminal: control characters are shown, not obeyed.
pub(crate) fn printable(line: &str) -> String {
    if !line.chars().any(|c| c.is_control() && c != '\t') {
        return line.to_owned();
    }
    line.chars()
        .map(|c| match c {
            '\t' => c.to_string(),
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        })
        .collect()
}

/// The same for a text of several lines, such as a stack: some runtimes separate them by carriage returns, to write them as one.
pub(crate) fn printable_lines(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.trim_end().split(['\r', '\n']).map(printable).collect();
    lines.join(&format!("\n{indent}"))
}

/// `1 function`, `2 functions`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_short() {
        let shown = |millis| duration(Duration::from_millis(millis));
        assert_eq!(
            [shown(0), shown(5), shown(42), shown(1_440), shown(125_000)],
            ["0 µs", "5.0 ms", "42 ms", "1.4 s", "2 min 5 s"]
        );
        assert_eq!(
            [size(0), size(1_536), size(3 << 20)],
            ["0 bytes", "1.5 KiB", "3.0 MiB"]
        );
    }

    #[test]
    fn a_function_cannot_write_to_the_terminal_itself() {
        assert_eq!(printable("a\tb \u{1b}[2Jc"), "a\tb \\u{1b}[2Jc");
    }

    #[test]
    fn a_stack_is_shown_in_lines() {
        assert_eq!(
            printable_lines("one\r  two\u{7}\r", "> "),
            "one\n>   two\\u{7}"
        );
    }

    #[test]
    fn times_are_utc() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(time(at), "1970-01-01T00:00:01.500Z");
    }
}
