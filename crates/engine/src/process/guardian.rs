//! The guardian: a process that outlives the engine's by a moment and cleans up after it.
//!
//! It reads a pipe whose other end only the engine's process holds. When that process ends, by any
//! cause, the kernel closes the pipe; the guardian then kills every registered process group and every
//! process that carries the engine's mark, and removes the engine's scratch directory. It is a
//! constant script of the system's shell, so there is no file to install and nothing of the user's in
//! it: the mark and the directory are its arguments.
//!
//! Why not the parent-death signal alone: it reaches the direct child only, and it is sent when the
//! forking *thread* ends. The engine sets it as well, from a thread that lives as long as itself, for
//! the case that guardian and engine are killed together.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SCRIPT: &str = r#"
trap '' HUP INT TERM QUIT PIPE
mark=$1 dir=$2 groups=' '
while read -r line; do
  id=${line#?}
  case $line in
    +*) groups="$groups$id " ;;
    -*) case $groups in *" $id "*) groups="${groups%%" $id "*} ${groups#*" $id "}" ;; esac ;;
  esac
done
for group in $groups; do kill -9 -- "-$group"; done 2>/dev/null
clean=0 tries=0
while [ "$clean" -lt 2 ] && [ "$tries" -lt 100 ]; do
  tries=$((tries + 1)) found=
  for file in $(grep -lsaF -e "ANYPORT_INSTANCE=$mark-" /proc/[0-9]*/environ); do
    pid=${file#/proc/} found=1
    kill -9 "${pid%/environ}"
  done 2>/dev/null
  if [ -n "$found" ]; then clean=0; else clean=$((clean + 1)); fi
  sleep 0.05 2>/dev/null || sleep 1
done
[ -n "$dir" ] && rm -rf -- "$dir"
"#;

pub(crate) struct Guardian {
    mark: String,
    scratch: PathBuf,
    state: Mutex<State>,
}

struct State {
    process: Option<(Child, ChildStdin)>,
    groups: Vec<i32>,
    closed: bool,
}

impl Guardian {
    /// Starts the guardian of the engine with this mark and scratch directory.
    pub(crate) fn start(mark: &str, scratch: &Path) -> io::Result<Self> {
        let process = launch(mark, scratch)?;
        Ok(Self {
            mark: mark.to_owned(),
            scratch: scratch.to_owned(),
            state: Mutex::new(State {
                process: Some(process),
                groups: Vec::new(),
                closed: false,
            }),
        })
    }

    /// Puts a process group under its watch. A guardian that somebody killed is replaced first.
    pub(crate) fn register(&self, group: i32) -> io::Result<()> {
        let mut state = self.lock();
        state.groups.push(group);
        self.revive(&mut state)?;
        if tell(&mut state, '+', group).is_err() {
            state.process = None;
            self.revive(&mut state)?;
        }
        Ok(())
    }

    /// Takes a process group off its watch.
    pub(crate) fn release(&self, group: i32) {
        let mut state = self.lock();
        state.groups.retain(|&known| known != group);
        // A guardian that is gone learns of the remaining groups when it is replaced.
        let _ = tell(&mut state, '-', group);
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
        for group in state.groups.clone() {
            tell(state, '+', group)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(state: &mut State, sign: char, group: i32) -> io::Result<()> {
    match &mut state.process {
        Some((_, pipe)) => pipe.write_all(format!("{sign}{group}\n").as_bytes()),
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
