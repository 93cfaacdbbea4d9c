//! Where each key and value of a manifest stands in its text.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The places of all keys and values, by path.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(BTreeMap<Vec<String>, Place>);

#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
    is_table: bool,
}

impl Spans {
    pub(super) fn of(table: &Spanned<DeTable<'_>>) -> Self {
        let mut spans = Self::default();
        spans.table(&mut Vec::new(), table.get_ref());
        spans
    }

    fn table(&mut self, path: &mut Vec<String>, table: &DeTable<'_>) {
        for (key, value) in table {
            path.push(key.get_ref().clone().into_owned());
            self.value(path, key.span(), value);
            path.pop();
        }
    }

    fn value(&mut self, path: &mut Vec<String>, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let is_table = value.get_ref().is_table();
        let place = Place {
            key,
            value: value.span(),
            is_table,
        };
        self.0.insert(path.clone(), place);
        match value.get_ref() {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(array) => {
                for (index, item) in array.iter().enumerate() {
                    path.push(index.to_string());
                    self.value(path, item.span(), item);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn place(&self, path: &[&str]) -> Option<&Place> {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        self.0.get(&path)
    }

    /// The key at `path`.
    pub(super) fn key(&self, path: &[&str]) -> Option<Range<usize>> {
        self.place(path).map(|place| place.key.clone())
    }

    /// The value at `path`, or the key of a table.
    pub(super) fn value_of(&self, path: &[&str]) -> Option<Range<usize>> {
        self.place(path).map(|place| {
            let of = if place.is_table {
                &place.key
            } else {
                &place.value
            };
            of.clone()
        })
    }

    /// The place of a spec's field, such as `env.GREETING`, in the function's table `at`; of what is around it where it is not there.
    pub(super) fn of_field(&self, at: &[&str], field: &str) -> Option<Range<usize>> {
        let mut path: Vec<&str> = at.to_vec();
        match field.split_once('.') {
            Some(("artifact", part)) => {
                path.push("source");
                path.push(match part {
                    "repository" | "digest" => "image",
                    "bootstrap" => "zip",
                    other => other,
                });
            }
            // A rule about a name is about the key, not about what is assigned to it.
            Some((map @ ("env" | "secrets" | "tags"), name)) => {
                path.extend([map, name]);
                return self.key(&path).or_else(|| self.around(&path));
            }
            Some((table, rest)) => path.extend([table, rest]),
            None if field == "name" => {}
            None => path.push(field),
        }
        self.value_of(&path).or_else(|| self.around(&path))
    }

    fn around(&self, path: &[&str]) -> Option<Range<usize>> {
        (1..path.len())
            .rev()
            .find_map(|length| self.value_of(&path[..length]))
    }
}
