//! The steps from what is observed to what is asked. Pure.

mod checks;
mod release;

use anyport_core::capability::Capabilities;
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::{Action, Base, Change, Desired, Observed, Plan, Split, State};
use anyport_core::spec::FieldChange;

use crate::config::Config;
use crate::stand::Stand;
pub(crate) use release::CHANGES;

use checks::{ours, refused, settled, there, unprotected};

/// What a step does that only this product has, as its parameter says.
pub(crate) mod native {
    /// Makes the queue for dead letters.
    pub(crate) const QUEUE: &str = "queue";
    /// Makes the bucket for large code.
    pub(crate) const BUCKET: &str = "bucket";
    /// Sets what holds for the function and not for one version.
    pub(crate) const SETTINGS: &str = "settings";
    /// Sets how events are delivered.
    pub(crate) const DELIVERY: &str = "delivery";
    /// Removes versions that are older than those kept.
    pub(crate) const COLLECT: &str = "collect";
}

/// Makes the plan.
///
/// # Errors
/// As [`Provider::plan`](anyport_core::provider::Provider::plan) says.
pub(crate) fn plan(
    target: &str,
    config: &Config,
    caps: &Capabilities,
    want: &Desired,
    seen: Option<&Observed>,
) -> Result<Plan> {
    let empty = Plan::new(target, want.clone(), Base::of(seen), Change::Unchanged);
    match &want.state {
        State::Present(spec) => release::present(config, empty, want, spec, seen),
        State::Traffic(split) => traffic(caps, empty, want, split, seen),
        State::Absent { purge } => absent(empty, want, *purge, seen),
        State::Adopt => adopt(empty, want, seen),
        State::Release => give_up(empty, want, seen),
        _ => Err(refused("change", want, "plan", "update Anyport")),
    }
}

/// Where a function stands; one that was not observed is not there.
pub(crate) fn stand(seen: Option<&Observed>) -> Stand {
    let stand = seen.and_then(|seen| seen.revision.parse().ok());
    stand.unwrap_or_else(|| Stand {
        bare: true,
        ..Stand::default()
    })
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
    if seen.events.dead > 0 && !purge {
        plan.kept.push(format!(
            "{} dead letters, until they are purged",
            seen.events.dead
        ));
        if !stand(Some(seen)).exists() {
            return Ok(plan);
        }
    }
    plan.found.clone_from(&seen.residue);
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
    if !stand(Some(seen)).exists() {
        let hint = "there is no function, only a queue with dead letters; read or purge it in the name of its owner";
        return Err(refused("adopt", want, VERB, hint));
    }
    mark(&mut plan, seen.owned.words(), &want.owner.to_string());
    plan.change = Change::Adopted;
    Ok(plan)
}

fn give_up(mut plan: Plan, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
    const VERB: &str = "release";
    let seen = there(VERB, want, seen)?;
    ours(VERB, want, seen)?;
    if !stand(Some(seen)).exists() {
        let hint = "there is no function, only a queue with dead letters; purge it";
        return Err(refused("release", want, VERB, hint));
    }
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

#[cfg(test)]
mod tests;
