//! From what is in memory to what is asked: pure.

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::{Action, Base, Change, Desired, Observed, Plan, State};
use anyport_core::spec::diff;

pub(super) fn plan(
    target: &str,
    want: &Desired,
    seen: Option<&Observed>,
    careless: bool,
) -> Result<Plan> {
    let base = Base::of(seen);
    if let Some(seen) = seen
        && !careless
        && !matches!(want.state, State::Adopt)
        && !seen.owned.is_by(&want.owner)
    {
        let owner = seen.owned.words().to_owned();
        return Err(Error::new(ErrorKind::AlreadyExists { owner }, "plan"));
    }
    let mut plan = Plan::new(target, want.clone(), base.clone(), Change::Unchanged);
    let residue = seen.map_or(&[][..], |seen| &seen.residue);
    for left in residue {
        plan.push(Action::Clear(left.clone()), base.clone(), Vec::new());
    }
    plan.found = residue.to_vec();
    match (&want.state, seen) {
        (State::Present(spec), seen) => {
            let nothing = Default::default();
            let there = seen.map_or(&nothing, |seen| &seen.fields);
            let why = diff(there, &spec.fields());
            let split = seen.and_then(|seen| seen.split.as_ref());
            let ends_split = split.is_some_and(|split| split.only().is_none());
            if !why.is_empty() || ends_split {
                plan.change = if there.is_empty() {
                    Change::Created
                } else {
                    Change::Updated
                };
                if why.iter().any(|change| change.field == "artifact.digest") {
                    let upload = Action::Upload(spec.artifact.digest);
                    plan.push(upload, Base::Any, Vec::new());
                }
                if seen.is_none() {
                    plan.push(Action::Create, base.clone(), Vec::new());
                }
                plan.push(Action::Publish, base.clone(), why.clone());
                plan.push(Action::Route(None), base, Vec::new());
                plan.fields = why;
            }
        }
        (State::Traffic(split), Some(seen)) => {
            if seen.split.as_ref() != Some(split) {
                plan.change = Change::Updated;
                plan.push(Action::Route(Some(split.clone())), base, Vec::new());
            }
        }
        (State::Absent { .. }, None) => plan.change = Change::Absent,
        (State::Absent { purge }, Some(seen)) => {
            plan.change = Change::Removed;
            if seen.events.waiting > 0 && *purge {
                plan.push(Action::Purge, base.clone(), Vec::new());
            } else if seen.events.waiting > 0 {
                plan.kept.push("waiting events".to_owned());
            }
            plan.push(Action::Remove, base, Vec::new());
        }
        (State::Adopt, Some(seen)) => {
            if !seen.owned.is_by(&want.owner) {
                plan.change = Change::Adopted;
                plan.push(Action::Mark, base, Vec::new());
            }
        }
        (State::Release, Some(_)) => {
            plan.change = Change::Released;
            plan.push(Action::Mark, base, Vec::new());
        }
        _ => return Err(Error::new(ErrorKind::NotFound, "plan")),
    }
    Ok(plan)
}
