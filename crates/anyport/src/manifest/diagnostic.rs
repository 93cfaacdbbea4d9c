//! What is wrong with a manifest, and where.

use std::fmt;
use std::ops::Range;

use anyport_core::error::Violation;
use serde::Serialize;

use super::spans::Spans;

/// One problem, with the place in the text that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnostic {
    /// What kind of problem it is, stable for machines, such as `unknown_key`.
    pub code: &'static str,
    /// What is wrong, in one clause.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The bytes of the text that it is about; `None` when it is about what is not there.
    pub span: Option<Range<usize>>,
}

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Diagnostic {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
            span: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn at(mut self, span: Option<Range<usize>>) -> Self {
        self.span = span;
        self
    }

    pub(super) fn is_doubled_key(error: &toml::de::Error) -> bool {
        error.message().starts_with("duplicate key")
    }

    pub(super) fn of_syntax(error: &toml::de::Error, text: &str) -> Self {
        if Self::is_doubled_key(error) {
            let key = error.span().and_then(|span| text.get(span));
            let message = format!("`{}` is here for the second time", key.unwrap_or("a key"));
            return Self::new("duplicate_key", message)
                .help("names are unique; rename one, or merge the two")
                .at(error.span());
        }
        Self::new("syntax", error.message())
            .help("this is not TOML; https://toml.io shows the syntax on one page")
            .at(error.span())
    }

    /// Points a violation at the field of the table `at` that it is about, or at the nearest table around it.
    pub(super) fn of_violation(violation: &Violation, spans: &Spans, at: &[&str]) -> Self {
        let field = &violation.field;
        // The rule of a name is about the last part of the field, which need not be said again.
        let shown = match &violation.value {
            Some(value) if field.rsplit('.').next() != Some(value) => format!(" is {value:?}"),
            _ => String::new(),
        };
        let mut diagnostic = Self::new("invalid", format!("{field}{shown}: {}", violation.rule))
            .at(spans.of_field(at, field));
        if let Some(nearest) = &violation.nearest {
            diagnostic = diagnostic.help(format!("the nearest valid value is {nearest}"));
        }
        diagnostic
    }

    /// Where it starts in `text`, the text that was parsed.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<Position> {
        let start = self.span.as_ref()?.start.min(text.len());
        let before = text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some(Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// Every problem found, in the order of the text. Never empty inside an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds one, behind those that start at the same place or before it.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let start = |one: &Diagnostic| one.span.as_ref().map(|span| span.start);
        let place = self
            .0
            .partition_point(|earlier| start(earlier) <= start(&diagnostic));
        if !self.0[..place].contains(&diagnostic) {
            self.0.insert(place, diagnostic);
        }
    }

    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Self(vec![one])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        let mut all = Self::none();
        for one in iter {
            all.push(one);
        }
        all
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, one) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            one.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
