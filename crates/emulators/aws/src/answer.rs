//! What a service hands back to the front.

use std::fmt;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::call::Service;

/// Bytes of a body as they come.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, io::Error>> + Send>>;

/// Messages of an event stream as they come. An error ends the stream and breaks the connection.
pub(crate) type EventStream = Pin<Box<dyn Stream<Item = Result<Event, io::Error>> + Send>>;

/// What a call gave.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The status, where the operation has more than the model's one.
    pub(crate) status: Option<u16>,
    /// The members of the operation's output shape by the model's names; the front puts them into
    /// headers, status or body. Blobs are base64 text, timestamps seconds since 1970 as a number (with
    /// a fraction) or RFC 3339 text.
    pub(crate) output: Map<String, Value>,
    /// The body, where the model says that it is a blob or an event stream; else `Empty`.
    pub(crate) payload: AnswerBody,
    /// More headers.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// An answer with nothing in it.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// An answer with the members of `value`, which is an object.
    pub(crate) fn json(value: Value) -> Self {
        match value {
            Value::Object(output) => Self {
                output,
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    /// With this status in place of the model's.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With this body.
    pub(crate) fn payload(mut self, payload: AnswerBody) -> Self {
        self.payload = payload;
        self
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A body that is not made of members.
#[derive(Default)]
pub(crate) enum AnswerBody {
    /// None.
    #[default]
    Empty,
    /// All of it.
    Bytes(Bytes),
    /// As it comes, with its length if known (then sent as `Content-Length`).
    Stream(ByteStream, Option<u64>),
    /// Messages of an event stream, framed by the front.
    Events(EventStream),
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream(_, length) => write!(f, "Stream({length:?})"),
            Self::Events(_) => f.write_str("Events"),
        }
    }
}

/// One message of an event stream.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// `:event-type`, the member's name in the model.
    pub(crate) name: &'static str,
    /// `:content-type`, such as `application/octet-stream` or `application/json`.
    pub(crate) content_type: &'static str,
    /// The message's bytes.
    pub(crate) payload: Bytes,
}

/// What went wrong with a call, for whichever protocol. It carries no payload and no secret.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    /// The error's name in the model, or the code where the two differ (`ResourceNotFoundException`).
    pub(crate) code: &'static str,
    /// The status, where it is not that of the model's error shape (and not 400).
    pub(crate) status: Option<u16>,
    /// What AWS says.
    pub(crate) message: String,
    /// More members of the error by the model's names: `Type`, `Reason`, `retryAfterSeconds`, ...
    pub(crate) fields: Map<String, Value>,
}

impl ApiError {
    /// An error with the status of its shape in the model.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            status: None,
            message: message.into(),
            fields: Map::new(),
        }
    }

    /// With this status.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With this status unless it has one.
    pub(crate) fn or_status(mut self, status: u16) -> Self {
        self.status.get_or_insert(status);
        self
    }

    /// With one more member.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(member.to_owned(), value.into());
        self
    }

    /// For an operation that AWS has and this cloud does not serve.
    pub(crate) fn not_served(service: Service, operation: &str) -> Self {
        let code = match service {
            Service::S3 => "NotImplemented",
            Service::Sqs => "UnsupportedOperation",
            _ => "NotImplementedException",
        };
        Self::new(
            code,
            format!(
                "{}:{operation} is not served by the embedded AWS",
                service.name()
            ),
        )
        .status(501)
    }

    /// For what is wrong inside the emulator. `what` names no payload.
    pub(crate) fn internal(service: Service, what: impl fmt::Display) -> Self {
        let code = match service {
            Service::Lambda => "ServiceException",
            Service::S3 | Service::Sqs => "InternalError",
            Service::Sts | Service::Iam => "ServiceFailure",
            Service::Logs => "ServiceUnavailableException",
        };
        Self::new(code, format!("the embedded AWS failed: {what}")).status(500)
    }
}
