//! Colours, where they are wanted.

use std::fmt::Display;

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style(pub bool);

impl Style {
    fn paint(self, code: &str, text: impl Display) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }

    pub(crate) fn error(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn warning(self, text: impl Display) -> String {
        self.paint("1;33", text)
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    pub(crate) fn strong(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    pub(crate) fn faint(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(crate) fn frame(self, text: impl Display) -> String {
        self.paint("34", text)
    }
}
