//! Documents name files that are there.

use super::Seen;
use crate::commands::Failure;
use crate::repo::Repo;

/// What the documents name although only a build or a run makes it.
const MADE_LATER: [&str; 1] = ["target"];

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    for document in repo.files.iter().filter(|path| path.ends_with(".md")) {
        let Some(text) = repo.text(document)? else {
            continue;
        };
        for (line, path) in named(&text, &repo.files) {
            seen.looked_at += 1;
            let beside = document
                .rsplit_once('/')
                .map_or(String::new(), |(folder, _)| format!("{folder}/"));
            if !exists(&path, &repo.files) && !exists(&format!("{beside}{path}"), &repo.files) {
                seen.problem(
                    format!("{document}:{line}"),
                    format!("`{path}` is not there"),
                );
            }
        }
    }
    Ok(seen)
}

/// The paths of this repository that a document names, with their lines.
fn named(text: &str, files: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let spans = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|span| is_path(span, files));
        found.extend(spans.map(|span| (index + 1, trimmed(span))));
        let links = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        let local = links
            .map(|(link, _)| link)
            .filter(|link| !link.contains("://") && !link.starts_with('#'));
        found
            .extend(local.map(|link| (index + 1, trimmed(link.split('#').next().unwrap_or(link)))));
    }
    found
}

/// Whether code in a sentence is a path of this repository and not somebody else's or a word.
fn is_path(span: &str, files: &[String]) -> bool {
    const NOT_IN_PATHS: &[char] = &[' ', '*', '{', '<', '$', '=', '(', ':', '…'];
    if span.is_empty() || span.contains(NOT_IN_PATHS) || span.starts_with(['/', '~', '-']) {
        return false;
    }
    let first = span.split('/').next().unwrap_or(span);
    let ours = files
        .iter()
        .any(|file| file.split('/').next() == Some(first));
    let document = span.ends_with(".md") || span.ends_with(".rs");
    !MADE_LATER.contains(&first) && (document || (span.contains('/') && ours))
}

fn trimmed(path: &str) -> String {
    path.trim_start_matches("./")
        .trim_end_matches('/')
        .to_owned()
}

/// Whether a file or a folder of that path is there. Inside prose, `a/b` may stand for `a/b.rs`.
fn exists(path: &str, files: &[String]) -> bool {
    let mut climbed: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(climbed.pop()),
            _ => climbed.push(part),
        }
    }
    let path = climbed.join("/");
    let is = |file: &String| match file.strip_prefix(&path) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || rest == ".rs",
        None => false,
    };
    path.is_empty() || files.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<String> {
        [
            "README.md",
            "crates/core/src/lib.rs",
            "crates/core/src/plan/mod.rs",
            ".ci/run",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn missing(text: &str) -> Vec<String> {
        let named = named(text, &files());
        named
            .into_iter()
            .map(|(_, path)| path)
            .filter(|path| !exists(path, &files()))
            .collect()
    }

    #[test]
    fn what_is_named_must_be_there() {
        assert_eq!(
            missing("See `crates/core`, `crates/core/src/plan/` and [ci](.ci/run)."),
            [""; 0]
        );
        let gone = "See `crates/kore` and `crates/core/src/gone.rs`.";
        assert_eq!(missing(gone), ["crates/kore", "crates/core/src/gone.rs"]);
        assert_eq!(
            missing("Read `missing.md` or [this](docs/x.md#part)."),
            ["missing.md", "docs/x.md"]
        );
    }

    #[test]
    fn what_only_looks_like_a_path_is_left_alone() {
        let text = "`application/json`, `local://`, `src/*`, `/usr/bin`, `anyport plan -o FILE`, \
                    `target/debug/x`, [web](https://example.com/a)\n```\n`crates/none`\n```\n";
        assert_eq!(missing(text), [""; 0]);
    }
}
