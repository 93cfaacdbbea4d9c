//! Which parts of a manifest's text are not to be shown: values of environment variables and of secrets, also in a text that is no
//! manifest, because a secret that was pasted is found by the very message that quotes its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The tables of a function whose values are private.
const TABLES: [&str; 2] = ["env", "secrets"];

/// The parts of a manifest's text that hold values of environment variables or secrets: bytes, in order, not overlapping.
///
/// What shows a part of the text replaces these. In a text with broken syntax rather too much is private than too little.
///
/// ```
/// let text = "[function.hello.secrets]\nTOKEN = \"hunter2\"\n";
/// let private = anyport::manifest::private(text);
/// assert_eq!(&text[private[0].clone()], "\"hunter2\"");
/// ```
#[must_use]
pub fn private(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (root, errors) = DeTable::parse_recoverable(text);
    collect(root.get_ref(), &mut Vec::new(), &mut parts);
    if !errors.is_empty() {
        // What was recovered from broken syntax may lack the very line that broke it.
        by_line(text, &mut parts);
    }
    merge(parts)
}

fn collect<'a>(table: &'a DeTable<'_>, path: &mut Vec<&'a str>, parts: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        path.push(key.get_ref());
        match path.as_slice() {
            ["function" | "service", _, table] if TABLES.contains(table) => values(value, parts),
            _ => descend(value, path, parts),
        }
        path.pop();
    }
}

fn descend<'a>(
    value: &'a Spanned<DeValue<'_>>,
    path: &mut Vec<&'a str>,
    parts: &mut Vec<Range<usize>>,
) {
    if let (DeValue::Table(table), true) = (value.get_ref(), path.len() < 3) {
        collect(table, path, parts);
    }
}

/// Everything in a value but the names of tables' keys.
fn values(value: &Spanned<DeValue<'_>>, parts: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for value in table.values() {
                values(value, parts);
            }
        }
        _ => parts.push(value.span()),
    }
}

/// Judges lines by the heading above them and the words in front of their first `=`.
fn by_line(text: &str, parts: &mut Vec<Range<usize>>) {
    let (mut inside, mut of_function) = (false, false);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let words = || content.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let is_heading = content.trim_start().starts_with('[') && !content.contains('=');
        if is_heading {
            of_function = words()
                .find(|word| !word.is_empty())
                .is_some_and(|word| matches!(word, "function" | "service"));
            inside = of_function && words().any(|word| TABLES.contains(&word));
        } else if inside {
            // Without `=` it is the middle of a value of several lines, and so may be one with `=`.
            let key = content.split('=').next().unwrap_or_default();
            let is_key = content.contains('=')
                && key
                    .trim()
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            parts.push(start + if is_key { key.len() + 1 } else { 0 }..start + content.len());
        } else if of_function || words().any(|word| matches!(word, "function" | "service")) {
            let private = TABLES.iter().filter_map(|table| content.find(table)).min();
            if let Some(equals) = private.and_then(|at| content[at..].find('=').map(|to| at + to)) {
                parts.push(start + equals + 1..start + content.len());
            }
        }
        start += line.len();
    }
}

fn merge(mut parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    parts.retain(|part| !part.is_empty());
    parts.sort_by_key(|part| part.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    for part in parts {
        match merged.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => merged.push(part),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text as it may be shown.
    fn shown(text: &str) -> String {
        let mut shown = text.to_owned();
        for part in private(text).into_iter().rev() {
            shown.replace_range(part, "...");
        }
        shown
    }

    #[test]
    fn values_are_private_however_they_are_written() {
        for text in [
            "[function.a.env]\nX = \"hunter2\"",
            "[service.a.secrets]\n\"X\" = 'hunter2'\ny.z = \"hunter2\"",
            "[function.a]\nsecrets = { X = \"hunter2\" }",
            "[function]\na = { env = { X = \"hunter2\", Y = [\"hunter2\"] } }",
            "function.a.env.X = \"hunter2\"",
            "[function.a.env]\nX = \"\"\"\n[a]\nhunter2=\n\"\"\"",
        ] {
            assert!(!shown(text).contains("hunter2"), "{}", shown(text));
        }
        let other = "[env.dev.at]\nenv = \"local://\"\n[function.a]\nmemory_mb = 5\n";
        assert_eq!(shown(other), other);
    }

    #[test]
    fn broken_syntax_hides_rather_too_much() {
        for text in [
            "[function.a.env]\nX = \"hunter2",
            "[function.a.env]\nX = hunter2",
            "[function.a.env]\nX hunter2",
            "[function.a.env]\nX = \"\"\"\nhunter2== \\q\n\"\"\"",
            "[function.a]\nenv = { X = \"hunter2 }",
            "[function.a]\nsecrets.X = \"hunter2",
            "function.a = { env.X = \"hunter2 }",
        ] {
            assert!(!shown(text).contains("hunter2"), "{}", shown(text));
        }
        let other = "[function.a]\nmemory_mb = \"5\nenv = { X = 1 }";
        assert!(shown(other).contains("memory_mb = \"5"), "{}", shown(other));
    }
}
