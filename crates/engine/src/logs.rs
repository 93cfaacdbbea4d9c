//! What functions write: line by line, with a time, a request id, an instance and a version.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Longest line that is kept whole; longer ones are split.
pub(crate) const MAX_LINE: usize = 64 << 10;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogStream {
    /// The function's standard output.
    Stdout,
    /// The function's standard error.
    Stderr,
    /// The engine, about the instance: it crashed, was stopped, ran out of time or memory.
    Platform,
}

/// One line of a function's log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogLine {
    /// When the engine read it.
    pub at: SystemTime,
    /// Where it comes from.
    pub stream: LogStream,
    /// The function.
    pub function: Arc<str>,
    /// The version.
    pub version: Arc<str>,
    /// The instance.
    pub instance: Arc<str>,
    /// The call during which it was written; `None` outside calls, and where an instance serves
    /// several calls at that moment.
    pub request_id: Option<Arc<str>>,
    /// The line without its end; bytes that are not UTF-8 are replaced.
    pub text: Arc<str>,
}

/// Takes log lines as they come.
///
/// Called in order for one instance, from several threads for several. A slow sink slows the function
/// down (its pipe fills) and the calls of its instance; a sink with slow work hands lines on.
pub trait LogSink: Send + Sync + 'static {
    /// Takes one line.
    fn line(&self, line: &LogLine);
}

/// Drops every line.
impl LogSink for () {
    fn line(&self, _line: &LogLine) {}
}

/// Keeps the last lines in memory, up to a number of bytes.
#[derive(Debug)]
pub struct LogRing {
    limit: usize,
    state: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    bytes: usize,
    dropped: u64,
}

impl LogRing {
    /// A ring of about `limit` bytes of text.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
        }
    }

    /// The lines it holds, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.lock().lines.iter().cloned().collect()
    }

    /// How many lines were dropped because newer ones took their room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a line costs beyond its text.
const LINE_OVERHEAD: usize = 64;

impl LogSink for LogRing {
    fn line(&self, line: &LogLine) {
        let mut ring = self.lock();
        ring.bytes += line.text.len() + LINE_OVERHEAD;
        ring.lines.push_back(line.clone());
        while ring.bytes > self.limit
            && let Some(old) = ring.lines.pop_front()
        {
            ring.bytes -= old.text.len() + LINE_OVERHEAD;
            ring.dropped += 1;
        }
    }
}

/// Who writes: the names on every line of one instance.
#[derive(Debug, Clone)]
pub(crate) struct LogOrigin {
    pub(crate) function: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) instance: Arc<str>,
}

/// The log of one instance: names the call, feeds the sink, keeps the tail.
pub(crate) struct InstanceLog {
    origin: LogOrigin,
    sink: Arc<dyn LogSink>,
    request: Mutex<Option<Arc<str>>>,
    tail: Mutex<Tail>,
}

/// Bytes and lines of an instance's tail.
const TAIL_BYTES: usize = 16 << 10;
const TAIL_LINES: usize = 100;
const TAIL_LINE: usize = 4 << 10;

#[derive(Default)]
struct Tail {
    lines: VecDeque<(Option<Arc<str>>, Arc<str>)>,
    bytes: usize,
}

impl InstanceLog {
    pub(crate) fn new(origin: LogOrigin, sink: Arc<dyn LogSink>) -> Self {
        Self {
            origin,
            sink,
            request: Mutex::new(None),
            tail: Mutex::default(),
        }
    }

    /// Names the call that lines belong to from here on.
    pub(crate) fn set_request(&self, id: Option<Arc<str>>) {
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    fn request(&self) -> Option<Arc<str>> {
        self.request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes one line of the function.
    pub(crate) fn push(&self, stream: LogStream, bytes: &[u8]) {
        let text: Arc<str> = String::from_utf8_lossy(bytes).into();
        let line = LogLine {
            at: SystemTime::now(),
            stream,
            function: Arc::clone(&self.origin.function),
            version: Arc::clone(&self.origin.version),
            instance: Arc::clone(&self.origin.instance),
            request_id: self.request(),
            text,
        };
        self.sink.line(&line);
        if stream != LogStream::Platform {
            self.remember(line.request_id, line.text);
        }
    }

    /// Writes a line of the engine's own.
    pub(crate) fn note(&self, text: &str) {
        self.push(LogStream::Platform, text.as_bytes());
    }

    fn remember(&self, request: Option<Arc<str>>, text: Arc<str>) {
        let text = if text.len() > TAIL_LINE {
            let end = text.floor_char_boundary_at(TAIL_LINE);
            Arc::from(&text[..end])
        } else {
            text
        };
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.bytes += text.len();
        tail.lines.push_back((request, text));
        while (tail.bytes > TAIL_BYTES || tail.lines.len() > TAIL_LINES)
            && let Some((_, old)) = tail.lines.pop_front()
        {
            tail.bytes -= old.len();
        }
    }

    /// The last lines, of one call or of all.
    pub(crate) fn tail(&self, request: Option<&str>) -> Vec<String> {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.lines
            .iter()
            .filter(|(of, _)| request.is_none() || of.as_deref() == request)
            .map(|(_, text)| text.to_string())
            .collect()
    }
}

/// `str::floor_char_boundary`, which the oldest supported compiler lacks.
trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, index: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, mut index: usize) -> usize {
        while !self.is_char_boundary(index) {
            index -= 1;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(sink: Arc<dyn LogSink>) -> InstanceLog {
        let origin = LogOrigin {
            function: "f".into(),
            version: "1".into(),
            instance: "i".into(),
        };
        InstanceLog::new(origin, sink)
    }

    #[test]
    fn ring_keeps_the_newest_lines_within_its_limit() {
        let ring = Arc::new(LogRing::new(10 * (LINE_OVERHEAD + 10)));
        let log = log(ring.clone());
        for n in 0..1000 {
            log.push(LogStream::Stdout, format!("line {n:05}").as_bytes());
        }
        let lines = ring.lines();
        assert_eq!(lines.len(), 10);
        assert_eq!(&*lines[9].text, "line 00999");
        assert_eq!(ring.dropped(), 990);
    }

    #[test]
    fn tail_is_bounded_and_told_apart_by_call() {
        let log = log(Arc::new(()));
        log.push(LogStream::Stdout, b"before");
        log.set_request(Some("r1".into()));
        log.push(LogStream::Stderr, "é".repeat(TAIL_LINE).as_bytes());
        log.set_request(None);
        let tail = log.tail(Some("r1"));
        assert_eq!(tail.len(), 1);
        assert!(tail[0].len() <= TAIL_LINE);
        for _ in 0..10_000 {
            log.push(LogStream::Stdout, b"flood flood flood flood flood flood");
        }
        let all = log.tail(None);
        assert!(all.len() <= TAIL_LINES);
        assert!(log.tail(Some("r1")).is_empty());
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced() {
        let ring = Arc::new(LogRing::new(1 << 10));
        log(ring.clone()).push(LogStream::Stdout, b"a\xffb");
        assert_eq!(&*ring.lines()[0].text, "a\u{fffd}b");
    }
}
