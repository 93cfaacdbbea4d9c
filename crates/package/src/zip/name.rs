//! Names of entries: relative, `/`-separated, and the same on every system.

use crate::refusal::RefusalKind;

const LONGEST: usize = 1024;
const LONGEST_PART: usize = 255;

/// A name that was found good, without `./` parts and without a trailing slash.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Empty for the root itself.
    pub(crate) path: String,
    /// Whether the name ended in a slash.
    pub(crate) directory: bool,
}

/// Checks a name as it stands in an archive.
///
/// # Errors
/// What is wrong with it and what to do.
pub(crate) fn check(raw: &[u8]) -> Result<Name, (RefusalKind, &'static str)> {
    let Ok(text) = std::str::from_utf8(raw) else {
        return Err((
            RefusalKind::UnportableName,
            "has a name that is not UTF-8; rename the file",
        ));
    };
    if text.is_empty() {
        return Err((RefusalKind::UnportableName, "has no name"));
    }
    if text.len() > LONGEST {
        return Err((
            RefusalKind::UnportableName,
            "has a name of more than 1,024 bytes; shorten the path",
        ));
    }
    if text.starts_with('/') {
        return Err((
            RefusalKind::AbsoluteName,
            "has an absolute name; store names relative to the folder",
        ));
    }
    let mut head = text.bytes();
    if head.next().is_some_and(|byte| byte.is_ascii_alphabetic()) && head.next() == Some(b':') {
        return Err((
            RefusalKind::AbsoluteName,
            "names a drive; store names relative to the folder",
        ));
    }
    // Some readers take a backslash as a separator, others as a letter: refusing it is the only
    // answer that all share.
    if text.contains('\\') {
        return Err((
            RefusalKind::UnportableName,
            "has a backslash in its name; separate folders with `/`",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err((
            RefusalKind::UnportableName,
            "has a control character in its name; rename the file",
        ));
    }
    let directory = text.ends_with('/') || text == "." || text.ends_with("/.");
    let mut path = String::with_capacity(text.len());
    for part in text.strip_suffix('/').unwrap_or(text).split('/') {
        match part {
            "." => continue,
            ".." => {
                return Err((
                    RefusalKind::ClimbingName,
                    "has `..` in its name; store names inside the folder",
                ));
            }
            "" => {
                return Err((
                    RefusalKind::UnportableName,
                    "has an empty part (`//`) in its name",
                ));
            }
            _ if part.len() > LONGEST_PART => {
                return Err((
                    RefusalKind::UnportableName,
                    "has a part of more than 255 bytes in its name; shorten it",
                ));
            }
            _ => {}
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    Ok(Name { path, directory })
}

/// The form under which a file system that ignores case would look the name up.
pub(crate) fn folded(path: &str) -> String {
    path.chars().flat_map(char::to_lowercase).collect()
}

/// Every folder above a path, nearest first: `a/b` and `a` for `a/b/c`.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |above| parent(above))
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(above, _)| above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(raw: &str) -> (String, bool) {
        let name = check(raw.as_bytes()).unwrap();
        (name.path, name.directory)
    }

    #[test]
    fn relative_names_pass_and_are_normalised() {
        assert_eq!(good("bootstrap"), ("bootstrap".into(), false));
        assert_eq!(good("./a/./b"), ("a/b".into(), false));
        assert_eq!(good("a/"), ("a".into(), true));
        assert_eq!(good("./"), (String::new(), true));
        assert_eq!(good("ключ/日本 語"), ("ключ/日本 語".into(), false));
        assert_eq!(good("Foo::Bar.3pm"), ("Foo::Bar.3pm".into(), false));
        assert_eq!(good("..a/b.."), ("..a/b..".into(), false));
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        use RefusalKind::{AbsoluteName, ClimbingName, UnportableName};
        let long = "x".repeat(256);
        let longer = "a/".repeat(600);
        for (raw, kind) in [
            ("/etc/passwd", AbsoluteName),
            ("C:/x", AbsoluteName),
            ("c:x", AbsoluteName),
            ("..", ClimbingName),
            ("../x", ClimbingName),
            ("a/../../x", ClimbingName),
            ("a/..", ClimbingName),
            ("a\\..\\x", UnportableName),
            ("\\\\host\\share", UnportableName),
            ("a//b", UnportableName),
            ("a\0b", UnportableName),
            ("a\nb", UnportableName),
            ("", UnportableName),
            (long.as_str(), UnportableName),
            (longer.as_str(), UnportableName),
        ] {
            assert_eq!(check(raw.as_bytes()).unwrap_err().0, kind, "{raw:?}");
        }
        assert_eq!(check(b"a\xff").unwrap_err().0, UnportableName);
    }

    #[test]
    fn parents_are_listed_nearest_first() {
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(parents("a").count(), 0);
    }
}
