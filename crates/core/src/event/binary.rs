//! The binary form: attributes as headers, data as the body.

use bytes::Bytes;

use super::{Data, Event, Extension, is_json};
use crate::error::{Violation, Violations};

impl Event {
    /// The event as HTTP headers, `ce-` attributes and `content-type`, and a body.
    #[must_use]
    pub fn to_http(&self) -> (Vec<(String, String)>, Bytes) {
        let mut headers = vec![("ce-specversion".to_owned(), "1.0".to_owned())];
        let mut add = |name: &str, value: &str| {
            headers.push((format!("ce-{name}"), percent_encode(value)));
        };
        add("id", &self.id);
        add("source", &self.source);
        add("type", &self.kind);
        for (name, text) in [
            ("subject", &self.subject),
            ("time", &self.time),
            ("dataschema", &self.data_schema),
        ] {
            if let Some(text) = text {
                add(name, text);
            }
        }
        for (name, value) in &self.extensions {
            add(name, &value.to_string());
        }
        if let Some(content_type) = &self.data_content_type {
            headers.push(("content-type".to_owned(), content_type.clone()));
        }
        let body = match &self.data {
            Data::None => Bytes::new(),
            Data::Json(value) => Bytes::from(value.to_string()),
            Data::Bytes(bytes) => bytes.clone(),
        };
        (headers, body)
    }

    /// Reads an event from HTTP headers and a body. Header names may be of any case; headers without `ce-` other than `content-type` are ignored.
    /// Extension values arrive as text, because headers have no types.
    ///
    /// # Errors
    /// Everything that the specification does not allow, at once.
    pub fn from_http<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: Bytes,
    ) -> Result<Self, Violations> {
        let mut event = Self::builder("", "", "").0;
        let mut found = Violations::none();
        let mut version = None;
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if name == "content-type" {
                event.data_content_type = Some(value.to_owned());
                continue;
            }
            let Some(attribute) = name.strip_prefix("ce-") else {
                continue;
            };
            let Some(value) = percent_decode(value) else {
                found.push(Violation::new(
                    attribute,
                    "is not valid percent-encoded UTF-8",
                ));
                continue;
            };
            match attribute {
                "specversion" => version = Some(value),
                "id" => event.id = value,
                "source" => event.source = value,
                "type" => event.kind = value,
                "subject" => event.subject = Some(value),
                "time" => event.time = Some(value),
                "dataschema" => event.data_schema = Some(value),
                other => {
                    event
                        .extensions
                        .insert(other.to_owned(), Extension::Text(value));
                }
            }
        }
        match version.as_deref() {
            Some("1.0") => {}
            Some(other) => found.push(
                Violation::new("specversion", "only 1.0 is understood")
                    .value(other)
                    .nearest("1.0"),
            ),
            None => found.push(Violation::new("specversion", "must be set")),
        }
        event.data = if body.is_empty() {
            Data::None
        } else if event.data_content_type.as_deref().is_some_and(is_json) {
            match serde_json::from_slice(&body) {
                Ok(value) => Data::Json(value),
                Err(_) => {
                    found.push(Violation::new(
                        "data",
                        "is not the JSON that content-type says",
                    ));
                    Data::None
                }
            }
        } else {
            Data::Bytes(body)
        };
        found.extend(event.violations());
        found.or(event)
    }
}

/// Space, double quote, percent and everything outside printable ASCII is encoded, as the HTTP binding asks.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x21..=0x7e).contains(&byte) && byte != b'"' && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
