//! Takes out of an output what differs from run to run.

use std::path::Path;

/// Replaces the sandbox's path, times, digests, ids and the user by their names.
pub(crate) fn scrub(text: &str, root: &Path) -> String {
    let probe = crate::sandbox::probe().display().to_string();
    let text = text
        .replace(&probe, "[PROBE]")
        .replace(&root.display().to_string(), "[ROOT]")
        .replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

fn line(line: &str) -> String {
    let words: Vec<String> = split(line).into_iter().map(word).collect();
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        // Alternating: words at even places, what separates them at odd ones.
        let is_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
        let mut ahead = rest.clone();
        let blank = ahead.next().is_some_and(|gap| gap == " ");
        let unit = ahead
            .next()
            .is_some_and(|unit| matches!(unit.as_str(), "µs" | "ms" | "s" | "min"));
        if is_number && blank && unit {
            rest = ahead;
            if out.last().is_some_and(|gap| gap == " ")
                && out.iter().rev().nth(1).is_some_and(|one| one == "[TIME]")
            {
                out.pop();
            } else {
                out.push("[TIME]".to_owned());
            }
        } else if is_number && out.join("").ends_with("as user ") {
            out.push("[USER]".to_owned());
        } else if word.starts_with(':') && out.join("").ends_with("\"duration_ms\"") {
            out.push(":[TIME]".to_owned());
        } else {
            out.push(word.clone());
        }
    }
    out.concat()
}

/// Words of letters, digits and `-._:µ`, and what stands between them.
fn split(line: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || "-._:".contains(c);
    let mut parts = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in line.char_indices() {
        if last.is_some_and(|last| last != is_word(c)) {
            parts.push(&line[start..at]);
            start = at;
        }
        last = Some(is_word(c));
    }
    parts.push(&line[start..]);
    parts
}

fn word(word: &str) -> String {
    if let Some(rest) = word.strip_prefix(':') {
        return format!(":{}", self::word(rest));
    }
    let hex = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    };
    // A word may end a clause.
    let bare = word.trim_end_matches([':', '.']);
    let tail = &word[bare.len()..];
    let digest = bare
        .trim_start_matches("sha256:")
        .trim_start_matches("sha256-")
        .trim_end_matches(".zip");
    let name = if hex(digest)
        && (digest.len() == 64
            || (digest.len() == 12 && digest.chars().any(|c| c.is_ascii_digit())))
    {
        "[DIGEST]"
    } else if bare.len() == 36 && bare.matches('-').count() == 4 && hex(&bare.replace('-', "")) {
        "[ID]"
    } else if bare.len() == 24 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T' {
        "[WHEN]"
    } else {
        return word.to_owned();
    };
    format!("{name}{tail}")
}

#[test]
fn what_differs_is_named_and_the_rest_stays() {
    let json = "{\"duration_ms\":348,\"n\":1}";
    assert_eq!(
        scrub(json, Path::new("/nowhere")),
        "{\"duration_ms\":[TIME],\"n\":1}"
    );
    let text = "hello: created, version 1 in 1.4 s as user 0, in 2 min 5 s\n2026-11-23T09:03:19.994Z a 12 mstrings";
    assert_eq!(
        scrub(text, Path::new("/nowhere")),
        "hello: created, version 1 in [TIME] as user [USER], in [TIME]\n[WHEN] a 12 mstrings"
    );
}
