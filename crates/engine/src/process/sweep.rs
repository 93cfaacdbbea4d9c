//! Ending process trees, stragglers included.

use std::fs;

use super::{MARK_VARIABLE, tree};

/// Kills the process group led by `leader`.
pub(crate) fn kill_group(leader: i32) {
    signal_group(leader, nix::sys::signal::Signal::SIGKILL);
}

/// Asks the process group led by `leader` to end.
pub(crate) fn terminate_group(leader: i32) {
    signal_group(leader, nix::sys::signal::Signal::SIGTERM);
}

/// Stops the process group led by `leader`, so that nothing in it can fork.
pub(crate) fn stop_group(leader: i32) {
    signal_group(leader, nix::sys::signal::Signal::SIGSTOP);
}

fn signal_group(leader: i32, signal: nix::sys::signal::Signal) {
    // 0 and 1 would address the caller's own group and everybody.
    if leader > 1 {
        // The only failure that matters here, no such group, is the goal.
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), signal);
    }
}

pub(crate) fn kill_one(pid: i32) {
    signal_one(pid, nix::sys::signal::Signal::SIGKILL);
}

pub(crate) fn stop_one(pid: i32) {
    signal_one(pid, nix::sys::signal::Signal::SIGSTOP);
}

fn signal_one(pid: i32, signal: nix::sys::signal::Signal) {
    if pid > 1 {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
    }
}

/// Kills every process that carries `mark`, wherever it moved to, until none is left.
///
/// `mark` is an instance's (`ENGINE-7`) or, ending in a dash, all of an engine's (`ENGINE-`).
/// Returns how many were killed. Reads the whole process table: run it off the async threads.
pub(crate) fn sweep(mark: &str) -> usize {
    let mut killed = 0;
    // A process may fork while the table is read, so a pass that killed is followed by another.
    for _ in 0..20 {
        let found: Vec<i32> = tree::pids().filter(|&pid| carries(pid, mark)).collect();
        if found.is_empty() {
            break;
        }
        killed += found.len();
        found.into_iter().for_each(kill_one);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    killed
}

/// Whether a process started with `mark` in its environment. A process that has ended shows none.
fn carries(pid: i32, mark: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| environ_has(&environ, mark))
}

fn environ_has(environ: &[u8], mark: &str) -> bool {
    let all = mark.ends_with('-');
    environ.split(|&byte| byte == 0).any(|entry| {
        entry
            .strip_prefix(MARK_VARIABLE.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
            .and_then(|rest| rest.strip_prefix(mark.as_bytes()))
            .is_some_and(|rest| all || rest.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_matches_exactly_or_by_engine() {
        let environ = b"PATH=/bin\0ANYPORT_INSTANCE=abc-12\0X=ANYPORT_INSTANCE=abc-1\0";
        assert!(environ_has(environ, "abc-12"));
        assert!(environ_has(environ, "abc-"));
        assert!(!environ_has(environ, "abc-1"));
        assert!(!environ_has(environ, "ab-"));
        assert!(!environ_has(b"", "abc-"));
    }
}
