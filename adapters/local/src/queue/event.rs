//! An event on disk: a line of JSON, then the payload as it came. What changes between attempts is in the file's name, so that
//! the file itself never does.

use anyport_core::call::Qualifier;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How the files of events end.
pub(crate) const EVENT: &str = ".event";
/// No event is longer, in bytes: a payload and what is known of it.
pub(crate) const LONGEST_EVENT: u64 = crate::capability::MAX_PAYLOAD + (1 << 20);

/// An accepted event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) accepted_ms: u64,
    pub(crate) qualifier: Qualifier,
    pub(crate) content_type: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    id: String,
    accepted_ms: u64,
    qualifier: Qualifier,
    content_type: String,
    traceparent: Option<String>,
    idempotency_key: Option<String>,
    size: u64,
}

const FORMAT: u32 = 1;

impl Event {
    /// The head and the payload to write.
    pub(super) fn encode(&self) -> (Vec<u8>, &[u8]) {
        let head = Head {
            format: FORMAT,
            id: self.id.clone(),
            accepted_ms: self.accepted_ms,
            qualifier: self.qualifier.clone(),
            content_type: self.content_type.clone(),
            traceparent: self.traceparent.clone(),
            idempotency_key: self.idempotency_key.clone(),
            size: self.body.len() as u64,
        };
        // Text and numbers: it cannot fail to encode.
        let mut line = serde_json::to_vec(&head).unwrap_or_default();
        line.push(b'\n');
        (line, &self.body)
    }

    /// Reads an event; `None` for what is none.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Bytes::from(bytes);
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let body = bytes.slice(end + 1..);
        (head.format == FORMAT && body.len() as u64 == head.size).then_some(Self {
            id: head.id,
            accepted_ms: head.accepted_ms,
            qualifier: head.qualifier,
            content_type: head.content_type,
            traceparent: head.traceparent,
            idempotency_key: head.idempotency_key,
            body,
        })
    }
}

/// The file of an event that was just accepted.
pub(super) fn fresh(id: &str) -> String {
    Ticket::new(id).file()
}

/// What a file's name says: which event, attempts made so far, and when the next is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    pub(super) due_ms: u64,
    pub(super) id: String,
    pub(super) attempts: u32,
}

impl Ticket {
    fn new(id: &str) -> Self {
        Self {
            due_ms: 0,
            id: id.to_owned(),
            attempts: 0,
        }
    }

    pub(super) fn file(&self) -> String {
        format!("{}.{}.{}{EVENT}", self.id, self.attempts, self.due_ms)
    }

    /// Reads a file's name; `None` for what is no event.
    pub(super) fn read(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(EVENT)?.split('.');
        let ticket = Self {
            id: parts.next().filter(|id| !id.is_empty())?.to_owned(),
            attempts: parts.next()?.parse().ok()?,
            due_ms: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_round_trip_whatever_they_hold() {
        for body in [&b""[..], b"\n\n{\"format\":9}\n", &[0, 255, 10, 13]] {
            let event = Event {
                id: "id-1".to_owned(),
                accepted_ms: 7,
                qualifier: Qualifier::Live,
                content_type: "image/png".to_owned(),
                traceparent: None,
                idempotency_key: Some("key".to_owned()),
                body: Bytes::copy_from_slice(body),
            };
            let (head, body) = event.encode();
            let whole = [&head, body].concat();
            assert_eq!(Event::decode(whole.clone()), Some(event));
            assert_eq!(Event::decode([&whole[..], b"x"].concat()), None);
            assert_eq!(Event::decode(whole[..head.len() / 2].to_vec()), None);
        }
    }

    #[test]
    fn tickets_round_trip_and_sort_by_when_they_are_due() {
        let first = Ticket::new("b");
        let later = Ticket {
            due_ms: 5,
            attempts: 2,
            id: "a".to_owned(),
        };
        assert!(first < later);
        assert_eq!(Ticket::read(&later.file()), Some(later));
        for name in [
            "",
            "a.event",
            "a.1.event",
            ".1.2.event",
            "a.1.2.3.event",
            "a.1.2",
        ] {
            assert_eq!(Ticket::read(name), None, "{name}");
        }
    }
}
