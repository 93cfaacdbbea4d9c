//! A failure, for people and for machines.

use std::io::Write as _;

use serde_json::{Value, json};

use super::style::Style;
use super::{JSON_SCHEMA, excerpt, sorted};
use crate::failure::Failure;

/// As many lines of what others wrote as are shown.
const SHOWN: usize = 40;

pub(super) fn human(failure: &Failure, style: Style) -> String {
    let mut out = String::new();
    write(failure, style, &mut out);
    out
}

fn write(failure: &Failure, style: Style, out: &mut String) {
    // The parts and the places say everything themselves; what sums them up comes last.
    for part in &failure.parts {
        write(part, style, out);
        out.push_str("\n\n");
    }
    if let Some(excerpts) = &failure.excerpts {
        for problem in &excerpts.found {
            out.push_str(&excerpt::render(
                &excerpts.path,
                &excerpts.text,
                problem,
                style,
            ));
            out.push_str("\n\n");
        }
    }
    out.push_str(&format!("{} {}", style.error("error:"), failure.message));
    for cause in &failure.causes {
        out.push_str(&format!("\n  {} {cause}", style.frame("because:")));
    }
    for attachment in &failure.attachments {
        let lines = &attachment.lines;
        let skipped = lines.len().saturating_sub(SHOWN);
        out.push_str(&format!(
            "\n  {}",
            style.frame(format_args!("{}:", attachment.heading))
        ));
        if skipped > 0 {
            out.push_str(&format!(
                "\n    {}",
                style.faint(format_args!("... {skipped} lines before"))
            ));
        }
        for line in &lines[skipped..] {
            out.push_str("\n    ");
            out.push_str(&super::words::printable(line));
        }
    }
    if let Some(next) = &failure.next {
        out.push_str(&format!("\n  {} {next}", style.good("next:")));
    }
}

/// Prints a failure as one JSON object on standard error.
pub(crate) fn json_failure(failure: &Failure) {
    let object = json!({ "schema": JSON_SCHEMA, "error": value(failure) });
    // When nobody reads standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}", sorted(object));
}

fn value(failure: &Failure) -> Value {
    let mut value = json!({
        "code": failure.code,
        "message": failure.message,
        "exit": failure.exit as u8,
    });
    let Some(map) = value.as_object_mut() else {
        return value;
    };
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    if let Some(next) = &failure.next {
        put("next", json!(next));
    }
    if !failure.causes.is_empty() {
        put("causes", json!(failure.causes));
    }
    for attachment in &failure.attachments {
        put(
            &attachment.heading.replace(' ', "_"),
            json!(attachment.lines),
        );
    }
    if let Some(excerpts) = &failure.excerpts {
        let found: Vec<Value> = excerpts
            .found
            .iter()
            .map(|problem| {
                json!({
                    "code": problem.code,
                    "message": problem.message,
                    "help": problem.help,
                    "at": problem.position(&excerpts.text),
                })
            })
            .collect();
        put("file", json!(excerpts.path));
        put("problems", json!(found));
    }
    if !failure.parts.is_empty() {
        put("parts", failure.parts.iter().map(self::value).collect());
    }
    value
}
