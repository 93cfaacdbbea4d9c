//! Reads a function's lines back: all files oldest first, then the new ones as they come.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyport_core::call::{LogLine, LogQuery};
use anyport_core::error::{Error, Result};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::line::Line;
use super::{CURRENT, DAY, closed};
use crate::error;
use crate::store::Stamp;

/// Lines handed on at once.
const BATCH: usize = 256;
/// Lines held back to put those in order that several instances wrote at the same time.
const WINDOW: usize = 512;
/// How often a followed log is looked at.
const POLL: Duration = Duration::from_millis(100);
/// The longest line that is read; longer ones are passed over. The engine splits lines far below it.
const LONGEST: u64 = 1 << 20;

/// The lines that `query` asks for, from the files in `dir`, those older than `days` left out. Reads on as lines are taken; holds a
/// bounded number of them.
pub(crate) fn read(
    dir: PathBuf,
    days: Option<u32>,
    mut query: LogQuery,
) -> BoxStream<'static, Result<LogLine>> {
    let kept = days.and_then(|days| SystemTime::now().checked_sub(DAY * days));
    query.since = query.since.max(kept);
    let reading = Reading {
        files: None,
        last: None,
        current: None,
        window: BinaryHeap::new(),
        tail: query.tail.map(|_| VecDeque::new()),
        number: 0,
        caught_up: false,
        was_there: false,
        query,
        dir,
    };
    stream::try_unfold(reading, |mut reading| async move {
        loop {
            let ended = reading.caught_up && !reading.query.follow;
            // Before the first line there is no folder yet; one that is gone again went with its function.
            let there = reading.dir.exists();
            reading.was_there |= there;
            if ended || (reading.caught_up && reading.was_there && !there) {
                return Ok::<_, Error>(None);
            }
            if reading.caught_up {
                tokio::time::sleep(POLL).await;
            }
            let (back, lines) = step(reading).await?;
            reading = back;
            if !lines.is_empty() {
                let lines = stream::iter(lines.into_iter().map(Ok));
                return Ok(Some((lines, reading)));
            }
        }
    })
    .try_flatten()
    .boxed()
}

async fn step(mut reading: Reading) -> Result<(Reading, Vec<LogLine>)> {
    crate::provider::blocking("read the log", move || {
        let dir = reading.dir.clone();
        let lines = reading
            .next()
            .map_err(error::io("read the logs of", &dir))?;
        Ok((reading, lines))
    })
    .await
}

/// Where reading stands.
struct Reading {
    dir: PathBuf,
    query: LogQuery,
    /// Closed files still to be read; `None` before they were listed.
    files: Option<VecDeque<PathBuf>>,
    /// The closed file that was opened last.
    last: Option<PathBuf>,
    current: Option<Source>,
    window: BinaryHeap<Reverse<(u64, u64, Held)>>,
    /// The newest lines so far, when only those are asked for.
    tail: Option<VecDeque<LogLine>>,
    number: u64,
    caught_up: bool,
    /// Whether the folder was there when it was looked at.
    was_there: bool,
}

/// An open file.
struct Source {
    file: BufReader<File>,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
    /// Whether it was the file being written when it was opened.
    growing: bool,
    /// Whether it was seen to be closed once.
    closing: bool,
    inode: Stamp,
}

/// A line in the window; ordered by time and place, which stand before it.
struct Held(LogLine);

impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Held {}
impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Held {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Reading {
    /// The next lines; none when the end was reached, which `caught_up` says.
    fn next(&mut self) -> io::Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        loop {
            let end = !self.read_line()?;
            while self.window.len() > if end { 0 } else { WINDOW } {
                if let Some(Reverse((_, _, Held(line)))) = self.window.pop() {
                    self.keep(line, &mut lines);
                }
            }
            if end {
                self.caught_up = true;
                if let Some(tail) = self.tail.take() {
                    lines.extend(tail);
                }
            }
            if end || lines.len() >= BATCH {
                return Ok(lines);
            }
        }
    }

    fn keep(&mut self, line: LogLine, lines: &mut Vec<LogLine>) {
        match (&mut self.tail, self.query.tail) {
            (Some(tail), Some(most)) => {
                tail.push_back(line);
                if tail.len() > most {
                    tail.pop_front();
                }
            }
            _ => lines.push(line),
        }
    }

    /// Reads one line into the window. False at the end of everything that is written.
    fn read_line(&mut self) -> io::Result<bool> {
        loop {
            let Some(source) = &mut self.current else {
                if !self.open_next()? {
                    return Ok(false);
                }
                continue;
            };
            match source.line()? {
                Some(bytes) => {
                    if let Some(line) = Line::read(&bytes).filter(|it| it.matches(&self.query)) {
                        self.number += 1;
                        let place = (line.t, self.number);
                        let held = Held(line.lift());
                        self.window.push(Reverse((place.0, place.1, held)));
                    }
                    return Ok(true);
                }
                None if source.growing => {
                    if !self.was_closed()? {
                        return Ok(false);
                    }
                }
                None => self.current = None,
            }
        }
    }

    /// Whether the growing file was closed meanwhile: then what was written to it last is read, and after it the files that follow.
    fn was_closed(&mut self) -> io::Result<bool> {
        let Some(source) = &mut self.current else {
            return Ok(false);
        };
        let now = Stamp::of(&self.dir.join(CURRENT))?;
        if now.is_some_and(|now| now.same_file(&source.inode)) {
            return Ok(false);
        }
        if self.query.follow && !source.closing {
            // A writer that looked just before may still be writing to it: it is given until the next look.
            source.closing = true;
            return Ok(false);
        }
        source.growing = false;
        let mut files = closed(&self.dir)?;
        let own = files.iter().position(
            |path| matches!(Stamp::of(path), Ok(Some(stamp)) if stamp.same_file(&source.inode)),
        );
        // When it is gone already, everything that is there is newer.
        let newer = files.split_off(own.map_or(0, |own| own + 1));
        if own.is_some() {
            self.last = files.pop();
        }
        self.files = Some(newer.into());
        Ok(true)
    }

    /// Opens the next file; false when there is none.
    fn open_next(&mut self) -> io::Result<bool> {
        if self.files.is_none() {
            self.files = Some(closed(&self.dir)?.into());
        }
        if let Some(path) = self.files.as_mut().and_then(VecDeque::pop_front) {
            // One that was removed meanwhile is passed over.
            self.current = Source::open(&path, false)?;
            self.last = Some(path);
            return Ok(true);
        }
        let current = Source::open(&self.dir.join(CURRENT), true)?;
        // A file may have been closed since they were listed: it comes first.
        let missed = closed(&self.dir)?.into_iter().filter(|path| {
            let ours = |source: &Source| {
                matches!(Stamp::of(path), Ok(Some(stamp)) if stamp.same_file(&source.inode))
            };
            self.last.as_ref().is_none_or(|last| path > last)
                && !current.as_ref().is_some_and(ours)
        });
        let missed: VecDeque<PathBuf> = missed.collect();
        if !missed.is_empty() {
            self.files = Some(missed);
            return Ok(true);
        }
        self.current = current;
        Ok(self.current.is_some())
    }
}

impl Source {
    fn open(path: &Path, growing: bool) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let inode = Stamp::from(&file.metadata()?);
        Ok(Some(Self {
            file: BufReader::with_capacity(64 << 10, file),
            partial: Vec::new(),
            growing,
            closing: false,
            inode,
        }))
    }

    /// The next whole line, `None` when there is none yet.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let room = LONGEST.saturating_sub(self.partial.len() as u64);
        let mut limited = io::Read::take(&mut self.file, room);
        limited.read_until(b'\n', &mut self.partial)?;
        if self.partial.ends_with(b"\n") {
            return Ok(Some(std::mem::take(&mut self.partial)));
        }
        if self.partial.len() as u64 >= LONGEST {
            // Not a line of ours: its rest is read and passed over like it.
            return Ok(Some(std::mem::take(&mut self.partial)));
        }
        Ok(None)
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
