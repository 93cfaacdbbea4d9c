//! A spec as flat fields, so that what is asked and what is there can be compared one by one.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A field's value in its canonical text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "shown", content = "value", rename_all = "lowercase")]
pub enum FieldValue {
    /// May be shown to anyone who sees the plan.
    Plain(String),
    /// Compared, never shown: people put secrets into environment variables.
    Hidden(String),
}

impl FieldValue {
    /// The canonical text, for comparing and for writing to the provider. Do not print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Hidden(text) => text,
        }
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Hidden(_) => f.write_str("(hidden)"),
        }
    }
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Fields by path, such as `memory_mb` or `env.GREETING`. A field that is not there is at its default.
pub type Fields = BTreeMap<String, FieldValue>;

/// A field that differs between what is there and what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's path.
    pub field: String,
    /// What is there, as text that may be shown; `None` when the field is not set.
    pub from: Option<String>,
    /// What is asked, as text that may be shown; `None` when the field is dropped.
    pub to: Option<String>,
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |value: &Option<String>| value.clone().unwrap_or_else(|| "(not set)".to_owned());
        write!(
            f,
            "{}: {} -> {}",
            self.field,
            shown(&self.from),
            shown(&self.to)
        )
    }
}

/// The differences between what is there and what is asked, by path. Empty when nothing needs to change.
#[must_use]
pub fn diff(seen: &Fields, want: &Fields) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let paths: std::collections::BTreeSet<&String> = seen.keys().chain(want.keys()).collect();
    for path in paths {
        let (from, to) = (seen.get(path), want.get(path));
        if from != to {
            changes.push(FieldChange {
                field: path.clone(),
                from: from.map(ToString::to_string),
                to: to.map(ToString::to_string),
            });
        }
    }
    changes
}
