//! Which events wait, and which are due.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::services::lambda::names::Target;

/// Bytes of payloads that wait at most. *Guessed*: AWS's queue has no such limit.
const QUEUE_BYTES: usize = 128 << 20;
/// Events of one function that are delivered at a time; more wait for their turn.
const AT_A_TIME: usize = 32;

/// An asynchronous invocation on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The id that all of its attempts have.
    pub(super) request: String,
    /// What it is for.
    pub(super) target: Target,
    /// JSON.
    pub(super) payload: Bytes,
    /// The trace header it came with.
    pub(super) trace: String,
    /// When it was taken, in milliseconds since 1970.
    pub(super) accepted: u64,
    /// When it is to be delivered.
    pub(super) due: u64,
    /// How often the function has run for it.
    pub(super) attempts: u32,
    /// How often in a row it could not run.
    pub(super) refusals: u32,
    /// What came of it last.
    pub(super) last: Option<Last>,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    /// 200 where the function ran.
    pub(super) status: u16,
    /// The version that ran.
    pub(super) version: Option<String>,
    /// Whether it failed.
    pub(super) failed: bool,
    /// What it answered.
    pub(super) payload: Option<Bytes>,
}

impl Event {
    pub(super) fn new(
        request: &str,
        target: Target,
        payload: Bytes,
        trace: String,
        now: u64,
    ) -> Self {
        Self {
            request: request.to_owned(),
            target,
            payload,
            trace,
            accepted: now,
            due: now,
            attempts: 0,
            refusals: 0,
            last: None,
        }
    }

    fn save(&self) -> Value {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let last = self.last.as_ref().map(|last| {
            json!({
                "status": last.status,
                "version": last.version,
                "failed": last.failed,
                "payload": last.payload.as_ref().map(text),
            })
        });
        json!({
            "request": self.request,
            "target": self.target.arn(),
            "payload": text(&self.payload),
            "trace": self.trace,
            "accepted": self.accepted,
            "due": self.due,
            "attempts": self.attempts,
            "refusals": self.refusals,
            "last": last,
        })
    }

    fn load(kept: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let count = |value: &Value| u32::try_from(value.as_u64().unwrap_or(0)).unwrap_or(u32::MAX);
        let last = &kept["last"];
        let last = last["status"].as_u64().map(|status| Last {
            status: u16::try_from(status).unwrap_or(500),
            version: text(&last["version"]),
            failed: last["failed"].as_bool().unwrap_or(true),
            payload: text(&last["payload"]).map(Bytes::from),
        });
        Some(Self {
            request: text(&kept["request"])?,
            target: Target::of_arn(kept["target"].as_str()?)?,
            payload: text(&kept["payload"])?.into(),
            trace: text(&kept["trace"]).unwrap_or_default(),
            accepted: kept["accepted"].as_u64()?,
            due: kept["due"].as_u64()?,
            attempts: count(&kept["attempts"]),
            refusals: count(&kept["refusals"]),
            last,
        })
    }
}

/// All events, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    events: BTreeMap<u64, Held>,
    /// By function: how many are being delivered.
    running: HashMap<String, usize>,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
struct Held {
    event: Event,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// It is not kept yet, and must not run.
    Unkept,
    Waiting,
    Running,
}

impl Queue {
    /// Adds an event, which waits for its release; `None` when the queue is full.
    pub(super) fn push(&mut self, event: Event) -> Option<u64> {
        if self.bytes + event.payload.len() > QUEUE_BYTES {
            return None;
        }
        Some(self.add(event, State::Unkept))
    }

    fn add(&mut self, event: Event, state: State) -> u64 {
        self.next += 1;
        self.bytes += event.payload.len();
        self.events.insert(self.next, Held { event, state });
        self.next
    }

    /// Lets an event be delivered.
    pub(super) fn release(&mut self, number: u64) {
        if let Some(held) = self.events.get_mut(&number) {
            held.state = State::Waiting;
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Event> {
        let held = self.events.remove(&number)?;
        self.bytes -= held.event.payload.len();
        Some(held.event)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Takes out what is due, as far as its function may have more at a time. It stays in the queue
    /// until it is finished, so that it is not lost.
    pub(super) fn take_due(&mut self, now: u64) -> Vec<(u64, Event)> {
        let mut due: Vec<(u64, u64)> = self
            .events
            .iter()
            .filter(|(_, held)| held.state == State::Waiting && held.event.due <= now)
            .map(|(number, held)| (held.event.due, *number))
            .collect();
        due.sort_unstable();
        let mut taken = Vec::new();
        for (_, number) in due {
            let Some(held) = self.events.get_mut(&number) else {
                continue;
            };
            let running = self
                .running
                .entry(held.event.target.function_arn())
                .or_default();
            if *running < AT_A_TIME {
                *running += 1;
                held.state = State::Running;
                taken.push((number, held.event.clone()));
            }
        }
        taken
    }

    /// When the next event is due that waits for its time alone.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.events
            .values()
            .filter(|held| held.state == State::Waiting)
            .filter(|held| {
                let running = self.running.get(&held.event.target.function_arn());
                running.is_none_or(|running| *running < AT_A_TIME)
            })
            .map(|held| held.event.due)
            .min()
    }

    /// An attempt is over: the event is done, or waits again as it is now.
    pub(super) fn finished(&mut self, number: u64, again: Option<Event>) {
        let Some(held) = self.events.get_mut(&number) else {
            return;
        };
        let function = held.event.target.function_arn();
        if let Some(event) = again {
            held.event = event;
            held.state = State::Waiting;
        } else {
            self.remove(number);
        }
        if let Some(running) = self.running.get_mut(&function) {
            *running = running.saturating_sub(1);
            if *running == 0 {
                self.running.remove(&function);
            }
        }
    }

    /// All events, also those that are being delivered: they are delivered again after a restart.
    pub(super) fn save(&self) -> Value {
        self.events
            .values()
            .map(|held| held.event.save())
            .collect::<Vec<_>>()
            .into()
    }

    pub(super) fn load(&mut self, kept: &Value) {
        for event in kept.as_array().into_iter().flatten() {
            if let Some(event) = Event::load(event) {
                self.add(event, State::Waiting);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, due: u64) -> Event {
        let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}:live");
        let target = Target::of_arn(&arn).unwrap();
        let mut event = Event::new("r", target, Bytes::from_static(b"{}"), String::new(), 0);
        event.due = due;
        event
    }

    #[test]
    fn events_are_taken_when_due_and_stay_until_they_are_done() {
        let mut queue = Queue::default();
        let first = queue.push(event("f", 5)).unwrap();
        assert!(queue.take_due(9).is_empty(), "it is not kept yet");
        queue.release(first);
        assert_eq!(queue.next_due(), Some(5));
        assert!(queue.take_due(4).is_empty());
        assert_eq!(queue.take_due(5).len(), 1);
        assert_eq!(queue.next_due(), None);
        assert_eq!(queue.save().as_array().unwrap().len(), 1);
        queue.finished(first, Some(event("f", 60)));
        assert_eq!(queue.next_due(), Some(60));
        queue.take_due(60);
        queue.finished(first, None);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_function_has_only_so_many_at_a_time() {
        let mut queue = Queue::default();
        for _ in 0..=AT_A_TIME {
            let number = queue.push(event("f", 0)).unwrap();
            queue.release(number);
        }
        let other = queue.push(event("g", 0)).unwrap();
        queue.release(other);
        let taken = queue.take_due(0);
        assert_eq!(taken.len(), AT_A_TIME + 1);
        assert_eq!(queue.next_due(), None, "one waits for its turn");
        queue.finished(taken[0].0, None);
        assert_eq!(queue.next_due(), Some(0));
    }

    #[test]
    fn what_is_kept_comes_back() {
        let mut queue = Queue::default();
        let mut tried = event("f", 7);
        tried.attempts = 1;
        tried.last = Some(Last {
            status: 200,
            version: Some("3".to_owned()),
            failed: true,
            payload: Some(Bytes::from_static(b"{\"errorType\":\"E\"}")),
        });
        let number = queue.push(tried.clone()).unwrap();
        queue.release(number);
        let mut again = Queue::default();
        again.load(&queue.save());
        assert_eq!(again.take_due(7)[0].1, tried);
        again.load(&json!([{ "request": "x" }, 7]));
        assert_eq!(again.len(), 1);
    }
}
