//! One invocation: what goes in, what comes back, and the bodies between.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use crate::context::TraceContext;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::plan::VersionId;
use crate::spec::Name;

/// A payload: bytes at hand, or a stream with backpressure.
pub enum Body {
    /// All of it.
    Bytes(Bytes),
    /// Piece by piece; the next piece is produced when it is asked for.
    Stream(BoxStream<'static, Result<Bytes>>),
}

impl Body {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }

    /// The length, where it is known beforehand.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(_) => None,
        }
    }

    /// Whether it is known to hold nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// All the bytes. Bytes at hand are not copied.
    ///
    /// # Errors
    /// `PayloadTooLarge` as soon as more than `limit` bytes have arrived, or the stream's own error.
    pub async fn collect(self, limit: u64) -> Result<Bytes> {
        let too_large = |actual| {
            Error::new(
                ErrorKind::PayloadTooLarge(Limit {
                    what: "payload".to_owned(),
                    max: limit,
                    actual,
                }),
                "collect the payload",
            )
        };
        match self {
            Self::Bytes(bytes) if bytes.len() as u64 > limit => {
                Err(too_large(Some(bytes.len() as u64)))
            }
            Self::Bytes(bytes) => Ok(bytes),
            Self::Stream(mut stream) => {
                let mut all = BytesMut::new();
                while let Some(piece) = stream.next().await {
                    let piece = piece?;
                    if (all.len() + piece.len()) as u64 > limit {
                        return Err(too_large(None));
                    }
                    all.extend_from_slice(&piece);
                }
                Ok(all.freeze())
            }
        }
    }

    /// The bytes as a stream.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        match self {
            Self::Bytes(bytes) if bytes.is_empty() => futures_util::stream::empty().boxed(),
            Self::Bytes(bytes) => futures_util::stream::once(async move { Ok(bytes) }).boxed(),
            Self::Stream(stream) => stream,
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

/// Which release an invocation goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// Whatever live traffic goes to.
    #[default]
    Live,
    /// This version.
    Version(VersionId),
}

/// One invocation to make. `Debug` shows sizes, never the payload.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// The function.
    pub name: Name,
    /// Which release.
    pub qualifier: Qualifier,
    /// The payload.
    pub body: Body,
    /// The payload's media type.
    pub content_type: String,
    /// The caller's span, whose child the function's span becomes.
    pub trace: Option<TraceContext>,
    /// Makes a repetition recognisable to the function.
    pub idempotency_key: Option<String>,
    /// Asks for the answer piece by piece, while it is produced. Otherwise a target may wait until it is whole.
    pub stream: bool,
}

impl Call {
    /// Calls live traffic of `name` with a JSON payload.
    #[must_use]
    pub fn new(name: Name, body: impl Into<Body>) -> Self {
        Self {
            name,
            qualifier: Qualifier::Live,
            body: body.into(),
            content_type: "application/json".to_owned(),
            trace: None,
            idempotency_key: None,
            stream: false,
        }
    }

    /// Asks for the answer piece by piece, where the target can.
    #[must_use]
    pub const fn streaming(mut self) -> Self {
        self.stream = true;
        self
    }

    /// Whether the media type is JSON: `application/json` or a type ending in `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let essence = self
            .content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        essence.eq_ignore_ascii_case("application/json")
            || essence
                .get(essence.len().saturating_sub(5)..)
                .is_some_and(|end| end.eq_ignore_ascii_case("+json"))
    }
}

/// What a function answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The answer.
    pub body: Body,
    /// The answer's media type.
    pub content_type: String,
    /// The status of an HTTP function; `None` where the platform has none.
    pub status: Option<u16>,
    /// The version that ran, where the target says.
    pub version: Option<VersionId>,
    /// The target's id of this invocation.
    pub request_id: String,
    /// How long the function ran, where the target says.
    pub duration: Option<Duration>,
    /// Whether an instance was started for it, where the target says.
    pub cold: Option<bool>,
}

impl Reply {
    /// A JSON answer to the invocation with this id.
    #[must_use]
    pub fn new(request_id: impl Into<String>, body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            content_type: "application/json".to_owned(),
            status: None,
            version: None,
            request_id: request_id.into(),
            duration: None,
            cold: None,
        }
    }
}

/// An asynchronous invocation that was durably accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accepted {
    /// Its id, the same in every attempt and in the dead letter.
    pub id: String,
    /// Where its dead letter would be.
    pub dead_letter: String,
}

impl Accepted {
    /// Accepted under `id`; the dead letter would be at `dead_letter`.
    #[must_use]
    pub fn new(id: impl Into<String>, dead_letter: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            dead_letter: dead_letter.into(),
        }
    }
}

/// An event that was given up, with what is needed to try it again. `Debug` shows sizes, never the payload.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The id under which it was accepted.
    pub id: String,
    /// The original payload.
    pub body: Bytes,
    /// The payload's media type.
    pub content_type: String,
    /// Attempts made.
    pub attempts: u32,
    /// The last failure, in words.
    pub reason: String,
    /// When it was accepted.
    pub accepted_at: SystemTime,
}

impl DeadLetter {
    /// A dead letter.
    #[must_use]
    pub const fn new(
        id: String,
        body: Bytes,
        content_type: String,
        attempts: u32,
        reason: String,
        accepted_at: SystemTime,
    ) -> Self {
        Self {
            id,
            body,
            content_type,
            attempts,
            reason,
            accepted_at,
        }
    }
}

/// Which log lines to read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogQuery {
    /// The function.
    pub name: Name,
    /// Only lines written at or after this.
    pub since: Option<SystemTime>,
    /// Only lines of this invocation.
    pub request_id: Option<String>,
    /// Only lines of this version.
    pub version: Option<VersionId>,
    /// Keep the stream open and send new lines.
    pub follow: bool,
    /// At most this many lines, the newest ones; all when absent.
    pub tail: Option<usize>,
}

impl LogQuery {
    /// Every line of `name` that is kept.
    #[must_use]
    pub const fn new(name: Name) -> Self {
        Self {
            name,
            since: None,
            request_id: None,
            version: None,
            follow: false,
            tail: None,
        }
    }
}

/// One line a function wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogLine {
    /// When.
    pub time: SystemTime,
    /// The line without its line end.
    pub text: String,
    /// The invocation it belongs to, where the target says.
    pub request_id: Option<String>,
    /// The version that wrote it, where the target says.
    pub version: Option<VersionId>,
    /// The instance that wrote it, where the target says.
    pub instance: Option<String>,
}

impl LogLine {
    /// A line written at `time`.
    #[must_use]
    pub fn new(time: SystemTime, text: impl Into<String>) -> Self {
        Self {
            time,
            text: text.into(),
            request_id: None,
            version: None,
            instance: None,
        }
    }
}

/// Who the caller is to a target, shown before any write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The principal: a role, a user, a service account.
    pub principal: String,
    /// The account, project or cluster.
    pub account: String,
    /// Where requests go.
    pub endpoint: String,
    /// How results are to be labelled: emulated unless a real provider answered.
    pub emulated: bool,
    /// More, by name.
    pub details: BTreeMap<String, String>,
}

impl Identity {
    /// A principal in an account, talking to an endpoint.
    #[must_use]
    pub fn new(
        principal: impl Into<String>,
        account: impl Into<String>,
        endpoint: impl Into<String>,
        emulated: bool,
    ) -> Self {
        Self {
            principal: principal.into(),
            account: account.into(),
            endpoint: endpoint.into(),
            emulated,
            details: BTreeMap::new(),
        }
    }
}
