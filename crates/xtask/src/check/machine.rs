//! The project speaks of itself alone: no file names the machine or the papers of its writer.

use std::env;
use std::path::Path;

use super::Seen;
use crate::commands::Failure;
use crate::repo::Repo;

/// Folders that every machine has; naming them gives nothing away.
const EVERYWHERE: [&str; 9] = [
    "/", "/tmp", "/home", "/Users", "/opt", "/srv", "/usr", "/var", "/mnt",
];

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    let home = env::home_dir();
    let private = private_folders(&repo.root, home.as_deref());
    let mut seen = Seen::default();
    for path in &repo.files {
        let Some(text) = repo.text(path)? else {
            continue;
        };
        seen.looked_at += 1;
        for (index, line) in text.lines().enumerate() {
            for problem in problems(line, &private, &repo.files) {
                seen.problem(format!("{path}:{}", index + 1), problem);
            }
        }
    }
    Ok(seen)
}

/// The writer's home, where this clone lies, and the folders above, deepest first, as text.
/// Folders at the root of the file system are too common to be telling.
fn private_folders(root: &Path, home: Option<&Path>) -> Vec<String> {
    let above = root
        .ancestors()
        .filter(|path| path.components().count() > 2);
    let named = above
        .chain(home)
        .filter(|path| !EVERYWHERE.iter().any(|other| *path == Path::new(other)));
    named.map(|path| path.display().to_string()).collect()
}

fn problems(line: &str, private: &[String], files: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for folder in private {
        let named = line.match_indices(folder.as_str()).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + folder.len()..].chars().next();
            // Part of a longer name, it is some other path.
            !before.is_some_and(is_path_char)
                && !after.is_some_and(|char| is_path_char(char) && char != '/')
        });
        if named {
            found.push(format!("names {folder}, a folder of this machine"));
            // The folders above it are named by the same words.
            break;
        }
    }
    for word in line.split(|char: char| !(char.is_ascii_alphanumeric() || "._-/".contains(char))) {
        let Some(name) = word
            .rsplit('/')
            .next()
            .and_then(|word| word.strip_suffix(".md"))
        else {
            continue;
        };
        let shouted = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let there = files
            .iter()
            .any(|file| file.rsplit('/').next() == Some(&format!("{name}.md")));
        if shouted && !there {
            found.push(format!("names {name}.md, which is not in the repository"));
        }
    }
    found
}

fn is_path_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || "._-/".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_machine_are_found() {
        let root = Path::new("/data/me/clone");
        let private = private_folders(root, Some(Path::new("/home/me")));
        assert_eq!(private, ["/data/me/clone", "/data/me", "/home/me"]);
        let found = |line| problems(line, &private, &[]).len();
        assert_eq!(found("see /home/me/notes"), 1);
        assert_eq!(found("cd /data/me/clone"), 1);
        assert_eq!(found("/home/mel and x/data, /database, /tmp"), 0);
    }

    #[test]
    fn papers_that_are_not_in_the_clone_are_found() {
        let files = ["docs/README.md".to_owned()];
        let gone = format!("as {}.md says", "NOTES");
        assert_eq!(problems(&gone, &[], &files).len(), 1);
        assert_eq!(
            problems("as README.md and notes.md say", &[], &files),
            [""; 0]
        );
    }
}
