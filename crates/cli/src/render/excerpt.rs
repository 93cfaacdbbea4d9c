//! Shows the place in a text that a problem is about.

use std::path::Path;

use anyport::manifest::Diagnostic;

use super::style::Style;

/// The longest part of a line that is shown.
const WIDTH: usize = 100;

/// One problem with the line it is about, marked.
pub(crate) fn render(path: &Path, text: &str, problem: &Diagnostic, style: Style) -> String {
    let mut out = format!(
        "{} {}",
        style.error("error:"),
        style.strong(&problem.message)
    );
    if let (Some(span), Some(at)) = (&problem.span, problem.position(text)) {
        let line = text.lines().nth(at.line - 1).unwrap_or_default();
        let (shown, offset) = cut(line, at.column);
        // At least one character is marked, at most the rest of the line.
        let marked = text.get(span.clone()).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count();
        let column = at.column - offset;
        let room = (shown.chars().count() + 1).saturating_sub(column).max(1);
        let marks = "^".repeat(marked.clamp(1, room));
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
