//! One idea per file: none is longer than anyone wants to read.

use super::Seen;
use crate::commands::Failure;
use crate::repo::Repo;

/// Lines that a source file may have, its tests included.
const MOST: usize = 500;

const ENDINGS: [&str; 6] = [".rs", ".py", ".mjs", ".js", ".sh", ".ci/run"];

/// Tables that grow by a line per thing and are easier to read in one piece.
const DATA: [&str; 0] = [];

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    let mut lengths = Vec::new();
    let mut seen = Seen::default();
    for path in repo
        .files
        .iter()
        .filter(|path| ENDINGS.iter().any(|ending| path.ends_with(ending)))
    {
        let Some(text) = repo.text(path)? else {
            continue;
        };
        let lines = text.lines().count();
        lengths.push(lines);
        if lines > MOST && !DATA.contains(&path.as_str()) {
            seen.problem(
                path,
                format!("{lines} lines, the limit is {MOST}; split it by ideas"),
            );
        }
    }
    for listed in DATA
        .iter()
        .filter(|listed| !repo.files.iter().any(|path| path == *listed))
    {
        seen.problem(listed, "is listed as a data file and is not there");
    }
    lengths.sort_unstable();
    seen.looked_at = lengths.len();
    if let (Some(median), Some(ninth), Some(longest)) = (
        lengths.get(lengths.len() / 2),
        lengths.get(lengths.len() * 9 / 10),
        lengths.last(),
    ) {
        seen.note =
            format!("; lines: median {median}, nine in ten up to {ninth}, longest {longest}");
    }
    Ok(seen)
}
