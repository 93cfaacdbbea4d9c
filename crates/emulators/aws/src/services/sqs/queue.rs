//! A queue and its messages.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::attributes::{self, Attributes, Redrive};
use super::digest::Attribute;

/// Messages in flight at most. Source: SQS developer guide, "Amazon SQS message quotas".
pub(super) const IN_FLIGHT: usize = 120_000;

/// For how long a FIFO queue knows what was sent, in milliseconds.
const DEDUPLICATION: u64 = 5 * 60 * 1000;

/// Parts of the ARN of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:aws:sqs:")?.splitn(3, ':');
        let arn = Self {
            region: parts.next()?,
            account: parts.next()?,
            name: parts.next()?,
        };
        (!arn.region.is_empty() && !arn.account.is_empty() && !arn.name.is_empty()).then_some(arn)
    }
}

impl std::fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "arn:aws:sqs:{}:{}:{}",
            self.region, self.account, self.name
        )
    }
}

/// A queue. All times are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) created: u64,
    pub(super) modified: u64,
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) purged: Option<u64>,
    /// By the order in which they were sent.
    #[serde(default)]
    messages: BTreeMap<u64, Message>,
    #[serde(default)]
    next: u64,
    /// What a FIFO queue was sent lately, by its deduplication id.
    #[serde(default)]
    sent_lately: BTreeMap<String, Sent>,
    /// When each message can be received next.
    #[serde(skip)]
    ready: BTreeSet<(u64, u64)>,
    /// Bytes of all messages.
    #[serde(skip)]
    bytes: usize,
    /// No message was sent earlier.
    #[serde(skip)]
    oldest: u64,
}

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Attribute>,
    /// The trace header, and the MD5 of system attributes.
    #[serde(default)]
    pub(super) trace: Option<String>,
    #[serde(default)]
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) deduplication: Option<String>,
    /// The number that a FIFO queue gave it.
    #[serde(default)]
    pub(super) sequence: Option<String>,
    pub(super) sender: String,
    pub(super) sent: u64,
    /// When it can be received next.
    pub(super) visible: u64,
    /// How often it was received.
    #[serde(default)]
    pub(super) received: u64,
    #[serde(default)]
    pub(super) first_received: Option<u64>,
    /// The ARN of the queue whose dead letter it is.
    #[serde(default)]
    pub(super) source: Option<String>,
}

/// What a FIFO queue knows of a message that it was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) at: u64,
    pub(super) id: String,
    pub(super) sequence: Option<String>,
}

/// How many messages there are, by what they wait for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) delayed: usize,
    pub(super) in_flight: usize,
}

impl Queue {
    pub(super) fn new(arn: Arn<'_>, now: u64, attributes: Attributes) -> Self {
        Self {
            name: arn.name.to_owned(),
            account: arn.account.to_owned(),
            region: arn.region.to_owned(),
            created: now,
            modified: now,
            attributes,
            tags: BTreeMap::new(),
            purged: None,
            messages: BTreeMap::new(),
            next: 0,
            sent_lately: BTreeMap::new(),
            ready: BTreeSet::new(),
            bytes: 0,
            oldest: u64::MAX,
        }
    }

    /// Makes what is not kept, after loading.
    pub(super) fn restore(&mut self) {
        let ready = self
            .messages
            .iter()
            .map(|(at, message)| (message.visible, *at));
        self.ready = ready.collect();
        self.bytes = self.messages.values().map(Message::size).sum();
        self.oldest = 0;
    }

    pub(super) fn arn(&self) -> String {
        Arn {
            region: &self.region,
            account: &self.account,
            name: &self.name,
        }
        .to_string()
    }

    /// Whether it keeps messages in order.
    pub(super) fn is_fifo(&self) -> bool {
        is_fifo(&self.name)
    }

    pub(super) fn redrive(&self) -> Option<Redrive> {
        Redrive::read(self.attributes.get("RedrivePolicy")?).ok()
    }

    /// A number among its attributes.
    pub(super) fn number(&self, name: &str) -> u64 {
        attributes::number(&self.attributes, name)
    }

    /// Adds a message, and gives its place.
    pub(super) fn add(&mut self, mut message: Message) -> &Message {
        let at = self.next;
        self.next += 1;
        if self.is_fifo() {
            // Twenty digits, growing.
            message.sequence = Some(format!("{:020}", 18_000_000_000_000_000_000_u64 + at));
        }
        self.ready.insert((message.visible, at));
        self.bytes += message.size();
        self.oldest = self.oldest.min(message.sent);
        self.messages.entry(at).or_insert(message)
    }

    /// What was sent with this deduplication id in the last five minutes.
    pub(super) fn sent_lately(&mut self, id: &str, now: u64) -> Option<&Sent> {
        self.sent_lately
            .retain(|_, sent| sent.at + DEDUPLICATION > now);
        self.sent_lately.get(id)
    }

    /// Remembers what was sent.
    pub(super) fn remember(&mut self, id: String, sent: Sent) {
        self.sent_lately.insert(id, sent);
    }

    /// Drops messages that are older than the queue keeps them.
    pub(super) fn expire(&mut self, now: u64) {
        let kept = self.number("MessageRetentionPeriod") * 1000;
        if self.oldest.saturating_add(kept) > now {
            return;
        }
        let old = self.messages.iter();
        let old = old.filter(|(_, message)| message.sent + kept <= now);
        let old: Vec<u64> = old.map(|(at, _)| *at).collect();
        for at in old {
            self.remove(at);
        }
        let sent = self.messages.values().map(|message| message.sent);
        self.oldest = sent.min().unwrap_or(u64::MAX);
    }

    /// The place of the next message that can be received, besides those `taken` by the same call.
    pub(super) fn next_visible(&self, now: u64, taken: &[u64]) -> Option<u64> {
        if !self.is_fifo() {
            return self
                .ready
                .range(..=(now, u64::MAX))
                .map(|(_, at)| *at)
                .find(|at| !taken.contains(at));
        }
        // In the order sent. A group waits for its message that somebody else is receiving.
        let mut waiting: BTreeSet<&str> = BTreeSet::new();
        for (at, message) in &self.messages {
            let group = message.group.as_deref().unwrap_or_default();
            if taken.contains(at) || waiting.contains(group) {
                continue;
            }
            if message.visible <= now {
                return Some(*at);
            }
            waiting.insert(group);
        }
        None
    }

    /// When the next message can be received that can't be now.
    pub(super) fn next_ready(&self, now: u64) -> Option<u64> {
        self.ready
            .range((now + 1, 0)..)
            .next()
            .map(|(visible, _)| *visible)
    }

    pub(super) fn message(&self, at: u64) -> Option<&Message> {
        self.messages.get(&at)
    }

    /// Changes when a message can be received next, and hands it out to be changed.
    pub(super) fn hide(&mut self, at: u64, until: u64) -> Option<&mut Message> {
        let message = self.messages.get_mut(&at)?;
        self.ready.remove(&(message.visible, at));
        message.visible = until;
        self.ready.insert((until, at));
        Some(message)
    }

    /// Takes a message out.
    pub(super) fn remove(&mut self, at: u64) -> Option<Message> {
        let message = self.messages.remove(&at)?;
        self.ready.remove(&(message.visible, at));
        self.bytes -= message.size();
        Some(message)
    }

    /// Takes all messages out.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.ready.clear();
        self.bytes = 0;
    }

    pub(super) fn counts(&self, now: u64) -> Counts {
        let mut counts = Counts::default();
        for message in self.messages.values() {
            match (message.visible <= now, message.received) {
                (true, _) => counts.visible += 1,
                (false, 0) => counts.delayed += 1,
                (false, _) => counts.in_flight += 1,
            }
        }
        counts
    }

    /// Bytes of all messages.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Bodies of its messages, in order.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &str> {
        self.messages.values().map(|message| message.body.as_str())
    }
}

impl Message {
    /// Bytes that count against the queue's limit. System attributes don't.
    pub(super) fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        self.body.len()
            + attributes
                .map(|(name, value)| name.len() + value.size())
                .sum::<usize>()
    }
}

/// Whether this is the name of a FIFO queue.
pub(super) fn is_fifo(name: &str) -> bool {
    name.ends_with(".fifo")
}

/// Whether a queue may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    (1..=80).contains(&name.len())
        && !stem.is_empty()
        && stem
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str, visible: u64, group: Option<&str>) -> Message {
        Message {
            id: body.to_owned(),
            body: body.to_owned(),
            attributes: BTreeMap::new(),
            trace: None,
            group: group.map(str::to_owned),
            deduplication: None,
            sequence: None,
            sender: String::new(),
            sent: 0,
            visible,
            received: 0,
            first_received: None,
            source: None,
        }
    }

    fn queue(name: &str) -> Queue {
        let arn = Arn {
            region: "us-east-1",
            account: "000000000000",
            name,
        };
        Queue::new(arn, 0, Attributes::new())
    }

    #[test]
    fn names_and_arns_are_held_against_their_rules() {
        for name in ["a", "A-b_9", "x.fifo", &"q".repeat(80)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".fifo", "a.b", "a b", &"q".repeat(81)] {
            assert!(!is_name(name), "{name}");
        }
        let arn = Arn::parse("arn:aws:sqs:eu-west-1:111122223333:q").unwrap();
        assert_eq!(arn.to_string(), "arn:aws:sqs:eu-west-1:111122223333:q");
        assert_eq!(Arn::parse("arn:aws:sns:eu-west-1:111122223333:q"), None);
        assert_eq!(Arn::parse("arn:aws:sqs:eu-west-1:111122223333"), None);
    }

    #[test]
    fn messages_come_when_they_are_visible() {
        let mut queue = queue("q");
        queue.add(message("later", 10, None));
        queue.add(message("now", 5, None));
        assert_eq!(queue.next_visible(4, &[]), None);
        assert_eq!(queue.next_ready(4), Some(5));
        let at = queue.next_visible(5, &[]).unwrap();
        assert_eq!(queue.message(at).unwrap().body, "now");
        queue.hide(at, 20).unwrap().received = 1;
        assert_eq!(
            queue.counts(12),
            Counts {
                visible: 1,
                delayed: 0,
                in_flight: 1
            }
        );
        let later = queue.next_visible(12, &[]).unwrap();
        queue.remove(later).unwrap();
        assert_eq!(queue.next_visible(12, &[]), None);
        assert_eq!(queue.next_visible(20, &[]), Some(at));
    }

    #[test]
    fn a_group_waits_for_its_message_in_flight() {
        let mut queue = queue("q.fifo");
        queue.add(message("a1", 0, Some("a")));
        queue.add(message("a2", 0, Some("a")));
        queue.add(message("b1", 0, Some("b")));
        let first = queue.next_visible(0, &[]).unwrap();
        queue.hide(first, 30);
        let same = queue.next_visible(0, &[first]).unwrap();
        assert_eq!(queue.message(same).unwrap().body, "a2", "in the same call");
        let second = queue.next_visible(0, &[]).unwrap();
        assert_eq!(queue.message(second).unwrap().body, "b1");
        queue.hide(second, 30);
        assert_eq!(queue.next_visible(0, &[]), None);
        queue.remove(first);
        let third = queue.next_visible(0, &[]).unwrap();
        assert_eq!(queue.message(third).unwrap().body, "a2");
    }

    #[test]
    fn old_messages_go() {
        let mut queue = queue("q");
        queue.add(message("old", 0, None));
        queue.expire(345_600_000 - 1);
        assert_eq!(queue.counts(0).visible, 1);
        queue.expire(345_600_000);
        assert_eq!(queue.counts(0), Counts::default());
        assert_eq!(queue.next_visible(u64::MAX, &[]), None);
    }
}
