//! Sources that are bound to a function.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cron::Cron;

/// A source bound to a function. Events reach the function as CloudEvents 1.0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trigger {
    /// The trigger's name, unique within its function.
    pub name: String,
    /// Where the events come from.
    #[serde(flatten)]
    pub source: TriggerSource,
}

impl Trigger {
    /// Binds `source` under `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, source: TriggerSource) -> Self {
        Self {
            name: name.into(),
            source,
        }
    }
}

/// Where a trigger's events come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TriggerSource {
    /// HTTP requests to a public or authenticated address.
    Http {
        /// Whether anyone may call it without credentials.
        #[serde(default)]
        public: bool,
    },
    /// A schedule.
    Schedule {
        /// When it fires.
        cron: Cron,
        /// The time zone, a name of the tz database; UTC when absent.
        #[serde(default)]
        zone: Option<String>,
    },
    /// Messages of a queue, one at a time.
    Queue {
        /// The queue, as the target names it.
        queue: String,
    },
    /// Messages of a topic; each subscriber gets each message.
    Topic {
        /// The topic, as the target names it.
        topic: String,
    },
    /// Objects created in a bucket.
    ObjectCreated {
        /// The bucket.
        bucket: String,
        /// Only keys that start with this.
        #[serde(default)]
        prefix: Option<String>,
        /// Only keys that end with this.
        #[serde(default)]
        suffix: Option<String>,
    },
}

impl TriggerSource {
    /// The kind of source.
    #[must_use]
    pub const fn kind(&self) -> TriggerKind {
        match self {
            Self::Http { .. } => TriggerKind::Http,
            Self::Schedule { .. } => TriggerKind::Schedule,
            Self::Queue { .. } => TriggerKind::Queue,
            Self::Topic { .. } => TriggerKind::Topic,
            Self::ObjectCreated { .. } => TriggerKind::ObjectCreated,
        }
    }
}

/// The kinds of trigger source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TriggerKind {
    /// HTTP requests.
    Http,
    /// A schedule.
    Schedule,
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// Object creation.
    ObjectCreated,
}

impl TriggerKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Http,
        Self::Schedule,
        Self::Queue,
        Self::Topic,
        Self::ObjectCreated,
    ];
}

impl fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Schedule => "schedule",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::ObjectCreated => "object-created",
        })
    }
}
