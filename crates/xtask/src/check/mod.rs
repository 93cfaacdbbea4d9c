//! The checks. Each looks at the repository and says what it looked at and what is wrong.

mod adapters;
mod layering;
mod length;
mod machine;
mod paths;
mod rules;
mod versions;

use std::fmt::Display;

use crate::commands::Failure;
use crate::repo::Repo;

/// One check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// What it counts.
    pub(crate) of: &'static str,
    pub(crate) run: fn(&Repo) -> Result<Seen, Failure>,
}

/// Every check, in the order in which they run.
pub(crate) const ALL: [Check; 7] = [
    Check {
        name: "layering",
        of: "dependencies between our crates",
        run: layering::run,
    },
    Check {
        name: "length",
        of: "source files",
        run: length::run,
    },
    Check {
        name: "adapters",
        of: "adapters",
        run: adapters::run,
    },
    Check {
        name: "rules",
        of: "rules of the contract",
        run: rules::run,
    },
    Check {
        name: "paths",
        of: "paths named in documents",
        run: paths::run,
    },
    Check {
        name: "versions",
        of: "versions and crate names in documents",
        run: versions::run,
    },
    Check {
        name: "machine",
        of: "text files",
        run: machine::run,
    },
];

/// What a check saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How many things it looked at.
    pub(crate) looked_at: usize,
    /// More for the line that is printed, with a separator in front.
    pub(crate) note: String,
    pub(crate) problems: Vec<String>,
}

impl Seen {
    pub(crate) fn problem(&mut self, place: impl Display, problem: impl Display) {
        let place = place.to_string();
        let separator = if place.is_empty() { "" } else { ": " };
        self.problems.push(format!("{place}{separator}{problem}"));
    }
}
