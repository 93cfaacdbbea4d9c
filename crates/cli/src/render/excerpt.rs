//! Shows the place in a text that a problem is about.

use std::ops::Range;
use std::path::Path;

use anyport::manifest::{Diagnostic, private};

use super::style::Style;

/// The longest part of a line that is shown.
const WIDTH: usize = 100;

/// Stands for values of environment variables and secrets.
const HIDDEN: &str = "...";

/// One problem with the line it is about, marked.
pub(crate) fn render(path: &Path, text: &str, problem: &Diagnostic, style: Style) -> String {
    let mut out = format!(
        "{} {}",
        style.error("error:"),
        style.strong(&problem.message)
    );
    if let (Some(span), Some(at)) = (&problem.span, problem.position(text)) {
        let seen = Seen::of(text, span);
        let (shown, offset) = cut(&seen.line, seen.column);
        // At least one character is marked, at most the rest of the line.
        let column = seen.column - offset;
        let room = (shown.chars().count() + 1).saturating_sub(column).max(1);
        let marks = "^".repeat(seen.marked.clamp(1, room));
        let number = at.line.to_string();
        let gap = " ".repeat(number.len());
        let bar = style.frame("|");
        out.push_str(&format!(
            "\n{gap}{} {}:{}:{}\n{gap} {bar}\n{} {bar} {shown}\n{gap} {bar} {}{}",
            style.frame("-->"),
            path.display(),
            at.line,
            at.column,
            style.frame(&number),
            " ".repeat(width_before(&shown, column)),
            style.error(marks),
        ));
    } else {
        out.push_str(&format!("\n {} {}", style.frame("-->"), path.display()));
    }
    if let Some(help) = &problem.help {
        out.push_str(&format!("\n  {} {help}", style.good("help:")));
    }
    out
}

/// A line as it may be shown: without what is private in it.
struct Seen {
    line: String,
    /// Where the marks start, counted from 1, in characters.
    column: usize,
    /// How many characters are marked.
    marked: usize,
}

impl Seen {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let start = span.start.min(text.len());
        let from = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let to = text[from..].find('\n').map_or(text.len(), |at| from + at);
        let private = private(text);
        let mut seen = Self {
            line: String::new(),
            column: 1,
            marked: 0,
        };
        let mut hidden = None;
        for (at, c) in text[from..to].trim_end_matches('\r').char_indices() {
            let at = from + at;
            let part = private.iter().position(|part| part.contains(&at));
            let width = match part {
                None => {
                    seen.line.push(c);
                    1
                }
                Some(_) if part == hidden => 0,
                Some(_) => {
                    seen.line.push_str(HIDDEN);
                    HIDDEN.len()
                }
            };
            hidden = part;
            if at < start {
                seen.column += width;
            } else if at < span.end {
                seen.marked += width;
            }
        }
        seen
    }
}

/// A long line is shown around the column, control characters as spaces; returns how many characters were cut in front.
fn cut(line: &str, column: usize) -> (String, usize) {
    let offset = if column > WIDTH {
        column - WIDTH / 2
    } else {
        0
    };
    let shown = line
        .chars()
        .skip(offset)
        .take(WIDTH)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    (shown, offset)
}

/// Columns that the characters before `column` take.
fn width_before(shown: &str, column: usize) -> usize {
    shown.chars().take(column.saturating_sub(1)).count()
}
