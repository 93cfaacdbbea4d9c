//! Log events as lines: which version and instance wrote them, and which invocation they belong to. Pure.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use anyport_core::call::{LogLine, LogQuery};
use anyport_core::plan::VersionId;

use super::platform::{self, Own};
use crate::wire::logs::Event;

/// Reads events in the order in which they were written.
#[derive(Debug)]
pub(super) struct Reader {
    request_id: Option<String>,
    version: Option<VersionId>,
    /// The invocation that each stream is in: an instance handles one at a time.
    current: HashMap<String, String>,
}

impl Reader {
    pub(super) fn new(query: &LogQuery) -> Self {
        Self {
            request_id: query.request_id.clone(),
            version: query.version.clone(),
            current: HashMap::new(),
        }
    }

    /// The line in an event, unless it is Lambda's own or not asked for.
    pub(super) fn lift(&mut self, event: Event) -> Option<LogLine> {
        let text = event.message.trim_end_matches(['\n', '\r']);
        match platform::own(text) {
            Some(Own::Start { request_id, .. }) => {
                self.current
                    .insert(event.log_stream_name, request_id.to_owned());
                return None;
            }
            Some(Own::Report) => {
                self.current.remove(&event.log_stream_name);
                return None;
            }
            Some(Own::End | Own::Other) => return None,
            None => {}
        }
        let stream = Stream::read(&event.log_stream_name);
        let current = self.current.get(&event.log_stream_name).map(String::as_str);
        let request_id = current.or_else(|| mentioned(text));
        if self.request_id.is_some() && self.request_id.as_deref() != request_id {
            return None;
        }
        if !self.is_of(&stream) {
            return None;
        }
        let time = UNIX_EPOCH + Duration::from_millis(event.timestamp);
        let mut line = LogLine::new(time, text);
        line.request_id = request_id.map(str::to_owned);
        line.version = stream.version.map(VersionId::new);
        line.instance = stream.instance.map(str::to_owned);
        Some(line)
    }

    /// Whether an event is of a version that was asked for, and not Lambda's own.
    pub(super) fn counts(&self, event: &Event) -> bool {
        self.is_of(&Stream::read(&event.log_stream_name)) && !platform::is_own(&event.message)
    }

    fn is_of(&self, stream: &Stream<'_>) -> bool {
        let asked = self.version.as_ref().map(VersionId::as_str);
        asked.is_none_or(|asked| stream.version == Some(asked))
    }
}

/// What the name of a stream says: `2026/11/23/[3]0f1e...`. Source: Lambda developer guide.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stream<'a> {
    version: Option<&'a str>,
    instance: Option<&'a str>,
}

impl<'a> Stream<'a> {
    fn read(name: &'a str) -> Self {
        let parts = name
            .rsplit_once(']')
            .and_then(|(before, instance)| Some((before.rsplit_once('[')?.1, instance)));
        let Some((version, instance)) = parts else {
            return Self::default();
        };
        Self {
            version: Some(version).filter(|it| !it.is_empty()),
            instance: Some(instance).filter(|it| !it.is_empty()),
        }
    }
}

/// The invocation that a line itself names, in the ways of Lambda and of its runtimes.
fn mentioned(text: &str) -> Option<&str> {
    let id = if let Some(rest) = text.strip_prefix("RequestId: ") {
        rest.split_whitespace().next()
    } else if text.contains("Task timed out after ") {
        text.split_whitespace().nth(1)
    } else {
        text.split('\t').nth(1)
    };
    id.filter(|id| is_id(id))
}

/// Whether a text has the form of a request id: a UUID.
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "e4b46cbf-b738-4e7a-8880-a18cdf61200e";
    const OTHER: &str = "11111111-b738-4e7a-8880-a18cdf61200e";

    fn event(stream: &str, time: u64, message: &str) -> Event {
        Event {
            log_stream_name: format!("2026/11/23/{stream}"),
            timestamp: time,
            message: message.to_owned(),
            event_id: time.to_string(),
        }
    }

    fn query() -> LogQuery {
        LogQuery::new("hello".parse().unwrap())
    }

    fn lift(query: &LogQuery, events: Vec<Event>) -> Vec<LogLine> {
        let mut reader = Reader::new(query);
        events
            .into_iter()
            .filter_map(|event| reader.lift(event))
            .collect()
    }

    fn interleaved() -> Vec<Event> {
        vec![
            event("[3]a", 1, "starting\n"),
            event("[3]a", 2, &format!("START RequestId: {ID} Version: 3\n")),
            event("[4]b", 2, &format!("START RequestId: {OTHER} Version: 4\n")),
            event("[3]a", 3, "one\n"),
            event("[4]b", 3, "two\n"),
            event("[3]a", 4, &format!("END RequestId: {ID}\n")),
            event(
                "[3]a",
                4,
                &format!("REPORT RequestId: {ID}\tDuration: 1 ms\n"),
            ),
            event("[3]a", 5, "after\n"),
            event("[4]b", 6, "three\n"),
        ]
    }

    #[test]
    fn lines_belong_to_the_invocation_that_their_stream_is_in() {
        let lines = lift(&query(), interleaved());
        let seen: Vec<_> = lines
            .iter()
            .map(|line| (line.text.as_str(), line.request_id.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("starting", None),
                ("one", Some(ID)),
                ("two", Some(OTHER)),
                ("after", None),
                ("three", Some(OTHER)),
            ]
        );
        let one = &lines[1];
        assert_eq!(one.version, Some(VersionId::new("3")));
        assert_eq!(one.instance.as_deref(), Some("a"));
        assert_eq!(one.time, UNIX_EPOCH + Duration::from_millis(3));
    }

    #[test]
    fn invocations_and_versions_are_picked_out() {
        let texts = |query: &LogQuery| -> Vec<String> {
            let lines = lift(query, interleaved()).into_iter();
            lines.map(|line| line.text).collect()
        };
        let mut by_request = query();
        by_request.request_id = Some(OTHER.to_owned());
        assert_eq!(texts(&by_request), ["two", "three"]);
        let mut by_version = query();
        by_version.version = Some(VersionId::new("3"));
        assert_eq!(texts(&by_version), ["starting", "one", "after"]);
    }

    #[test]
    fn lines_that_name_their_invocation_need_no_start() {
        for text in [
            format!("RequestId: {ID} Error: Runtime exited with error: exit status 3"),
            format!("2026-11-23T10:00:00.000Z {ID} Task timed out after 3.00 seconds"),
            format!("2026-11-23T10:00:00.000Z\t{ID}\tINFO\thello"),
        ] {
            let lines = lift(&query(), vec![event("[3]a", 1, &text)]);
            assert_eq!(lines[0].request_id.as_deref(), Some(ID), "{text}");
        }
        let lines = lift(&query(), vec![event("odd", 1, "a\tb\tc")]);
        assert_eq!((&lines[0].request_id, &lines[0].version), (&None, &None));
    }
}
