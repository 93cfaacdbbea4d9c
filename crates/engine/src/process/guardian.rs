//! The guardian: a process that outlives the engine's by a moment and cleans up after it.
//!
//! It reads a pipe whose other end only the engine's process holds. When that process ends, by any
//! cause, the kernel closes the pipe; the guardian then ends the engine's control group, every registered
//! process group with its descendants, every process it was told to remember, and every process that
//! carries the engine's mark, and removes the control group and the scratch directory. It is a constant
//! script of the system's shell, so there is no file to install and nothing of the user's in it: the
//! mark and the directories are its arguments.
//!
//! Why not the parent-death signal alone: it reaches the direct child only, and it is sent when the
//! forking *thread* ends. The engine sets it as well, from a thread that lives as long as itself, for
//! the case that guardian and engine are killed together.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SCRIPT: &str = include_str!("guardian.sh");

pub(crate) struct Guardian {
    mark: String,
    scratch: PathBuf,
    state: Mutex<State>,
}

struct State {
    process: Option<(Child, ChildStdin)>,
    /// The leaders of process groups, with the line that tells their remembered members.
    groups: HashMap<i32, String>,
    /// The engine's control group.
    top: Option<PathBuf>,
    closed: bool,
}

impl Guardian {
    /// Starts the guardian of the engine with this mark and scratch directory, which may be made later:
    /// what exists before its guardian is left behind by a death in between.
    pub(crate) fn start(mark: &str, scratch: &Path) -> io::Result<Self> {
        let process = launch(mark, scratch)?;
        Ok(Self {
            mark: mark.to_owned(),
            scratch: scratch.to_owned(),
            state: Mutex::new(State {
                process: Some(process),
                groups: HashMap::new(),
                top: None,
                closed: false,
            }),
        })
    }

    /// Gives it the engine's control group, which is about to be made; in place of one before.
    pub(crate) fn hold(&self, top: &Path) -> io::Result<()> {
        if top.as_os_str().as_bytes().contains(&b'\n') {
            return Err(io::Error::other("its name has a line end"));
        }
        let mut state = self.lock();
        state.top = Some(top.to_owned());
        let line = about(top);
        tell(&mut state, &line)
    }

    /// Puts a process group under its watch. A guardian that somebody killed is replaced first.
    pub(crate) fn register(&self, leader: i32) -> io::Result<()> {
        let mut state = self.lock();
        state.groups.entry(leader).or_default();
        self.revive(&mut state)?;
        if tell(&mut state, format!("+{leader}\n").as_bytes()).is_err() {
            state.process = None;
            self.revive(&mut state)?;
        }
        Ok(())
    }

    /// Tells it the members of a family, by number and start time, in place of those told before. They
    /// are ended with the rest even when nothing else shows any more whose they are.
    pub(crate) fn remember(&self, leader: i32, members: &HashMap<i32, u64>) {
        let mut line = format!("={leader}");
        for (pid, start) in members {
            // Writing to a string can't fail.
            let _ = write!(line, " {pid}:{start}");
        }
        line.push('\n');
        let mut state = self.lock();
        // A family that is not registered yet, or no more, has nothing to be remembered for.
        if let Some(known) = state.groups.get_mut(&leader) {
            known.clone_from(&line);
            // A guardian that is gone learns of it when it is replaced.
            let _ = tell(&mut state, line.as_bytes());
        }
    }

    /// Takes a process group off its watch.
    pub(crate) fn release(&self, leader: i32) {
        let mut state = self.lock();
        state.groups.remove(&leader);
        // A guardian that is gone learns of the remaining groups when it is replaced.
        let _ = tell(&mut state, format!("-{leader}\n").as_bytes());
    }

    /// Replaces a guardian that has ended; the new one is told all groups.
    pub(crate) fn check(&self) -> io::Result<()> {
        let mut state = self.lock();
        self.revive(&mut state)
    }

    /// The guardian's process number, for tests and diagnostics.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.lock().process.as_ref().map(|(child, _)| child.id())
    }

    /// Ends the watch as the engine's death would, and returns the process to wait for.
    pub(crate) fn close(&self) -> Option<Child> {
        let mut state = self.lock();
        state.closed = true;
        state.process.take().map(|(child, _pipe)| child)
    }

    fn revive(&self, state: &mut State) -> io::Result<()> {
        let alive = match &mut state.process {
            Some((child, _)) => child.try_wait()?.is_none(),
            None => false,
        };
        if alive || state.closed {
            return Ok(());
        }
        state.process = Some(launch(&self.mark, &self.scratch)?);
        let mut all = state.top.as_deref().map(about).unwrap_or_default();
        for (leader, members) in &state.groups {
            all.extend(format!("+{leader}\n{members}").bytes());
        }
        tell(state, &all)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // An engine that did not come up. A thread collects the process so that no zombie stays.
        if let Some(mut process) = self.close() {
            let _ = std::thread::Builder::new().spawn(move || process.wait());
        }
    }
}

/// The line that names a control group.
fn about(top: &Path) -> Vec<u8> {
    [b"@", top.as_os_str().as_bytes(), b"\n"].concat()
}

fn tell(state: &mut State, lines: &[u8]) -> io::Result<()> {
    match &mut state.process {
        Some((_, pipe)) => pipe.write_all(lines),
        None => Ok(()),
    }
}

fn launch(mark: &str, scratch: &Path) -> io::Result<(Child, ChildStdin)> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT, "anyport-guardian", mark])
        .arg(scratch)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Its own group: what a terminal or a shell sends to the engine's group must not reach it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    match child.stdin.take() {
        Some(pipe) => Ok((child, pipe)),
        None => Err(io::Error::other("the guardian has no pipe")),
    }
}
