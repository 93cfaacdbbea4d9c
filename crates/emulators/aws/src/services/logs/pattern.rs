//! Filter patterns. Source: CloudWatch Logs user guide, filter pattern syntax.
//!
//! Terms, phrases in quotes, `?optional`, `-excluded` and `%regular expressions%`; for JSON events
//! `{ $.a.b = "x*" }` with comparisons joined by `&&` or `||`. Patterns for space-delimited events
//! (`[...]`) are not known.

use regex::Regex;
use serde_json::Value;

/// What events are held against.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Everything.
    All,
    Terms(Vec<Term>),
    Json(Vec<Vec<Condition>>),
}

#[derive(Debug)]
pub(super) struct Term {
    kind: Kind,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Needed,
    Optional,
    Excluded,
}

#[derive(Debug)]
enum What {
    Text(String),
    Regex(Regex),
}

/// One comparison. A pattern is alternatives of conditions that all hold.
#[derive(Debug)]
pub(super) struct Condition {
    path: Vec<String>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Text { text: String, equal: bool },
    Number { number: f64, operator: &'static str },
    IsNull,
    IsTrue,
    IsFalse,
    Exists(bool),
}

impl Pattern {
    /// `None` where the text is no pattern, or one of a kind that is not known.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text == "\"\"" {
            return Some(Self::All);
        }
        if let Some(inner) = text.strip_prefix('{') {
            return parse_json(inner.strip_suffix('}')?).map(Self::Json);
        }
        if text.starts_with('[') {
            return None;
        }
        parse_terms(text).map(Self::Terms)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::All => true,
            Self::Terms(terms) => {
                let holds = |term: &Term| match &term.what {
                    What::Text(text) => message.contains(text.as_str()),
                    What::Regex(regex) => regex.is_match(message),
                };
                let of = |kind| terms.iter().filter(move |term| term.kind == kind);
                let optional = of(Kind::Optional).count() == 0 || of(Kind::Optional).any(holds);
                optional && of(Kind::Needed).all(holds) && !of(Kind::Excluded).any(holds)
            }
            Self::Json(alternatives) => {
                let Ok(event) = serde_json::from_str::<Value>(message) else {
                    return false;
                };
                alternatives
                    .iter()
                    .any(|all| all.iter().all(|condition| condition.holds(&event)))
            }
        }
    }
}

fn parse_terms(text: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let kind = match rest.as_bytes()[0] {
            b'?' => Kind::Optional,
            b'-' => Kind::Excluded,
            _ => Kind::Needed,
        };
        if kind != Kind::Needed {
            rest = &rest[1..];
        }
        let what;
        if let Some(quoted) = rest.strip_prefix('"') {
            let (phrase, after) = phrase(quoted)?;
            what = What::Text(phrase);
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('%') {
            let (regex, after) = inner.split_once('%')?;
            what = What::Regex(Regex::new(regex).ok()?);
            rest = after;
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            // Outside quotes terms are letters, digits and underscores.
            let plain = rest[..end]
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '*'));
            if end == 0 || !plain {
                return None;
            }
            what = What::Text(rest[..end].to_owned());
            rest = &rest[end..];
        }
        terms.push(Term { kind, what });
        rest = rest.trim_start();
    }
    Some(terms)
}

/// A quoted text without its quotes, and what follows it.
fn phrase(quoted: &str) -> Option<(String, &str)> {
    let mut phrase = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((phrase, &quoted[at + 1..])),
            '\\' => phrase.push(chars.next()?.1),
            c => phrase.push(c),
        }
    }
    None
}

fn parse_json(inner: &str) -> Option<Vec<Vec<Condition>>> {
    inner
        .split("||")
        .map(|all| {
            all.split("&&")
                .map(|one| {
                    let one = one.trim();
                    let bare = one.strip_prefix('(').and_then(|one| one.strip_suffix(')'));
                    Condition::parse(bare.unwrap_or(one).trim())
                })
                .collect()
        })
        .collect()
}

const OPERATORS: [&str; 6] = ["!=", ">=", "<=", "=", ">", "<"];

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$.")?;
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']')))
            .unwrap_or(rest.len());
        let path = rest[..end]
            .split(['.', '[', ']'])
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let test = rest[end..].trim();
        let test = match test {
            "IS NULL" => Test::IsNull,
            "IS TRUE" => Test::IsTrue,
            "IS FALSE" => Test::IsFalse,
            "EXISTS" => Test::Exists(true),
            "NOT EXISTS" => Test::Exists(false),
            _ => {
                let operator = OPERATORS.into_iter().find(|sign| test.starts_with(sign))?;
                comparison(operator, test[operator.len()..].trim())?
            }
        };
        Some(Self { path, test })
    }

    fn holds(&self, event: &Value) -> bool {
        let mut value = Some(event);
        for part in &self.path {
            value = value.and_then(|value| match value {
                Value::Array(items) => items.get(part.parse::<usize>().ok()?),
                value => value.get(part),
            });
        }
        match &self.test {
            Test::Exists(wanted) => value.is_some() == *wanted,
            Test::IsNull => value.is_some_and(Value::is_null),
            Test::IsTrue => value.and_then(Value::as_bool) == Some(true),
            Test::IsFalse => value.and_then(Value::as_bool) == Some(false),
            Test::Text { text, equal } => value
                .and_then(Value::as_str)
                .is_some_and(|value| like(text, value) == *equal),
            Test::Number { number, operator } => {
                value
                    .and_then(Value::as_f64)
                    .is_some_and(|value| match *operator {
                        "=" => value == *number,
                        "!=" => value != *number,
                        ">" => value > *number,
                        "<" => value < *number,
                        ">=" => value >= *number,
                        _ => value <= *number,
                    })
            }
        }
    }
}

fn comparison(operator: &'static str, operand: &str) -> Option<Test> {
    if let Ok(number) = operand.parse() {
        return Some(Test::Number { number, operator });
    }
    let text = match operand.strip_prefix('"') {
        Some(quoted) => {
            let (text, after) = phrase(quoted)?;
            if !after.is_empty() {
                return None;
            }
            text
        }
        None if operand.is_empty() || operand.contains(char::is_whitespace) => return None,
        None => operand.to_owned(),
    };
    let equal = match operator {
        "=" => true,
        "!=" => false,
        _ => return None,
    };
    Some(Test::Text { text, equal })
}

/// Whether `value` is `text`, in which `*` stands for anything.
fn like(text: &str, value: &str) -> bool {
    let parts: Vec<&str> = text.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return text == value;
    };
    let Some(mut rest) = value
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last))
    else {
        return false;
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_are_needed_optional_or_excluded() {
        assert!(matches("", "anything"));
        assert!(matches("ERROR", "an ERROR here"));
        assert!(!matches("ERROR", "an error here"));
        assert!(matches("ERROR Timeout", "Timeout: ERROR"));
        assert!(!matches("ERROR Timeout", "ERROR"));
        assert!(matches("?ERROR ?WARN", "WARN"));
        assert!(!matches("ERROR -Exit", "ERROR: Exit"));
        assert!(matches("\"RequestId: 1-2\"", "START RequestId: 1-2"));
        assert!(matches("%ERR.R%", "ERROR"));
        assert!(Pattern::parse("a-b").is_none());
        assert!(Pattern::parse("\"open").is_none());
        assert!(Pattern::parse("[a, b]").is_none());
    }

    #[test]
    fn json_events_are_compared() {
        let event = r#"{"level":"ERROR","a":{"n":7,"list":[true]},"none":null}"#;
        assert!(matches(r#"{ $.level = "ERR*" }"#, event));
        assert!(!matches(r#"{ $.level != "ERROR" }"#, event));
        assert!(matches("{ $.a.n > 6 && $.a.list[0] IS TRUE }", event));
        assert!(matches("{ ($.a.n = 1) || ($.none IS NULL) }", event));
        assert!(matches("{ $.x NOT EXISTS }", event));
        assert!(!matches("{ $.level = ERROR }", "no json"));
        assert!(Pattern::parse("{ $.a ~ 1 }").is_none());
    }
}
