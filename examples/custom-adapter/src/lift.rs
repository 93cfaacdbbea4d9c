//! The platform's records in the contract's words. Pure.

use anyport_core::plan::{Health, Observed, Owned, Split, Version};
use anyport_core::provider::{Entry, Scope, Summary};
use anyport_core::spec::Name;

use crate::state::{Found, Live, Record};

/// A function, given its record, its revision and whether its daemon answers.
#[must_use]
pub fn observed(name: &Name, record: &Record, revision: String, answers: bool) -> Observed {
    let mut seen = Observed::new(name.clone(), record.owned(), revision);
    let Some(live) = &record.live else {
        seen.health = Health::Empty;
        return seen;
    };
    if !answers {
        seen.health = Health::Failed("its daemon does not run".to_owned());
    }
    let mut version = Version::new(live.version(), 100);
    version.artifact = Some(live.spec.artifact.digest);
    seen.versions.push(version);
    seen.split = Some(Split::all_to(live.version()));
    seen.fields = live.spec.fields();
    seen
}

/// Something that is in a function's place and is none.
#[must_use]
pub fn stranger(name: &Name) -> Observed {
    let mut seen = Observed::new(name.clone(), unknown(), "unknown");
    seen.health = Health::Failed("it is not a function of unixd".to_owned());
    seen
}

/// A line of a listing, if `scope` wants it.
#[must_use]
pub fn entry(name: String, found: anyport_core::Result<Found>, scope: &Scope) -> Option<Entry> {
    let summary = match found {
        Ok(Found::Nothing) => return None,
        Ok(Found::Stranger) => Summary::new(name, unknown()),
        Ok(Found::Function(record, _)) => {
            let mut summary = Summary::new(name, record.owned());
            summary.version = record.live.as_ref().map(Live::version);
            if record.live.is_none() {
                summary.health = Health::Empty;
            }
            summary
        }
        // Whose it is cannot be read, so everybody is told.
        Err(why) => {
            let why = why.to_string();
            return Some(Entry::Unreadable { name, why });
        }
    };
    let wanted = match scope {
        Scope::Owned(owner) => summary.owned.is_by(owner),
        _ => true,
    };
    wanted.then_some(Entry::Function(summary))
}

fn unknown() -> Owned {
    Owned::Foreign("unknown".to_owned())
}
