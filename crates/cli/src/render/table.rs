//! Columns.

use super::style::Style;

/// Rows under a heading, each column as wide as it needs to be.
pub(crate) fn render(heading: &[&str], rows: &[Vec<String>], style: Style) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = style.strong(line(heading.to_vec()));
    for row in rows {
        out.push('\n');
        out.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let rows = vec![
            vec!["hello".to_owned(), "1".to_owned()],
            vec!["a".to_owned(), String::new()],
        ];
        assert_eq!(
            render(&["NAME", "VERSION"], &rows, Style(false)),
            "NAME   VERSION\nhello  1\na"
        );
    }
}
