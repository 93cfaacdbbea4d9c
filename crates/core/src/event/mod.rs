//! CloudEvents 1.0: how events reach a function, whatever sent them.
//!
//! The structured form is one JSON document, the binary form is headers and a body; both follow the CloudEvents 1.0.2 specification.

mod binary;
mod structured;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::error::{Violation, Violations};

/// The media type of the structured form.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// An event. `Debug` shows its attributes, never its data.
#[derive(Clone, PartialEq)]
pub struct Event {
    id: String,
    source: String,
    kind: String,
    subject: Option<String>,
    time: Option<String>,
    data_schema: Option<String>,
    data_content_type: Option<String>,
    extensions: BTreeMap<String, Extension>,
    data: Data,
}

/// An event's data.
#[derive(Clone, Default, PartialEq)]
pub enum Data {
    /// None at all.
    #[default]
    None,
    /// A JSON value.
    Json(serde_json::Value),
    /// Bytes of the event's content type.
    Bytes(Bytes),
}

/// The value of an extension attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// Text.
    Text(String),
    /// A whole number of 32 bits.
    Integer(i32),
    /// True or false.
    Boolean(bool),
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
        }
    }
}

impl Event {
    /// Starts an event with the three attributes that every event needs.
    #[must_use]
    pub fn builder(
        id: impl Into<String>,
        source: impl Into<String>,
        kind: impl Into<String>,
    ) -> EventBuilder {
        EventBuilder(Self {
            id: id.into(),
            source: source.into(),
            kind: kind.into(),
            subject: None,
            time: None,
            data_schema: None,
            data_content_type: None,
            extensions: BTreeMap::new(),
            data: Data::None,
        })
    }

    /// Identifies the event among those of its source.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it happened, a URI reference.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What happened, the attribute `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What it happened to, within the source.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// When it happened, RFC 3339.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        self.time.as_deref()
    }

    /// The media type of the data.
    #[must_use]
    pub fn data_content_type(&self) -> Option<&str> {
        self.data_content_type.as_deref()
    }

    /// The schema of the data, a URI.
    #[must_use]
    pub fn data_schema(&self) -> Option<&str> {
        self.data_schema.as_deref()
    }

    /// Extension attributes.
    #[must_use]
    pub const fn extensions(&self) -> &BTreeMap<String, Extension> {
        &self.extensions
    }

    /// The data.
    #[must_use]
    pub const fn data(&self) -> &Data {
        &self.data
    }

    fn violations(&self) -> Violations {
        let mut found = Violations::none();
        for (field, text) in [
            ("id", Some(&self.id)),
            ("source", Some(&self.source)),
            ("type", Some(&self.kind)),
            ("subject", self.subject.as_ref()),
            ("datacontenttype", self.data_content_type.as_ref()),
            ("dataschema", self.data_schema.as_ref()),
        ] {
            if text.is_some_and(|text| text.is_empty()) {
                found.push(Violation::new(field, "must not be empty"));
            }
            if text.is_some_and(|text| text.chars().any(char::is_control)) {
                found.push(Violation::new(field, "must not contain control characters"));
            }
        }
        if self.source.chars().any(char::is_whitespace) {
            found.push(Violation::new("source", "must be a URI reference").value(&self.source));
        }
        if let Some(schema) = &self.data_schema
            && !schema.split_once(':').is_some_and(|(scheme, rest)| {
                !rest.is_empty() && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            })
        {
            found.push(Violation::new("dataschema", "must be an absolute URI").value(schema));
        }
        if let Some(time) = &self.time
            && !is_rfc3339(time)
        {
            found.push(Violation::new("time", "must be an RFC 3339 time").value(time));
        }
        for name in self.extensions.keys() {
            let shaped = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            if !shaped || RESERVED.contains(&name.as_str()) {
                found.push(
                    Violation::new(
                        name.clone(),
                        "an extension's name is lower-case letters and digits, and no standard attribute's",
                    )
                    .value(name),
                );
            }
        }
        found
    }
}

const RESERVED: [&str; 10] = [
    "id",
    "source",
    "specversion",
    "type",
    "datacontenttype",
    "dataschema",
    "subject",
    "time",
    "data",
    "data_base64",
];

fn is_rfc3339(text: &str) -> bool {
    // The parser also takes forms that RFC 3339 does not have; the shape is checked first.
    let bytes = text.as_bytes();
    bytes.len() >= 20
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[4] == b'-'
        && bytes[13] == b':'
        && bytes[16] == b':'
        && text.parse::<jiff::Timestamp>().is_ok()
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("type", &self.kind)
            .field("subject", &self.subject)
            .field("time", &self.time)
            .field("datacontenttype", &self.data_content_type)
            .finish_non_exhaustive()
    }
}

/// Builds an [`Event`]; [`build`](Self::build) reports everything that is wrong at once.
#[derive(Debug, Clone)]
pub struct EventBuilder(Event);

impl EventBuilder {
    /// What it happened to.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.0.subject = Some(subject.into());
        self
    }

    /// When it happened, RFC 3339.
    #[must_use]
    pub fn time(mut self, time: impl Into<String>) -> Self {
        self.0.time = Some(time.into());
        self
    }

    /// The schema of the data, a URI.
    #[must_use]
    pub fn data_schema(mut self, uri: impl Into<String>) -> Self {
        self.0.data_schema = Some(uri.into());
        self
    }

    /// An extension attribute.
    #[must_use]
    pub fn extension(mut self, name: impl Into<String>, value: Extension) -> Self {
        self.0.extensions.insert(name.into(), value);
        self
    }

    /// JSON data; the content type becomes `application/json`.
    #[must_use]
    pub fn json(mut self, data: serde_json::Value) -> Self {
        self.0.data = Data::Json(data);
        self.0.data_content_type = Some("application/json".to_owned());
        self
    }

    /// Bytes of a content type.
    #[must_use]
    pub fn bytes(mut self, content_type: impl Into<String>, data: impl Into<Bytes>) -> Self {
        self.0.data = Data::Bytes(data.into());
        self.0.data_content_type = Some(content_type.into());
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every attribute that the specification does not allow.
    pub fn build(self) -> Result<Event, Violations> {
        self.0.violations().or(self.0)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json") || essence == "text/json"
}

#[cfg(test)]
mod tests;
