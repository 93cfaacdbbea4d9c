//! Runs other programs, and keeps what they said for when they fail.

use std::process::Command;

use crate::commands::Failure;

/// Runs `command` to its end and returns its standard output.
///
/// # Errors
/// When it cannot be started, or fails; with the end of what it said.
pub(crate) fn run(command: &mut Command) -> Result<String, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("cannot run {program}: {error}; install it"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stdout) + &text(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(30)..].join("\n");
    Err(format!("{program} ended with {}:\n{last}", output.status).into())
}
