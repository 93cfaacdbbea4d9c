//! A manifest without what has the wrong shape, so that the rest of it can be judged in the same run.

use std::ops::Range;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostics;
use super::document::Document;

/// The tables whose entries are judged one by one: without one of them the others mean the same.
const INDEPENDENT: [&str; 2] = ["function", "service"];

/// The manifest without every key that a problem is about; `None` when what is left would be judged wrongly.
pub(super) fn without(mut table: Spanned<DeTable<'_>>, found: &Diagnostics) -> Option<Document> {
    let spans: Vec<Range<usize>> = found.iter().filter_map(|one| one.span.clone()).collect();
    for (key, value) in table.get_mut().iter_mut() {
        let removed = match value.get_mut() {
            DeValue::Table(inner) => remove(inner, &spans),
            _ => 0,
        };
        // A place or an environment that is missing makes others look wrong.
        if removed > 0 && !INDEPENDENT.contains(&&**key.get_ref()) {
            return None;
        }
    }
    if remove_own(table.get_mut(), &spans) > 0 {
        return None;
    }
    // A problem that no key could be removed for is one again here, and ends it.
    Document::deserialize(toml::de::Deserializer::from(table)).ok()
}

/// Removes from a table, and from those in it, the keys that a problem is about; returns how many.
fn remove(table: &mut DeTable<'_>, spans: &[Range<usize>]) -> usize {
    let mut removed = remove_own(table, spans);
    for (_, value) in table.iter_mut() {
        if let DeValue::Table(inner) = value.get_mut() {
            removed += remove(inner, spans);
        }
    }
    removed
}

fn remove_own(table: &mut DeTable<'_>, spans: &[Range<usize>]) -> usize {
    let wrong: Vec<String> = table
        .iter()
        .filter(|(key, value)| spans.contains(&key.span()) || spans.contains(&value.span()))
        .map(|(key, _)| key.get_ref().to_string())
        .collect();
    for key in &wrong {
        table.remove(key.as_str());
    }
    wrong.len()
}
