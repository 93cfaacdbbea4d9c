//! From what is seen to what is wanted. Pure: nothing here reads or writes.
//!
//! `Target` has done for every adapter what is the same everywhere: the spec fits [`capability`](crate::capability),
//! and when the plan is back it sees to ownership and protection.
//!
//! The platform switches a release in one locked change, so most plans have one step. Where a
//! platform needs several requests, each would be a step with its own guard.

use anyport_core::error::Result;
use anyport_core::plan::{Action, Base, Change, Desired, Health, Observed, Plan, State};
use anyport_core::spec::{Spec, diff};

use crate::error::{not_found, unsupported};

/// The plan for `want`, given what is `seen`.
///
/// # Errors
/// As [`Provider::plan`](anyport_core::provider::Provider::plan).
pub fn plan(target: &str, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
    let draft = |change| Plan::new(target, want.clone(), Base::of(seen), change);
    match (&want.state, seen) {
        (State::Present(spec), _) => present(spec, want, seen, draft),
        (State::Absent { .. }, None) => Ok(draft(Change::Absent)),
        (State::Absent { .. }, Some(seen)) => {
            let mut plan = draft(Change::Removed);
            plan.found.clone_from(&seen.residue);
            plan.push(Action::Remove, plan.base.clone(), Vec::new());
            Ok(plan)
        }
        (State::Adopt | State::Release, None) => Err(not_found("adopt", &want.name)),
        (State::Adopt, Some(seen)) if seen.owned.is_by(&want.owner) => Ok(draft(Change::Unchanged)),
        (State::Adopt, Some(seen)) if seen.split.is_none() => Err(unsupported(
            "adopt",
            &want.name,
            "nothing here is served by unixd; choose another name",
        )),
        (State::Adopt, Some(_)) => Ok(marking(draft(Change::Adopted))),
        (State::Release, Some(_)) => Ok(marking(draft(Change::Released))),
        _ => Err(unsupported(
            "traffic",
            &want.name,
            "one release serves at a time; deploy the one you want",
        )),
    }
}

fn present(
    spec: &Spec,
    want: &Desired,
    seen: Option<&Observed>,
    draft: impl FnOnce(Change) -> Plan,
) -> Result<Plan> {
    if !spec.native.is_empty() {
        return Err(unsupported(
            "native",
            &want.name,
            "unixd has no settings of its own; leave them out",
        ));
    }
    let Some(seen) = seen else {
        let mut plan = draft(Change::Created);
        plan.fields = diff(&Default::default(), &spec.fields());
        plan.push(Action::Create, Base::Absent, plan.fields.clone());
        return Ok(plan);
    };
    let fields = diff(&seen.fields, &spec.fields());
    let change = match (&seen.health, fields.is_empty()) {
        (Health::Empty, _) => Change::Created,
        (Health::Ready, true) => Change::Unchanged,
        _ => Change::Updated,
    };
    let mut plan = draft(change);
    plan.found.clone_from(&seen.residue);
    let base = plan.base.clone();
    if change == Change::Unchanged {
        for left in &seen.residue {
            plan.push(Action::Clear(left.clone()), base.clone(), Vec::new());
        }
    } else {
        plan.push(Action::Publish, base, fields.clone());
    }
    plan.fields = fields;
    Ok(plan)
}

fn marking(mut plan: Plan) -> Plan {
    plan.push(Action::Mark, plan.base.clone(), Vec::new());
    plan
}
