//! One group: its settings, its streams and its events, in bounded memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// Bytes of events that a group holds at most; older ones make room.
const GROUP_BYTES: usize = 4 << 20;
/// Streams of a group; those that were written to longest ago make room.
const GROUP_STREAMS: usize = 2000;
/// Bytes of events that are kept over a restart.
const KEPT_BYTES: usize = 256 << 10;
/// What an event counts beyond its message. Source: the quotas of `PutLogEvents`.
pub(super) const EVENT_OVERHEAD: usize = 26;
const DAY_MS: u64 = 86_400_000;

/// A log group.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) created: u64,
    pub(super) retention_days: Option<u64>,
    pub(super) class: Option<String>,
    pub(super) kms_key: Option<String>,
    pub(super) protected: bool,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) streams: BTreeMap<Arc<str>, Stream>,
    /// In the order in which they came.
    pub(super) events: VecDeque<Event>,
    bytes: usize,
    next: u64,
}

/// A log stream: what is told of it beside its events.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    pub(super) created: u64,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    pub(super) ingested: Option<u64>,
}

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) stream: Arc<str>,
    pub(super) at: u64,
    pub(super) ingested: u64,
    /// Its place among the group's events.
    pub(super) number: u64,
    pub(super) message: Arc<str>,
}

/// What events are read in the order of.
pub(super) type Key = (u64, u64);

impl Event {
    pub(super) fn key(&self) -> Key {
        (self.at, self.number)
    }

    fn size(&self) -> usize {
        self.message.len() + EVENT_OVERHEAD
    }
}

impl Group {
    pub(super) fn new(created: u64) -> Self {
        Self {
            created,
            next: 1,
            ..Self::default()
        }
    }

    pub(super) fn has_stream(&self, name: &str) -> bool {
        self.streams.contains_key(name)
    }

    pub(super) fn stream_names(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(|name| &**name)
    }

    pub(super) fn add_stream(&mut self, name: &str, created: u64) {
        let stream = Stream {
            created,
            ..Stream::default()
        };
        self.streams.insert(name.into(), stream);
        if self.streams.len() > GROUP_STREAMS {
            let oldest = self
                .streams
                .iter()
                .filter(|(other, _)| &***other != name)
                .min_by_key(|(_, stream)| stream.ingested.unwrap_or(stream.created))
                .map(|(name, _)| Arc::clone(name));
            if let Some(oldest) = oldest {
                self.remove_stream(&oldest);
            }
        }
    }

    pub(super) fn remove_stream(&mut self, name: &str) -> bool {
        let removed = self.streams.remove(name).is_some();
        if removed {
            self.events.retain(|event| &*event.stream != name);
            self.bytes = self.events.iter().map(Event::size).sum();
        }
        removed
    }

    /// Adds an event to a stream that exists.
    pub(super) fn append(&mut self, stream: &str, at: u64, ingested: u64, message: &str) {
        let Some((name, _)) = self.streams.get_key_value(stream) else {
            return;
        };
        let name = Arc::clone(name);
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.first = Some(stream.first.map_or(at, |first| first.min(at)));
            stream.last = Some(stream.last.map_or(at, |last| last.max(at)));
            stream.ingested = Some(ingested);
        }
        let event = Event {
            stream: name,
            at,
            ingested,
            number: self.next,
            message: message.into(),
        };
        self.next += 1;
        self.bytes += event.size();
        self.events.push_back(event);
        while self.bytes > GROUP_BYTES {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        match self.events.pop_front() {
            Some(event) => self.bytes -= event.size(),
            None => self.bytes = 0,
        }
    }

    /// Forgets events that are older than the retention allows.
    pub(super) fn expire(&mut self, now: u64) {
        let Some(days) = self.retention_days else {
            return;
        };
        let oldest = now.saturating_sub(days.saturating_mul(DAY_MS));
        if self.events.iter().any(|event| event.at < oldest) {
            self.events.retain(|event| event.at >= oldest);
            self.bytes = self.events.iter().map(Event::size).sum();
        }
    }

    /// Bytes of all events.
    pub(super) fn stored_bytes(&self) -> usize {
        self.bytes
    }

    /// The events that `wanted` lets through, in the order of their times.
    pub(super) fn sorted(&self, wanted: impl Fn(&Event) -> bool) -> Vec<&Event> {
        let mut events: Vec<&Event> = self.events.iter().filter(|event| wanted(event)).collect();
        events.sort_by_key(|event| event.key());
        events
    }

    /// The settings in one text, for comparing.
    pub(super) fn digest(&self) -> String {
        json!([
            self.retention_days,
            self.class,
            self.kms_key,
            self.protected,
            self.tags
        ])
        .to_string()
    }

    pub(super) fn save(&self) -> Value {
        let mut kept = 0;
        let mut events: Vec<Value> = self
            .events
            .iter()
            .rev()
            .take_while(|event| {
                kept += event.size();
                kept <= KEPT_BYTES
            })
            .map(|event| json!([&*event.stream, event.at, event.ingested, &*event.message]))
            .collect();
        events.reverse();
        let streams: Map<String, Value> = self
            .streams
            .iter()
            .map(|(name, stream)| {
                let told = json!([stream.created, stream.first, stream.last, stream.ingested]);
                (name.to_string(), told)
            })
            .collect();
        json!({
            "created": self.created,
            "retention_days": self.retention_days,
            "class": self.class,
            "kms_key": self.kms_key,
            "protected": self.protected,
            "tags": self.tags,
            "streams": streams,
            "events": events,
        })
    }

    pub(super) fn load(kept: &Value) -> Self {
        let text = |name: &str| kept[name].as_str().map(str::to_owned);
        let mut group = Self::new(kept["created"].as_u64().unwrap_or(0));
        group.retention_days = kept["retention_days"].as_u64();
        group.class = text("class");
        group.kms_key = text("kms_key");
        group.protected = kept["protected"].as_bool().unwrap_or(false);
        for (name, value) in kept["tags"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            group.tags.insert(name.clone(), value);
        }
        let streams = || kept["streams"].as_object().into_iter().flatten();
        for (name, told) in streams() {
            group.add_stream(name, told[0].as_u64().unwrap_or(0));
        }
        for event in kept["events"].as_array().into_iter().flatten() {
            if let (Some(stream), Some(message)) = (event[0].as_str(), event[3].as_str()) {
                let at = event[1].as_u64().unwrap_or(0);
                group.append(stream, at, event[2].as_u64().unwrap_or(at), message);
            }
        }
        for (name, told) in streams() {
            if let Some(stream) = group.streams.get_mut(name.as_str()) {
                stream.first = told[1].as_u64();
                stream.last = told[2].as_u64();
                stream.ingested = told[3].as_u64();
            }
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let mut group = Group::new(0);
        group.add_stream("s", 0);
        let message = "x".repeat(1000);
        for at in 0..10_000 {
            group.append("s", at, at, &message);
        }
        assert!(group.stored_bytes() <= GROUP_BYTES);
        assert_eq!(group.events.back().unwrap().at, 9999);
        assert_eq!(group.streams["s"].first, Some(0));
        for n in 0..=GROUP_STREAMS {
            group.add_stream(&format!("t{n}"), 20_000);
        }
        assert!(group.streams.len() <= GROUP_STREAMS);
        assert!(!group.has_stream("s"));
        assert_eq!(group.stored_bytes(), 0);
    }

    #[test]
    fn retention_takes_what_is_old() {
        let mut group = Group::new(0);
        group.add_stream("s", 0);
        group.append("s", 1, 1, "old");
        group.append("s", 2 * DAY_MS, 2 * DAY_MS, "new");
        group.expire(3 * DAY_MS);
        assert_eq!(group.events.len(), 2);
        group.retention_days = Some(1);
        group.expire(3 * DAY_MS);
        assert_eq!(group.events.len(), 1);
        assert_eq!(&*group.events[0].message, "new");
    }

    #[test]
    fn what_is_kept_comes_back() {
        let mut group = Group::new(7);
        group.retention_days = Some(30);
        group.tags.insert("a".to_owned(), "b".to_owned());
        group.add_stream("s", 8);
        group.append("s", 9, 10, "hello\n");
        let again = Group::load(&group.save());
        assert_eq!(again.save(), group.save());
        assert_eq!(again.stored_bytes(), group.stored_bytes());
        assert_eq!(again.digest(), group.digest());
    }
}
