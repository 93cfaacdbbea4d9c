//! Writes a function's lines. Several processes append to one file; each line is one write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use anyport_engine::{LogLine, LogSink};

use super::line::{Line, micros};
use super::{CLOSED, CURRENT, DAY, closed};
use crate::ids;
use crate::store::file;

/// The size in bytes at which a file is closed.
const FILE: u64 = 4 << 20;
/// The size in bytes that closed files may have together.
const ALL: u64 = 28 << 20;

/// More bytes than any line has.
const LINE: u64 = 1 << 20;

/// The log of one function.
pub(super) struct FunctionLog {
    dir: PathBuf,
    /// Days to keep lines; 0 for no limit.
    days: AtomicU32,
    /// The function is gone: its last words are not kept.
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    file: Option<File>,
    line: Vec<u8>,
    /// Lines that could not be written.
    lost: u64,
}

impl FunctionLog {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            days: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Sets how many days lines are kept.
    pub(super) fn retain(&self, days: Option<u32>) {
        let days = days.unwrap_or(0);
        if self.days.swap(days, Ordering::Relaxed) != days {
            self.tidy();
        }
    }

    /// Removes lines that have been kept long enough, as whole files: up to a day later than asked. Until then nobody is shown them.
    pub(super) fn tidy(&self) {
        if self.days.load(Ordering::Relaxed) == 0 {
            return;
        }
        let day = SystemTime::now().checked_sub(DAY).map_or(0, micros);
        // What cannot be read or removed now is tried again at the next look.
        if matches!(self.oldest(), Ok(Some(oldest)) if oldest < day) {
            self.close_current();
        }
        let _ = self.prune();
    }

    /// When the first line of the file that is being written was written.
    fn oldest(&self) -> io::Result<Option<u64>> {
        let mut line = Vec::new();
        let file = io::Read::take(File::open(self.dir.join(CURRENT))?, LINE);
        BufReader::new(file).read_until(b'\n', &mut line)?;
        Ok(Line::read(&line).map(|line| line.t))
    }

    /// Gives the file that is being written its final name. Another process may do so at the same moment: then there is nothing left to do.
    fn close_current(&self) {
        let now = micros(SystemTime::now());
        let name = format!("{now:020}-{:016x}{CLOSED}", ids::random());
        let _ = fs::rename(self.dir.join(CURRENT), self.dir.join(name));
    }

    /// Keeps no more lines.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn write(&self, state: &mut State, line: &Line<'_>) -> io::Result<()> {
        state.line.clear();
        serde_json::to_writer(&mut state.line, line)?;
        state.line.push(b'\n');
        let file = self.current(&mut state.file)?;
        let outcome = file.write_all(&state.line);
        // A flood of long lines must not keep their memory.
        state.line.shrink_to(8 << 10);
        outcome
    }

    /// The file to append to, opened anew when another process has closed it or it is full.
    fn current<'a>(&self, open: &'a mut Option<File>) -> io::Result<&'a mut File> {
        let path = self.dir.join(CURRENT);
        let there = fs::metadata(&path);
        if let (Ok(there), Some(file)) = (&there, open.as_ref()) {
            let ours = identity(&file.metadata()?) == identity(there);
            if ours && there.len() < FILE {
                // The borrow checker wants the option taken apart on the way out.
                return open.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into());
            }
        }
        if there.is_ok_and(|there| there.len() >= FILE) {
            self.close_current();
            self.prune()?;
        }
        // Only below a function that is there: a function that was removed does not come back for its last words.
        file::make_dir(&self.dir)?;
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(open.insert(options.open(&path)?))
    }

    /// Removes closed files that are too old, and the oldest ones of too many.
    fn prune(&self) -> io::Result<()> {
        let days = self.days.load(Ordering::Relaxed);
        let age = (days > 0).then(|| DAY * days);
        let oldest = age.and_then(|age| SystemTime::now().checked_sub(age));
        let mut room = ALL;
        for path in closed(&self.dir)?.iter().rev() {
            let Ok(meta) = fs::metadata(path) else {
                continue;
            };
            let too_old = oldest.is_some_and(|oldest| meta.modified().is_ok_and(|at| at < oldest));
            match room.checked_sub(meta.len()) {
                Some(left) if !too_old => room = left,
                _ => {
                    room = 0;
                    file::remove(path)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl FunctionLog {
    /// Writes a line as the engine would.
    pub(super) fn write_text(&self, text: &str) {
        let line = Line {
            t: micros(SystemTime::now()),
            v: "1".into(),
            i: "a".into(),
            r: None,
            m: text.into(),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(self.write(&mut state, &line).is_ok());
    }
}

impl LogSink for FunctionLog {
    fn line(&self, line: &LogLine) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.lost > 0 {
            let text = format!("{} log lines could not be written", state.lost);
            let mut notice = Line::of(line);
            notice.r = None;
            notice.m = text.into();
            if self.write(&mut state, &notice).is_ok() {
                state.lost = 0;
            }
        }
        if self.write(&mut state, &Line::of(line)).is_err() {
            // A full disk must not stop the function; the next line that can be written says what is missing.
            state.file = None;
            state.lost += 1;
        }
    }
}

/// Which file it is, whatever its size.
#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> u64 {
    0
}
