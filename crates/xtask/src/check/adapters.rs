//! Know one adapter, know all: the same thing is in a file of the same name.

use std::collections::BTreeMap;

use super::Seen;
use crate::commands::Failure;
use crate::repo::Repo;

/// What every adapter has, as a file or a folder of that name.
const REQUIRED: [&str; 5] = ["lib", "capability", "config", "plan", "provider"];

/// What belongs under one name and shows up under another.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("settings", "config"),
    ("options", "config"),
    ("capabilities", "capability"),
    ("caps", "capability"),
    ("planner", "plan"),
    ("planning", "plan"),
    ("errors", "error"),
    ("credentials", "auth"),
    ("request", "lower"),
    ("response", "lift"),
    ("util", "a name that says what it holds"),
    ("utils", "a name that says what it holds"),
];

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    Ok(check(&repo.files))
}

fn check(files: &[String]) -> Seen {
    let mut adapters: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files {
        let Some((adapter, inner)) = path
            .strip_prefix("adapters/")
            .and_then(|rest| rest.split_once("/src/"))
        else {
            continue;
        };
        let name = inner.split('/').next().unwrap_or(inner);
        adapters
            .entry(adapter)
            .or_default()
            .push(name.strip_suffix(".rs").unwrap_or(name));
    }
    let mut seen = Seen {
        looked_at: adapters.len(),
        ..Seen::default()
    };
    for (adapter, names) in adapters {
        let place = format!("adapters/{adapter}/src");
        for required in REQUIRED.iter().filter(|required| !names.contains(required)) {
            seen.problem(
                &place,
                format!("has no `{required}`, which every adapter has"),
            );
        }
        for (other, name) in OTHER_NAMES
            .iter()
            .filter(|(other, _)| names.contains(other))
        {
            seen.problem(&place, format!("has `{other}`; adapters call it {name}"));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_the_common_ones() {
        let files = [
            "lib.rs",
            "capability.rs",
            "config.rs",
            "plan/mod.rs",
            "errors.rs",
        ]
        .map(|name| format!("adapters/local/src/{name}"));
        let seen = check(&files);
        assert_eq!(
            (seen.looked_at, seen.problems),
            (
                1,
                vec![
                    "adapters/local/src: has no `provider`, which every adapter has".to_owned(),
                    "adapters/local/src: has `errors`; adapters call it error".to_owned(),
                ]
            )
        );
    }
}
