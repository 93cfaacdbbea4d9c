//! The vendor's regular expressions, which are Java's.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// A pattern that a whole text must match. It is compiled when it is first used.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: Cow<'static, str>,
    compiled: OnceLock<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    /// `None` where the pattern says nothing that can be checked.
    matches: Option<Regex>,
    /// What must not match beside it.
    unless: Option<Regex>,
}

/// Patterns that look ahead or behind, as one that must match and one that must not.
const LOOKING_AROUND: [(&str, &str, &str); 6] = [
    ("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "[a-zA-Z0-9-_]+", "[0-9]+"),
    ("((?!^\\d+$)^[0-9a-zA-Z-_]+$)", "[0-9a-zA-Z-_]+", "[0-9]+"),
    (
        "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?",
        "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:([0-9a-zA-Z-_]+))?",
        "(arn:.*:function:)?[a-zA-Z0-9-_]+:[0-9]+",
    ),
    (
        "[0-9A-Za-z\\.\\-_]*(?<!\\.)",
        "[0-9A-Za-z\\.\\-_]*",
        ".*\\.",
    ),
    (
        "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
        "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        ".*--.*",
    ),
    (
        "(^(?!(system\\x2e)))(^[_a-zA-Z0-9])([^$]*)",
        "[_a-zA-Z0-9][^$]*",
        "system\\x2e.*",
    ),
];

impl Pattern {
    pub(super) fn new(source: Cow<'static, str>) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }

    /// As the vendor writes it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| self.compile());
        compiled
            .matches
            .as_ref()
            .is_none_or(|regex| regex.is_match(text))
            && !compiled
                .unless
                .as_ref()
                .is_some_and(|regex| regex.is_match(text))
    }

    fn compile(&self) -> Compiled {
        let (matches, unless) = LOOKING_AROUND
            .iter()
            .find(|(source, ..)| *source == self.source)
            .map_or((&*self.source, None), |(_, matches, unless)| {
                (*matches, Some(*unless))
            });
        Compiled {
            matches: whole(matches),
            unless: unless.and_then(whole),
        }
    }
}

/// The expression for a whole text. `None` where it can't be compiled: a test looks for that.
fn whole(java: &str) -> Option<Regex> {
    Regex::new(&format!("\\A(?:{})\\z", translate(java))).ok()
}

/// From Java's notation: its classes are of ASCII, and a hyphen after a range or class is itself.
fn translate(java: &str) -> String {
    let mut text = String::with_capacity(java.len() + 16);
    let mut in_class = false;
    let mut chars = java.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('d') => text.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('w') => text.push_str(if in_class {
                    "_a-zA-Z0-9"
                } else {
                    "[_a-zA-Z0-9]"
                }),
                Some('s') => text.push_str(if in_class {
                    " \\t\\n\\x0B\\f\\r"
                } else {
                    "[ \\t\\n\\x0B\\f\\r]"
                }),
                Some('S') => text.push_str("[^ \\t\\n\\x0B\\f\\r]"),
                // Java lets any other punctuation be escaped.
                Some(other) if other.is_ascii_alphanumeric() || other.is_ascii_punctuation() => {
                    text.push('\\');
                    text.push(other);
                }
                Some(other) => text.push(other),
                None => text.push_str("\\\\"),
            },
            '[' if !in_class => {
                in_class = true;
                text.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    text.push('^');
                }
            }
            '[' | '&' | '~' if in_class => {
                text.push('\\');
                text.push(char);
            }
            ']' if in_class => {
                in_class = false;
                text.push(']');
            }
            '-' if in_class => {
                let ends_range = ends_a_range(&text);
                let last = chars.peek() == Some(&']');
                if ends_range || last || text.ends_with('[') {
                    text.push('\\');
                }
                text.push('-');
            }
            other => text.push(other),
        }
    }
    text
}

/// Whether the text ends with a range (`a-z`) or a class, after which a hyphen is itself.
fn ends_a_range(text: &str) -> bool {
    let mut back = text.chars().rev();
    let (last, before) = (back.next(), back.next());
    if last == Some('}') {
        return text
            .rfind('{')
            .is_some_and(|open| text[..open].ends_with("\\p"));
    }
    before == Some('-') && back.next() != Some('\\') && last.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Service;
    use crate::model::{Kind, Model};

    fn matches(pattern: &'static str, text: &str) -> bool {
        Pattern::new(Cow::Borrowed(pattern)).matches(text)
    }

    #[test]
    fn every_pattern_in_use_is_understood() {
        for service in Service::ALL {
            for shape in Model::of(service).shapes() {
                if let Kind::Text {
                    pattern: Some(pattern),
                    ..
                } = &shape.kind
                {
                    let compiled = pattern.compile();
                    assert!(
                        compiled.matches.is_some(),
                        "{} {}: {} -> {}",
                        service.name(),
                        shape.name,
                        pattern.source(),
                        translate(pattern.source())
                    );
                }
            }
        }
    }

    #[test]
    fn the_whole_text_must_match() {
        assert!(matches("[a-zA-Z0-9-_]+", "a-b_C9"));
        assert!(!matches("[a-zA-Z0-9-_]+", "a b"));
        assert!(!matches("[a-zA-Z0-9-_]+", "ab\n"));
        assert!(matches("a|bc", "bc"));
        assert!(!matches("a|bc", "ac"));
    }

    #[test]
    fn digits_are_of_ascii() {
        assert!(matches("\\d{12}", "123456789012"));
        assert!(!matches("\\d", "\u{0663}"));
        assert!(matches("[\\d-]+", "1-2"));
        assert!(matches("[\\w+=,.@-]+", "a_+=,.@-"));
    }

    #[test]
    fn what_looks_around_is_said_in_two() {
        let alias = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)";
        assert!(matches(alias, "live1"));
        assert!(!matches(alias, "12"));
        let bucket = "[0-9A-Za-z\\.\\-_]*(?<!\\.)";
        assert!(matches(bucket, "my.bucket"));
        assert!(!matches(bucket, "my.bucket."));
    }

    #[test]
    fn unicode_classes_are_kept() {
        let tag = "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)";
        assert!(matches(tag, "Größe 1"));
        assert!(!matches(tag, "a;b"));
    }
}
