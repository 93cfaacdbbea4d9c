//! Documents name the versions and the crates that there are.

use super::Seen;
use crate::commands::Failure;
use crate::repo::{Repo, Workspace};

/// The documents that a reader copies from.
const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];
const CHANGES: &str = "CHANGELOG.md";
/// The crate whose version is the product's.
const FACADE: &str = "anyport";

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    let Some(facade) = repo.workspace.member(FACADE) else {
        seen.problem("Cargo.toml", format!("there is no crate `{FACADE}`"));
        return Ok(seen);
    };
    for document in DOCUMENTS.into_iter().chain([CHANGES]) {
        let text = if repo.files.iter().any(|path| path == document) {
            repo.text(document)?
        } else {
            None
        };
        match text {
            None => seen.problem(document, "is not there"),
            Some(text) if document == CHANGES => {
                seen.looked_at += 1;
                if !text
                    .lines()
                    .any(|line| is_heading_for(line, &facade.version))
                {
                    seen.problem(
                        CHANGES,
                        format!(
                            "has no heading for {} or what is unreleased",
                            facade.version
                        ),
                    );
                }
            }
            Some(text) => {
                let rust = facade.rust_version.as_deref().unwrap_or_default();
                read(
                    document,
                    &text,
                    &repo.workspace,
                    &facade.version,
                    rust,
                    &mut seen,
                );
            }
        }
    }
    Ok(seen)
}

fn read(
    document: &str,
    text: &str,
    workspace: &Workspace,
    version: &str,
    rust: &str,
    seen: &mut Seen,
) {
    for (index, line) in text.lines().enumerate() {
        let place = format!("{document}:{}", index + 1);
        if let Some((name, wanted)) = requirement(line).filter(|(name, _)| is_ours(name)) {
            seen.looked_at += 1;
            if !covers(wanted, version) {
                seen.problem(
                    &place,
                    format!("asks for {name} {wanted}, the version is {version}"),
                );
            }
        }
        for word in line.split(|char: char| !(char.is_ascii_alphanumeric() || "-_".contains(char)))
        {
            // `anyport-thing` is a crate, a program, or the beginning of some other name.
            if word.strip_prefix("anyport-").is_none_or(str::is_empty) {
                continue;
            }
            seen.looked_at += 1;
            let known = workspace.members.iter().any(|member| {
                member.name == word || member.programs.iter().any(|program| program == word)
            });
            if !known {
                seen.problem(
                    &place,
                    format!("names `{word}`, and there is no such crate"),
                );
            }
        }
        if let Some(named) = line
            .split("Rust ")
            .nth(1)
            .map(|rest| leading_version(rest.trim_start_matches('(')))
            .filter(|named| named.contains('.'))
        {
            seen.looked_at += 1;
            if named != rust {
                seen.problem(
                    &place,
                    format!("asks for Rust {named}, the manifest for {rust}"),
                );
            }
        }
    }
}

/// A line such as `anyport = "0.1"` or `anyport = { version = "0.1", ... }`.
fn requirement(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once('=')?;
    let rest = rest.split_once("version =").map_or(rest, |(_, rest)| rest);
    let wanted = rest.split('"').nth(1)?;
    wanted
        .starts_with(|char: char| char.is_ascii_digit())
        .then(|| (name.trim(), wanted))
}

fn is_heading_for(line: &str, version: &str) -> bool {
    line.starts_with("## ") && (line.contains(version) || line.contains("Unreleased"))
}

fn is_ours(name: &str) -> bool {
    name == FACADE || name.starts_with("anyport-")
}

/// Whether a requirement such as `0.1` is the beginning of the version.
fn covers(wanted: &str, version: &str) -> bool {
    version
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn leading_version(text: &str) -> &str {
    let end = text
        .find(|char: char| !(char.is_ascii_digit() || char == '.'))
        .unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut seen = Seen::default();
        let workspace = Workspace::of(&[("anyport", &[]), ("anyport-runtime", &[])]);
        read("README.md", text, &workspace, "0.1.0", "1.89", &mut seen);
        seen.problems
    }

    #[test]
    fn true_statements_pass() {
        let text = "anyport = \"0.1\"\nanyport-runtime = { version = \"0.1.0\", features = [] }\n\
                    Needs Rust 1.89. Written in Rust by anyport-runtime's friends.\nserde = \"1\"";
        assert_eq!(problems(text), [""; 0]);
    }

    #[test]
    fn untrue_ones_are_found() {
        assert_eq!(
            problems("anyport = \"0.2\"\nUse anyport-gone.\nWith Rust (1.80 or newer)."),
            [
                "README.md:1: asks for anyport 0.2, the version is 0.1.0",
                "README.md:2: names `anyport-gone`, and there is no such crate",
                "README.md:3: asks for Rust 1.80, the manifest for 1.89",
            ]
        );
    }
}
