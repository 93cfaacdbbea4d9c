//! Reading members of an input.

use serde_json::{Map, Value};

/// A part of an input: members by their names. What the model forbids never gets here, so a member of
/// another type counts as absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(&'a Map<String, Value>);

impl<'a> Input<'a> {
    pub(super) fn new(members: &'a Map<String, Value>) -> Self {
        Self(members)
    }

    pub(super) fn has(self, member: &str) -> bool {
        self.get(member).is_some()
    }

    /// A member that is there and not null.
    pub(super) fn get(self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, member: &str) -> Option<&'a str> {
        self.get(member)?.as_str()
    }

    /// A text, or an empty one.
    pub(super) fn string(self, member: &str) -> String {
        self.text(member).unwrap_or_default().to_owned()
    }

    pub(super) fn number(self, member: &str) -> Option<u32> {
        self.get(member)?.as_u64()?.try_into().ok()
    }

    pub(super) fn flag(self, member: &str) -> bool {
        self.get(member).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn part(self, member: &str) -> Option<Input<'a>> {
        self.get(member)?.as_object().map(Input)
    }

    /// A list of texts; empty when it is absent.
    pub(super) fn list(self, member: &str) -> Vec<&'a str> {
        self.get(member)
            .and_then(Value::as_array)
            .map(|items| items.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    /// A map of texts; `None` when it is absent.
    pub(super) fn map(self, member: &str) -> Option<impl Iterator<Item = (String, String)> + 'a> {
        let map = self.get(member)?.as_object()?;
        Some(
            map.iter().filter_map(|(key, value)| {
                value.as_str().map(|value| (key.clone(), value.to_owned()))
            }),
        )
    }
}
