//! What is in memory, and what a step does to it.

use std::collections::BTreeMap;

use anyport_core::Digest;
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::mark::Mark;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{
    Action, Base, Health, Observed, Owned, Plan, Split, State, Step, Version, VersionId,
};
use anyport_core::spec::{Fields, Name};
use bytes::Bytes;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) functions: BTreeMap<Name, Function>,
    revisions: u64,
}

pub(crate) struct Function {
    pub(crate) owned: Owned,
    revision: u64,
    releases: Vec<Release>,
    split: Option<Split>,
    pub(crate) waiting: Vec<Bytes>,
    pub(crate) unreadable: bool,
}

struct Release {
    id: VersionId,
    fields: Fields,
    /// Whether it was ever put into service. If not, an interrupted run left it.
    routed: bool,
}

impl Function {
    /// Something with no version, made by somebody else.
    pub(crate) fn foreign(owner: &str) -> Self {
        Self {
            owned: Owned::Foreign(owner.to_owned()),
            revision: 0,
            releases: Vec::new(),
            split: None,
            waiting: Vec::new(),
            unreadable: false,
        }
    }

    pub(crate) fn has(&self, id: &VersionId) -> bool {
        self.releases.iter().any(|release| release.id == *id)
    }

    fn share(&self, id: &VersionId) -> u8 {
        self.split.as_ref().map_or(0, |split| split.share(id))
    }

    pub(crate) fn observed(&self, name: &Name) -> Observed {
        let revision = self.revision.to_string();
        let mut seen = Observed::new(name.clone(), self.owned.clone(), revision);
        let newest_first = self.releases.iter().rev();
        let live = newest_first.clone().find(|it| self.share(&it.id) > 0);
        seen.fields = live.map(|it| it.fields.clone()).unwrap_or_default();
        seen.versions = self
            .releases
            .iter()
            .map(|it| Version::new(it.id.clone(), self.share(&it.id)))
            .collect();
        seen.split = self.split.clone();
        let left = self.releases.iter().filter(|it| !it.routed);
        seen.residue = left.map(|it| format!("version {}", it.id)).collect();
        if live.is_none() {
            seen.health = Health::Empty;
        }
        seen.events.waiting = self.waiting.len() as u64;
        seen.endpoint = Some(format!("memory://test/{name}"));
        seen
    }
}

impl World {
    /// Takes one step, if its guard holds.
    pub(super) fn take(&mut self, plan: &Plan, step: &Step, out: &mut Outputs) -> Result<StepDone> {
        let name = &plan.desired.name;
        let there = self.functions.get(name).map(|it| it.revision.to_string());
        let guard = match &out.revision {
            Some(revision) => Base::Revision(revision.clone()),
            None => step.guard.clone(),
        };
        let holds = match &guard {
            Base::Any => true,
            Base::Absent => there.is_none(),
            Base::Revision(revision) => there.as_ref() == Some(revision),
        };
        if !holds {
            return Err(Error::new(ErrorKind::Conflict, "put").on(name));
        }
        if let Action::Upload(_) = step.action {
            return Ok(StepDone::Changed);
        }
        if step.action == Action::Remove {
            self.functions.remove(name);
            return Ok(StepDone::Changed);
        }
        self.revisions += 1;
        let revision = self.revisions;
        let owner = &plan.desired.owner;
        let ours = |hash: Digest| Owned::Marked {
            mark: Mark::new(owner, hash),
            owner: owner.to_string(),
        };
        if step.action == Action::Create {
            let State::Present(spec) = &plan.desired.state else {
                panic!("only a spec creates");
            };
            let mut made = Function::foreign("");
            made.owned = ours(spec.hash());
            self.functions.insert(name.clone(), made);
        }
        let function = self.functions.get_mut(name).expect("the guard held");
        function.revision = revision;
        out.revision = Some(revision.to_string());
        out.endpoint = Some(format!("memory://test/{name}"));
        match (&step.action, &plan.desired.state) {
            (Action::Create, _) => {}
            (Action::Publish, State::Present(spec)) => {
                let id = VersionId::new(format!("v{revision}"));
                function.releases.push(Release {
                    id: id.clone(),
                    fields: spec.fields(),
                    routed: false,
                });
                out.version = Some(id);
            }
            (Action::Route(None), _) => {
                let newest = function.releases.last_mut().expect("one was published");
                newest.routed = true;
                function.split = Some(Split::all_to(newest.id.clone()));
                out.version = Some(newest.id.clone());
            }
            (Action::Route(Some(split)), _) => function.split = Some(split.clone()),
            (Action::Clear(what), _) => {
                let left = |it: &Release| format!("version {}", it.id) == *what;
                function.releases.retain(|it| !left(it));
            }
            (Action::Purge, _) => function.waiting.clear(),
            (Action::Mark, State::Adopt) => function.owned = ours(Digest::of(b"")),
            (Action::Mark, _) => function.owned = Owned::Foreign("nobody".to_owned()),
            (action, _) => panic!("no plan has {action}"),
        }
        Ok(StepDone::Changed)
    }
}
