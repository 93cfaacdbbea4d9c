//! The steps from what is observed to what is asked. Pure.

use anyport_core::capability::{Approximation, Capabilities};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::{Action, Base, Change, Desired, Health, Observed, Plan, Split, State};
use anyport_core::spec::{FieldChange, Spec, diff};

use crate::{lift, lower};

/// Makes the plan.
///
/// # Errors
/// As [`Provider::plan`](anyport_core::provider::Provider::plan) says.
pub(crate) fn plan(
    target: &str,
    caps: &Capabilities,
    want: &Desired,
    seen: Option<&Observed>,
) -> Result<Plan> {
    let empty = Plan::new(target, want.clone(), Base::of(seen), Change::Unchanged);
    match &want.state {
        State::Present(spec) => present(caps, empty, want, spec, seen),
        State::Traffic(split) => traffic(caps, empty, want, split, seen),
        State::Absent { purge } => absent(empty, want, *purge, seen),
        State::Adopt => adopt(empty, want, seen),
        State::Release => release(empty, want, seen),
        _ => Err(refused("change", want, "plan", "update Anyport")),
    }
}

fn present(
    caps: &Capabilities,
    mut plan: Plan,
    want: &Desired,
    spec: &Spec,
    seen: Option<&Observed>,
) -> Result<Plan> {
    const VERB: &str = "deploy";
    if let Some(seen) = seen {
        ours(VERB, want, seen)?;
        settled(VERB, want, seen)?;
    }
    plan.fields = changes(spec, seen);
    plan.approximations = approximations(spec);
    clear(&mut plan, seen);
    let split = seen.and_then(|seen| seen.split.as_ref());
    let is_split = split.is_some_and(|split| split.only().is_none());
    if is_split && !want.force.split {
        let shares = split.map(ToString::to_string).unwrap_or_default();
        return Err(Error::new(ErrorKind::Conflict, VERB)
            .on(&want.name)
            .because(format_args!("traffic is split: {shares}"))
            .hint("end the split with traffic or rollback first, or insist"));
    }
    let live = seen.filter(|seen| seen.split.is_some());
    if let Some(seen) = live {
        if plan.fields.is_empty() {
            if let Some(favoured) = favoured(seen).filter(|_| is_split) {
                unprotected(VERB, want, seen)?;
                let guard = plan.base.clone();
                plan.push(
                    Action::Route(Some(Split::all_to(favoured))),
                    guard,
                    Vec::new(),
                );
            }
            plan.change = if plan.is_empty() {
                Change::Unchanged
            } else {
                Change::Updated
            };
            return Ok(plan);
        }
        unprotected(VERB, want, seen)?;
    }
    plan.change = if live.is_some() {
        Change::Updated
    } else {
        Change::Created
    };
    steps(caps, &mut plan, spec, seen);
    Ok(plan)
}

/// The steps of a release: the new version is uploaded, published and started before any traffic goes to it.
fn steps(caps: &Capabilities, plan: &mut Plan, spec: &Spec, seen: Option<&Observed>) {
    let why = plan.fields.clone();
    let base = plan.base.clone();
    let mut push = |action, why| plan.push(action, base.clone(), why);
    if seen.is_none() {
        push(Action::Create, Vec::new());
    }
    let digest = spec.artifact.digest;
    let versions = seen.map_or(&[][..], |seen| &seen.versions);
    if versions.iter().all(|it| it.artifact != Some(digest)) {
        let of_artifact = |change: &&FieldChange| change.field.starts_with("artifact.");
        push(
            Action::Upload(digest),
            why.iter().filter(of_artifact).cloned().collect(),
        );
    }
    push(Action::Publish, why);
    push(Action::Check, Vec::new());
    push(Action::Route(None), Vec::new());
    // The new version takes all traffic, so that all the others are kept for rollback alone.
    let kept = caps.versions.get().map_or(0, |versions| versions.kept);
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    for old in &versions[..versions.len().saturating_sub(kept)] {
        push(Action::RemoveVersion(old.id.clone()), Vec::new());
    }
}

/// The differences to what is there. A spec that leaves triggers alone does not drop them.
fn changes(spec: &Spec, seen: Option<&Observed>) -> Vec<FieldChange> {
    let want = spec.fields();
    let mut there = seen.map(|seen| seen.fields.clone()).unwrap_or_default();
    if spec.triggers.is_none() {
        there.remove("triggers");
    }
    diff(&there, &want)
}

fn approximations(spec: &Spec) -> Vec<Approximation> {
    let actual = lower::concurrency(spec);
    let rounded = (actual != spec.concurrency).then(|| Approximation {
        field: "concurrency".to_owned(),
        asked: spec.concurrency.to_string(),
        actual: actual.to_string(),
        note:
            "an instance that pulls its requests handles one at a time; more instances run instead"
                .to_owned(),
    });
    rounded.into_iter().collect()
}

fn clear(plan: &mut Plan, seen: Option<&Observed>) {
    let residue = seen.map_or(&[][..], |seen| &seen.residue);
    if !residue.is_empty() {
        plan.found = residue.to_vec();
        let guard = plan.base.clone();
        plan.push(Action::Clear(residue.join("; ")), guard, Vec::new());
    }
}

fn traffic(
    caps: &Capabilities,
    mut plan: Plan,
    want: &Desired,
    split: &Split,
    seen: Option<&Observed>,
) -> Result<Plan> {
    const VERB: &str = "split the traffic of";
    let seen = there(VERB, want, seen)?;
    ours(VERB, want, seen)?;
    settled(VERB, want, seen)?;
    let ways = caps.traffic.get().map_or(1, |traffic| traffic.ways);
    if split.shares().len() > usize::try_from(ways).unwrap_or(usize::MAX) {
        let hint = format!("split over at most {ways} versions");
        return Err(refused("traffic", want, VERB, &hint));
    }
    let known = |id: &_| seen.versions.iter().any(|version| version.id == *id);
    if let Some((missing, _)) = split.shares().find(|(id, _)| !known(id)) {
        let versions: Vec<&str> = seen.versions.iter().map(|it| it.id.as_str()).collect();
        return Err(Error::new(ErrorKind::NotFound, VERB)
            .on(&want.name)
            .because(format_args!("there is no version {missing}"))
            .hint(format_args!("the versions are {}", versions.join(", "))));
    }
    let hollow = seen
        .versions
        .iter()
        .find(|version| split.share(&version.id) > 0 && version.artifact.is_none());
    if let Some(hollow) = hollow {
        return Err(Error::new(ErrorKind::NotFound, VERB)
            .on(&want.name)
            .because(format_args!(
                "the code of version {} is not there any more",
                hollow.id
            ))
            .hint("deploy it again"));
    }
    if seen.split.as_ref() != Some(split) {
        unprotected(VERB, want, seen)?;
        plan.fields.push(FieldChange {
            field: "traffic".to_owned(),
            from: seen.split.as_ref().map(ToString::to_string),
            to: Some(split.to_string()),
        });
        let (guard, why) = (plan.base.clone(), plan.fields.clone());
        plan.push(Action::Route(Some(split.clone())), guard, why);
        plan.change = Change::Updated;
    }
    Ok(plan)
}

fn absent(mut plan: Plan, want: &Desired, purge: bool, seen: Option<&Observed>) -> Result<Plan> {
    const VERB: &str = "remove";
    plan.change = Change::Absent;
    let Some(seen) = seen else {
        return Ok(plan);
    };
    ours(VERB, want, seen)?;
    settled(VERB, want, seen)?;
    unprotected(VERB, want, seen)?;
    let events = seen.events;
    let any_event = events.waiting + events.dead > 0;
    if any_event && !purge {
        plan.kept.push(format!(
            "{} waiting events and {} dead letters, until they are purged",
            events.waiting, events.dead
        ));
        let only_events =
            seen.health == Health::Empty && seen.versions.is_empty() && seen.residue.is_empty();
        if only_events {
            return Ok(plan);
        }
    }
    plan.found.clone_from(&seen.residue);
    if any_event && purge {
        let guard = plan.base.clone();
        plan.push(Action::Purge, guard, Vec::new());
    }
    let guard = plan.base.clone();
    plan.push(Action::Remove, guard, Vec::new());
    plan.change = Change::Removed;
    Ok(plan)
}

fn adopt(mut plan: Plan, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
    const VERB: &str = "adopt";
    let seen = there(VERB, want, seen)?;
    if seen.owned.is_by(&want.owner) {
        return Ok(plan);
    }
    if lift::is_folder(seen) {
        let hint = "what is there is no function; move the folder away";
        return Err(refused("adopt", want, VERB, hint));
    }
    mark(&mut plan, seen.owned.words(), &want.owner.to_string());
    plan.change = Change::Adopted;
    Ok(plan)
}

fn release(mut plan: Plan, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
    const VERB: &str = "release";
    let seen = there(VERB, want, seen)?;
    ours(VERB, want, seen)?;
    mark(&mut plan, seen.owned.words(), "nobody");
    plan.change = Change::Released;
    Ok(plan)
}

fn mark(plan: &mut Plan, from: &str, to: &str) {
    plan.fields.push(FieldChange {
        field: "owner".to_owned(),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
    });
    let (guard, why) = (plan.base.clone(), plan.fields.clone());
    plan.push(Action::Mark, guard, why);
}

/// The version with the largest share, the newest of equals: the one whose fields are observed.
fn favoured(seen: &Observed) -> Option<anyport_core::plan::VersionId> {
    let best = seen.versions.iter().max_by_key(|version| version.share);
    best.filter(|version| version.share > 0)
        .map(|version| version.id.clone())
}

/// What should change has to be there.
fn there<'a>(
    verb: &'static str,
    want: &Desired,
    seen: Option<&'a Observed>,
) -> Result<&'a Observed> {
    seen.ok_or_else(|| Error::new(ErrorKind::NotFound, verb).on(&want.name))
}

/// Nothing with another mark, or none, is changed.
fn ours(verb: &'static str, want: &Desired, seen: &Observed) -> Result<()> {
    if seen.owned.is_by(&want.owner) {
        return Ok(());
    }
    let owner = seen.owned.words().to_owned();
    Err(Error::new(ErrorKind::AlreadyExists { owner }, verb)
        .on(&want.name)
        .hint(match want.state {
            State::Present(_) => "choose another name, or adopt it if it is yours",
            _ => "adopt it if it is yours",
        }))
}

/// No change starts while another is under way.
fn settled(verb: &'static str, want: &Desired, seen: &Observed) -> Result<()> {
    if seen.health != Health::Pending {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, verb)
        .on(&want.name)
        .because("another change is under way")
        .hint("wait until it has ended, then try again"))
}

/// A protected function stays as it is unless the caller insists.
fn unprotected(verb: &'static str, want: &Desired, seen: &Observed) -> Result<()> {
    if !seen.is_protected() || want.force.protected {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Forbidden, verb)
        .on(&want.name)
        .because("it is protected")
        .hint("insist if you mean it"))
}

fn refused(capability: &str, want: &Desired, verb: &str, hint: &str) -> Error {
    let kind = ErrorKind::Unsupported {
        capability: capability.to_owned(),
        hint: hint.to_owned(),
    };
    Error::new(kind, verb.to_owned()).on(&want.name)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
