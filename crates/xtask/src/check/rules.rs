//! Every rule has a case and a mutant, and CONTRACT.md says what the table says.

use anyport_conformance::rules;

use super::Seen;
use crate::commands::Failure;
use crate::contract::{self, CONTRACT};
use crate::repo::Repo;

const TABLE: &str = "conformance-tests/src/rules";

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    let mut seen = Seen {
        looked_at: rules::all().count(),
        ..Seen::default()
    };
    for problem in rules::problems() {
        seen.problem(TABLE, problem);
    }
    let there = repo.files.iter().any(|path| path == CONTRACT);
    if !there
        || repo
            .text(CONTRACT)?
            .is_none_or(|text| text != contract::page())
    {
        seen.problem(
            CONTRACT,
            "is not what the rule table says; run `cargo xtask contract`",
        );
    }
    Ok(seen)
}
