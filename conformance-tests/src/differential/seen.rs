//! What came out of an act, without what is different by nature: ids, times, words.

use std::collections::BTreeMap;

use anyport_core::Digest;
use anyport_core::error::{Error, ErrorKind, TimedOut};
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Health, Observed, Owned, Plan, VersionId};

use crate::scene::owner;

/// Aspects of what came out, each with its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen(pub(super) BTreeMap<String, String>);

impl Seen {
    pub(super) fn set(&mut self, aspect: impl Into<String>, value: impl ToString) {
        self.0.insert(aspect.into(), value.to_string());
    }

    /// The aspect that says whether it worked, and if not, the kind of the error.
    pub(super) fn result(&self) -> &str {
        self.0.get("result").map_or("nothing", String::as_str)
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome, versions: &mut Versions) {
        self.set("result", outcome.change.word());
        let version = outcome.version.as_ref().map(|id| versions.place(id));
        self.set("version", version.unwrap_or_else(|| "none".to_owned()));
        let rounded = outcome.approximations.iter();
        self.set(
            "rounded",
            joined(rounded.map(|it| format!("{} to {}", it.field, it.actual))),
        );
        self.set("keeps something", !outcome.kept.is_empty());
        self.set("found something", !outcome.found.is_empty());
    }

    pub(super) fn plan(&mut self, plan: &Plan) {
        self.set("result", plan.change.word());
        let fields = plan.fields.iter();
        self.set("fields", joined(fields.map(|change| change.field.clone())));
        let costs = plan.costs.iter();
        self.set("costs", joined(costs.map(|cost| cost.field.clone())));
    }

    pub(super) fn error(&mut self, error: &Error) {
        self.set("result", error.kind().name());
        self.set("may have run", error.user_code_may_have_run());
        match error.kind() {
            ErrorKind::InvalidSpec(violations) => {
                let fields = violations.iter();
                self.set(
                    "violations",
                    joined(fields.map(|violation| violation.field.clone())),
                );
            }
            ErrorKind::Unsupported { capability, .. } => self.set("capability", capability),
            ErrorKind::Timeout(TimedOut::Function { limit }) => {
                self.set("limit", format!("{limit:?}"));
            }
            ErrorKind::Function(failure) => {
                self.set("handled", failure.handled);
                if failure.handled {
                    self.set("error type", &failure.error_type);
                    self.set("message", &failure.message);
                }
            }
            _ => {}
        }
    }

    pub(super) fn status(&mut self, seen: &Observed, versions: &mut Versions) {
        self.set(
            "status.owner",
            match &seen.owned {
                owned if owned.is_by(&owner()) => "ours",
                Owned::Marked { .. } => "another's",
                _ => "nobody's",
            },
        );
        self.set(
            "status.health",
            match seen.health {
                Health::Ready => "ready",
                Health::Pending => "pending",
                Health::Failed(_) => "failed",
                Health::Empty => "empty",
                _ => "other",
            },
        );
        let there = seen.versions.iter();
        let there: Vec<String> = there.map(|version| versions.place(&version.id)).collect();
        self.set("status.versions", joined(there.into_iter()));
        let shares = seen.split.iter().flat_map(|split| split.shares());
        let shares: Vec<String> = shares
            .map(|(id, share)| format!("{share}% {}", versions.place(id)))
            .collect();
        self.set("status.split", joined(shares.into_iter()));
        self.set("status.residue", seen.residue.len());
        self.set("status.events", seen.events.dead);
        for (field, value) in &seen.fields {
            // A value may be one that nobody should see in a report.
            let digest = Digest::of(value.expose().as_bytes());
            let shown = match value {
                anyport_core::spec::FieldValue::Plain(text) => text.clone(),
                _ => format!("hidden, {}", digest.short()),
            };
            self.set(format!("status.field.{field}"), shown);
        }
    }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = items.collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

/// A function's versions by the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Versions(Vec<VersionId>);

impl Versions {
    fn place(&mut self, id: &VersionId) -> String {
        let known = self.0.iter().position(|other| other == id);
        let place = known.unwrap_or_else(|| {
            self.0.push(id.clone());
            self.0.len() - 1
        });
        format!("release {}", place + 1)
    }

    /// The newest two, older first.
    pub(super) fn newest_two(&self) -> Option<(VersionId, VersionId)> {
        match &self.0[..] {
            [.., older, newer] => Some((older.clone(), newer.clone())),
            _ => None,
        }
    }

    /// The newest.
    pub(super) fn newest(&self) -> Option<VersionId> {
        self.0.last().cloned()
    }

    /// Nothing is there any more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
