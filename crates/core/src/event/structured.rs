//! The structured form: one JSON document.

use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::{Data, Event, Extension, is_json};
use crate::error::{Violation, Violations};

impl Event {
    /// The event as a JSON document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("specversion".to_owned(), "1.0".into());
        map.insert("id".to_owned(), self.id.as_str().into());
        map.insert("source".to_owned(), self.source.as_str().into());
        map.insert("type".to_owned(), self.kind.as_str().into());
        for (key, text) in [
            ("subject", &self.subject),
            ("time", &self.time),
            ("dataschema", &self.data_schema),
            ("datacontenttype", &self.data_content_type),
        ] {
            if let Some(text) = text {
                map.insert(key.to_owned(), text.as_str().into());
            }
        }
        for (name, value) in &self.extensions {
            let value = match value {
                Extension::Text(text) => text.as_str().into(),
                Extension::Integer(number) => (*number).into(),
                Extension::Boolean(truth) => (*truth).into(),
            };
            map.insert(name.clone(), value);
        }
        match &self.data {
            Data::None => {}
            Data::Json(value) => {
                map.insert("data".to_owned(), value.clone());
            }
            Data::Bytes(bytes) => {
                map.insert("data_base64".to_owned(), BASE64.encode(bytes).into());
            }
        }
        Value::Object(map)
    }

    /// Reads an event from a JSON document.
    ///
    /// # Errors
    /// Everything that the specification does not allow, at once.
    pub fn from_json(document: Value) -> Result<Self, Violations> {
        let one = |field: &str, rule: &str| Violations::from(vec![Violation::new(field, rule)]);
        let Value::Object(mut map) = document else {
            return Err(one("event", "must be a JSON object"));
        };
        let mut found = Violations::none();
        let mut text = |key: &str, needed: bool| match map.remove(key) {
            Some(Value::String(text)) => Some(text),
            None | Some(Value::Null) if !needed => None,
            None | Some(Value::Null) => {
                found.push(Violation::new(key, "must be set"));
                None
            }
            Some(_) => {
                found.push(Violation::new(key, "must be a string"));
                None
            }
        };
        let version = text("specversion", true);
        let mut event = Self {
            id: text("id", true).unwrap_or_default(),
            source: text("source", true).unwrap_or_default(),
            kind: text("type", true).unwrap_or_default(),
            subject: text("subject", false),
            time: text("time", false),
            data_schema: text("dataschema", false),
            data_content_type: text("datacontenttype", false),
            extensions: std::collections::BTreeMap::new(),
            data: Data::None,
        };
        let encoded = text("data_base64", false);
        if let Some(version) = version
            && version != "1.0"
        {
            found.push(
                Violation::new("specversion", "only 1.0 is understood")
                    .value(version)
                    .nearest("1.0"),
            );
        }
        let plain = map.remove("data");
        event.data = match (plain, encoded) {
            (Some(_), Some(_)) => {
                found.push(Violation::new(
                    "data",
                    "data and data_base64 exclude each other",
                ));
                Data::None
            }
            (Some(value), None) => event.plain_data(value),
            (None, Some(encoded)) => match BASE64.decode(encoded.as_bytes()) {
                Ok(bytes) => Data::Bytes(bytes.into()),
                Err(_) => {
                    found.push(Violation::new("data_base64", "must be base64"));
                    Data::None
                }
            },
            (None, None) => Data::None,
        };
        for (name, value) in map {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => Extension::Text(text),
                Value::Bool(truth) => Extension::Boolean(truth),
                Value::Number(number) => {
                    match number
                        .as_i64()
                        .and_then(|number| i32::try_from(number).ok())
                    {
                        Some(number) => Extension::Integer(number),
                        None => {
                            found.push(Violation::new(
                                name,
                                "a number must be whole and fit 32 bits",
                            ));
                            continue;
                        }
                    }
                }
                Value::Array(_) | Value::Object(_) => {
                    found.push(Violation::new(
                        name,
                        "an extension must be text, a whole number or a boolean",
                    ));
                    continue;
                }
            };
            event.extensions.insert(name, value);
        }
        found.extend(event.violations());
        found.or(event)
    }

    /// A string under `data` is text of the content type unless that is JSON, where it is a JSON string.
    fn plain_data(&self, value: Value) -> Data {
        let json = self.data_content_type.as_deref().is_none_or(is_json);
        match value {
            Value::String(text) if !json => Data::Bytes(Bytes::from(text)),
            value => Data::Json(value),
        }
    }
}
