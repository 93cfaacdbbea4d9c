//! A log line on disk.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyport_core::call::{LogLine, LogQuery};
use anyport_core::plan::VersionId;
use serde::{Deserialize, Serialize};

/// One line of JSON. Names are short because there are many of them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<'a> {
    /// Microseconds since 1970.
    pub(super) t: u64,
    /// The version.
    #[serde(borrow)]
    pub(super) v: Cow<'a, str>,
    /// The instance.
    #[serde(borrow)]
    pub(super) i: Cow<'a, str>,
    /// The invocation.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) r: Option<Cow<'a, str>>,
    /// The text.
    #[serde(borrow)]
    pub(super) m: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// A line as the engine gives it.
    pub(super) fn of(line: &'a anyport_engine::LogLine) -> Self {
        Self {
            t: micros(line.at),
            v: Cow::Borrowed(&line.version),
            i: Cow::Borrowed(&line.instance),
            r: line.request_id.as_deref().map(Cow::Borrowed),
            m: Cow::Borrowed(&line.text),
        }
    }

    /// Reads a line; `None` for what is none: the end of a file that is being written, or somebody's edit.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether the query asks for it.
    pub(super) fn matches(&self, query: &LogQuery) -> bool {
        query.since.is_none_or(|since| self.t >= micros(since))
            && query
                .request_id
                .as_deref()
                .is_none_or(|id| self.r.as_deref() == Some(id))
            && query
                .version
                .as_ref()
                .is_none_or(|version| version.as_str() == self.v)
    }

    pub(super) fn lift(self) -> LogLine {
        let mut line = LogLine::new(UNIX_EPOCH + Duration::from_micros(self.t), self.m);
        line.request_id = self.r.map(Cow::into_owned);
        line.version = Some(VersionId::new(self.v));
        line.instance = Some(self.i.into_owned());
        line
    }
}

pub(super) fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
