//! The runtime's own lines on standard error, which every platform keeps as the function's log.

use std::io::Write as _;

use crate::Error;

/// One line; a closed standard error is no reason to fail.
macro_rules! log {
    ($($part:tt)*) => {
        $crate::log::line(format_args!($($part)*))
    };
}
pub(crate) use log;

pub(crate) fn line(text: std::fmt::Arguments<'_>) {
    // One write, so that lines of several processes on one pipe don't mix.
    let line = format!("anyport-runtime: {text}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// An error as the JSON report on a line of its own, for readers that are programs.
pub(crate) fn report(error: &Error) {
    let mut line = error.to_json();
    line.push(b'\n');
    let _ = std::io::stderr().write_all(&line);
}
