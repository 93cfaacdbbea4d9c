//! `.anyportignore`: which files stay out of an artifact.
//!
//! The lines are what people know from `.gitignore`: `#` comments, `!` to take back, a trailing
//! `/` for folders only, a `/` elsewhere to anchor at the root, `*`, `?`, `**` and `[a-z]`.
//! There is one file, at the root.

use std::path::Path;

use crate::error::Error;

/// Names that version control leaves in a working copy; no function needs them.
const VERSION_CONTROL: [&str; 6] = [".git", ".hg", ".svn", ".bzr", ".jj", "CVS"];

/// The name of the ignore file.
pub(super) const FILE: &str = ".anyportignore";

/// The rules of one folder.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// Parts between slashes.
    parts: Vec<Part>,
    keep: bool,
    folders_only: bool,
}

#[derive(Debug)]
enum Part {
    /// `**`: any number of folders.
    AnyFolders,
    Glob(Vec<Token>),
}

#[derive(Debug)]
enum Token {
    Char(char),
    AnyChar,
    AnyChars,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Ignore {
    /// Reads the text of an ignore file.
    ///
    /// # Errors
    /// [`Error::Ignore`] with the line of a `[` that is never closed.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (keep, line) = match line.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, line),
            };
            rules.push(Rule::parse(line, keep).map_err(|problem| Error::Ignore {
                path: path.to_owned(),
                line: index + 1,
                problem: problem.to_owned(),
            })?);
        }
        Ok(Self { rules })
    }

    /// Whether the file or folder at `path` (relative, `/`-separated) stays out.
    ///
    /// As in git, what is below a folder that stays out is never asked about.
    pub(super) fn skips(&self, path: &str, folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        if VERSION_CONTROL.contains(&name) || path == FILE {
            return true;
        }
        let parts: Vec<&str> = path.split('/').collect();
        // The last rule that speaks about a path decides.
        self.rules
            .iter()
            .rev()
            .find(|rule| (folder || !rule.folders_only) && matches(&rule.parts, &parts))
            .is_some_and(|rule| !rule.keep)
    }
}

impl Rule {
    fn parse(line: &str, keep: bool) -> Result<Self, &'static str> {
        let (line, folders_only) = match line.strip_suffix('/') {
            Some(rest) => (rest, true),
            None => (line, false),
        };
        let anchored = line.contains('/');
        let mut parts = Vec::new();
        if !anchored {
            parts.push(Part::AnyFolders);
        }
        for part in line.split('/').filter(|part| !part.is_empty()) {
            parts.push(if part == "**" {
                Part::AnyFolders
            } else {
                Part::Glob(tokens(part)?)
            });
        }
        Ok(Self {
            parts,
            keep,
            folders_only,
        })
    }
}

fn tokens(part: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut chars = part.chars().peekable();
    while let Some(char) = chars.next() {
        tokens.push(match char {
            '*' => {
                while chars.next_if_eq(&'*').is_some() {}
                Token::AnyChars
            }
            '?' => Token::AnyChar,
            '\\' => Token::Char(
                chars
                    .next()
                    .ok_or("ends in a backslash; write `\\\\` for one")?,
            ),
            '[' => {
                let negated = chars.next_if(|next| matches!(next, '!' | '^')).is_some();
                let mut ranges: Vec<(char, char)> = Vec::new();
                loop {
                    let low = chars
                        .next()
                        .ok_or("has a `[` without `]`; write `\\[` for the letter")?;
                    if low == ']' && !ranges.is_empty() {
                        break;
                    }
                    let mut ahead = chars.clone();
                    let range_end = (ahead.next() == Some('-'))
                        .then(|| ahead.next().filter(|high| *high != ']'))
                        .flatten();
                    if range_end.is_some() {
                        chars = ahead;
                    }
                    ranges.push((low, range_end.unwrap_or(low)));
                }
                Token::Class { negated, ranges }
            }
            other => Token::Char(other),
        });
    }
    Ok(tokens)
}

/// Matches a path's parts, remembering only the last `**`: linear in practice, quadratic at worst.
fn matches(pattern: &[Part], path: &[&str]) -> bool {
    wild(
        pattern,
        path,
        |part| matches!(part, Part::AnyFolders),
        |part, name| match part {
            Part::AnyFolders => true,
            Part::Glob(tokens) => {
                let name: Vec<char> = name.chars().collect();
                wild(
                    tokens,
                    &name,
                    |token| matches!(token, Token::AnyChars),
                    |token, char| match token {
                        Token::Char(own) => own == char,
                        Token::AnyChar | Token::AnyChars => true,
                        Token::Class { negated, ranges } => {
                            ranges
                                .iter()
                                .any(|(low, high)| (low..=high).contains(&char))
                                != *negated
                        }
                    },
                )
            }
        },
    )
}

/// Matches a sequence against a pattern in which some items stand for any run of items.
fn wild<P, T>(
    pattern: &[P],
    items: &[T],
    any: impl Fn(&P) -> bool,
    one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut p, mut i) = (0, 0);
    // Where to resume when the last run turns out too short.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if let Some(part) = pattern.get(p) {
            if any(part) {
                retry = Some((p + 1, i));
                p += 1;
                continue;
            }
            if items.get(i).is_some_and(|item| one(part, item)) {
                p += 1;
                i += 1;
                continue;
            }
        } else if i == items.len() {
            return true;
        }
        match retry {
            Some((resume, start)) if start < items.len() => {
                (p, i) = (resume, start + 1);
                retry = Some((resume, start + 1));
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(rules: &str, path: &str, folder: bool) -> bool {
        Ignore::parse(rules, Path::new(FILE))
            .unwrap()
            .skips(path, folder)
    }

    #[test]
    fn version_control_and_the_file_itself_stay_out_but_dependencies_do_not() {
        assert!(skips("", ".git", true));
        assert!(skips("", "vendor/x/.git", false));
        assert!(skips("", FILE, false));
        for path in [
            "node_modules",
            "node_modules/x/index.js",
            ".github",
            "target",
        ] {
            assert!(!skips("", path, true), "{path}");
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_to_git() {
        for (rules, path, folder, expected) in [
            ("*.pyc", "a/b/c.pyc", false, true),
            ("*.pyc", "a/b/c.py", false, false),
            ("build", "a/build", false, true),
            ("build/", "a/build", false, false),
            ("build/", "a/build", true, true),
            ("/build", "a/build", true, false),
            ("/build", "build", true, true),
            ("a/b", "a/b", false, true),
            ("a/b", "x/a/b", false, false),
            ("**/b", "x/a/b", false, true),
            ("a/**/b", "a/b", false, true),
            ("a/**/b", "a/x/y/b", false, true),
            ("a/**", "a/x/y", false, true),
            ("a/*", "a/x/y", false, false),
            ("*.log\n!keep.log", "keep.log", false, false),
            ("!keep.log\n*.log", "keep.log", false, true),
            ("# note\n\nx", "x", false, true),
            ("\\#x", "#x", false, true),
            ("[a-c]?", "b1", false, true),
            ("[!a-c]?", "b1", false, false),
            ("[]x]", "]", false, true),
            ("[a-]", "-", false, true),
            ("x*y*z", "xaybyz", false, true),
            ("x*y*z", "xaybyzz!", false, false),
            ("файл?", "файл1", false, true),
        ] {
            assert_eq!(
                skips(rules, path, folder),
                expected,
                "{rules:?} on {path:?}"
            );
        }
    }

    #[test]
    fn an_open_bracket_is_an_error_with_its_line() {
        let error = Ignore::parse("ok\n[abc", Path::new("f")).unwrap_err();
        assert!(matches!(error, Error::Ignore { line: 2, .. }), "{error}");
    }
}
