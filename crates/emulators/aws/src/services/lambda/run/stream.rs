//! The log of one instance: its lines in order, and the end of what each call wrote.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of the log that a caller may ask for. Source: Lambda API model, `LogResult`.
const TAIL_BYTES: usize = 4096;
/// Lines that wait for the end of the call before theirs.
const WAITING: usize = 4096;

/// An instance's log stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The call whose lines are being written, and their end.
    current: Option<(String, Tail)>,
    /// The function takes its next call before the one before is reported: what belongs to it waits.
    waiting: VecDeque<Item>,
    ready: bool,
    /// What was written before the first call.
    init: Tail,
}

/// Something to write.
#[derive(Debug)]
pub(super) enum Item {
    /// A call begins with this text, which may be empty.
    Start { request: String, text: String },
    /// A line of the function during this call.
    Line {
        request: Option<String>,
        text: String,
    },
}

/// Takes texts for the stream; called in order, under the stream's lock.
pub(super) type Write<'a> = &'a dyn Fn(&str);

impl Stream {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            state: Mutex::default(),
        }
    }

    /// Writes something now, or after the call before is reported.
    pub(super) fn accept(&self, item: Item, write: Write<'_>) {
        let mut state = self.lock();
        if state.waiting.len() >= WAITING {
            // The report was lost; better late lines than none.
            state.current = None;
            state.flush(write);
        }
        if state.waiting.is_empty() && state.belongs(&item) {
            state.emit(item, write);
        } else {
            state.waiting.push_back(item);
        }
    }

    /// Ends the lines of a call with `text`, and returns the last of them.
    pub(super) fn finish(&self, request: &str, text: &str, write: Write<'_>) -> String {
        let mut state = self.lock();
        write_text(text, write);
        let tail = match state.current.take_if(|(id, _)| id == request) {
            Some((_, mut tail)) => {
                tail.push(text);
                tail.last()
            }
            None => text.replace(EVENT_END, ""),
        };
        state.flush(write);
        tail
    }

    /// It is ready: what was written so far is no longer of interest.
    pub(super) fn ready(&self) {
        let mut state = self.lock();
        state.ready = true;
        state.init = Tail::default();
    }

    /// Whether it ever was ready.
    pub(super) fn was_ready(&self) -> bool {
        self.lock().ready
    }

    /// Whether all of its calls are reported.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.current.is_none() && state.waiting.is_empty()
    }

    /// What was written before it was to be ready.
    pub(super) fn init_tail(&self) -> String {
        self.lock().init.last()
    }

    /// Writes a text that belongs to no call.
    pub(super) fn note(&self, text: &str, write: Write<'_>) {
        let _state = self.lock();
        write_text(text, write);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the item can be written while the current call is not reported yet.
    fn belongs(&self, item: &Item) -> bool {
        let Some((current, _)) = &self.current else {
            return true;
        };
        match item {
            Item::Start { .. } => false,
            Item::Line { request, .. } => request.as_ref().is_none_or(|id| id == current),
        }
    }

    fn emit(&mut self, item: Item, write: Write<'_>) {
        match item {
            Item::Start { request, text } => {
                write_text(&text, write);
                let mut tail = Tail::default();
                tail.push(&text);
                self.current = Some((request, tail));
            }
            Item::Line { text, .. } => {
                write_text(&text, write);
                match &mut self.current {
                    Some((_, tail)) => tail.push(&text),
                    None if !self.ready => self.init.push(&text),
                    None => {}
                }
            }
        }
    }

    fn flush(&mut self, write: Write<'_>) {
        while let Some(item) = self.waiting.pop_front() {
            if !self.belongs(&item) {
                self.waiting.push_front(item);
                return;
            }
            self.emit(item, write);
        }
    }
}

/// Writes one event; a text of several is split where its platform lines begin.
fn write_text(text: &str, write: Write<'_>) {
    for event in text.split(EVENT_END).filter(|event| !event.is_empty()) {
        write(event);
    }
}

/// Parts the events of one text. It is in no text: functions' lines are freed of it.
pub(super) const EVENT_END: char = '\u{0}';

/// The end of a text, in bounded memory.
#[derive(Debug, Default)]
struct Tail(String);

impl Tail {
    fn push(&mut self, text: &str) {
        self.0.extend(text.split(EVENT_END));
        if self.0.len() > 4 * TAIL_BYTES {
            let from = floor(&self.0, self.0.len() - TAIL_BYTES);
            self.0.drain(..from);
        }
    }

    fn last(&mut self) -> String {
        let from = floor(&self.0, self.0.len().saturating_sub(TAIL_BYTES));
        self.0.split_off(from)
    }
}

/// The start of a character, at or after `at`.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(request: &str) -> Item {
        Item::Start {
            request: request.to_owned(),
            text: format!("START {request}\n"),
        }
    }

    fn line(request: &str, text: &str) -> Item {
        Item::Line {
            request: Some(request.to_owned()),
            text: format!("{text}\n"),
        }
    }

    #[test]
    fn a_call_that_begins_early_is_written_after_the_one_before() {
        let written = Mutex::new(Vec::new());
        let write = |text: &str| written.lock().unwrap().push(text.trim_end().to_owned());
        let stream = Stream::new("s".to_owned());
        stream.accept(start("a"), &write);
        stream.accept(line("a", "one"), &write);
        stream.accept(start("b"), &write);
        stream.accept(line("b", "two"), &write);
        let tail = stream.finish("a", "END a\n\0REPORT a\n", &write);
        assert_eq!(tail, "START a\none\nEND a\nREPORT a\n");
        assert_eq!(
            stream.finish("b", "END b\n", &write),
            "START b\ntwo\nEND b\n"
        );
        assert_eq!(
            written.into_inner().unwrap(),
            [
                "START a", "one", "END a", "REPORT a", "START b", "two", "END b"
            ]
        );
    }

    #[test]
    fn the_tail_is_bounded_and_whole_characters() {
        let stream = Stream::new("s".to_owned());
        stream.accept(start("a"), &|_| {});
        for _ in 0..1000 {
            stream.accept(line("a", &"é".repeat(100)), &|_| {});
        }
        let tail = stream.finish("a", "END\n", &|_| {});
        assert!(tail.len() <= TAIL_BYTES && tail.ends_with("é\nEND\n"));
    }

    #[test]
    fn a_lost_report_does_not_hold_lines_for_ever() {
        let count = Mutex::new(0);
        let write = |_: &str| *count.lock().unwrap() += 1;
        let stream = Stream::new("s".to_owned());
        stream.accept(start("a"), &write);
        stream.accept(start("b"), &write);
        for _ in 0..WAITING {
            stream.accept(line("b", "x"), &write);
        }
        assert!(*count.lock().unwrap() > WAITING);
    }
}
