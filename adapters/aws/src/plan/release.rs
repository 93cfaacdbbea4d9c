//! The plan of a release.

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::{Action, Change, Desired, Observed, Owned, Plan, Split, VersionId};
use anyport_core::spec::{FieldChange, FieldValue, Fields, Network, Spec, diff};

use super::checks::{ours, settled, spec as check, unprotected};
use super::{native, stand};
use crate::capability::KEPT;
use crate::config::Config;
use crate::stand::Stand;
use crate::upload;

const VERB: &str = "deploy";

pub(super) fn present(
    config: &Config,
    mut plan: Plan,
    want: &Desired,
    spec: &Spec,
    seen: Option<&Observed>,
) -> Result<Plan> {
    if let Some(seen) = seen {
        ours(VERB, want, seen)?;
        settled(VERB, want, seen)?;
    }
    check(VERB, config, want, spec)?;
    plan.fields = changes(spec, seen);
    if let Some(seen) = seen {
        plan.found.clone_from(&seen.residue);
    }
    let split = seen.and_then(|seen| seen.split.as_ref());
    let is_split = split.is_some_and(|split| split.only().is_none());
    if is_split && !want.force.split {
        let shares = split.map(ToString::to_string).unwrap_or_default();
        return Err(Error::new(ErrorKind::Conflict, VERB)
            .on(&want.name)
            .because(format_args!("traffic is split: {shares}"))
            .hint("end the split with traffic or rollback first, or insist"));
    }
    let stand = stand(seen);
    let live = seen.filter(|seen| seen.split.is_some());
    let Some(live) = live else {
        plan.change = Change::Created;
        steps(&mut plan, want, spec, seen, &stand);
        return Ok(plan);
    };
    // Versions that were never put into service go, unless one of them is what is asked.
    let half_made = stand.ready.is_some() || live.residue.iter().any(|it| it == CHANGES);
    if plan.fields.is_empty() && !stand.bare && !half_made {
        clear(&mut plan, &stand.loose);
        if is_split {
            unprotected(VERB, want, live)?;
            let guard = plan.base.clone();
            let all = favoured(live).map(Split::all_to);
            plan.push(Action::Route(all), guard, Vec::new());
        }
        if !plan.is_empty() {
            plan.change = Change::Updated;
        }
        return Ok(plan);
    }
    unprotected(VERB, want, live)?;
    plan.change = Change::Updated;
    steps(&mut plan, want, spec, seen, &stand);
    Ok(plan)
}

/// How an observation says that the draft holds what no version does.
pub(crate) const CHANGES: &str = "changes that no version has";

/// The steps of a release. Everything is ready before the alias moves, and the alias moves in one write.
fn steps(plan: &mut Plan, want: &Desired, spec: &Spec, seen: Option<&Observed>, stand: &Stand) {
    let all = plan.fields.clone();
    let of = |has: fn(&str) -> bool| -> Vec<FieldChange> {
        let chosen = all.iter().filter(|change| has(&change.field));
        chosen.cloned().collect()
    };
    let guard = plan.base.clone();
    let own = |does: &str, with: &str| Action::Native {
        does: does.to_owned(),
        with: with.to_owned(),
    };
    let drafted = of(is_versioned).is_empty() && is_of(seen, spec) && !stand.rolled_back;
    let half_made = seen.is_some_and(|seen| seen.residue.iter().any(|it| it == CHANGES));
    // What serves is what is asked, and only its alias is not complete.
    let served = stand.alias.as_ref().map(|_| stand.released);
    let served = served.filter(|number| *number > 0 && !half_made);
    let ready = stand.ready.or(served).filter(|_| drafted);
    let mut loose = stand.loose.clone();
    loose.extend(stand.ready.filter(|it| ready != Some(*it)));
    clear(plan, &loose);
    let mut push = |action, why| plan.push(action, guard.clone(), why);
    if stand.bare {
        push(
            own("make the queue for dead letters", native::QUEUE),
            Vec::new(),
        );
    }
    let digest = spec.artifact.digest;
    let recoded = stand.code != Some(digest) || stand.arch != Some(spec.artifact.arch);
    if recoded && upload::is_large(spec, want.content.as_deref()) {
        let bucket =
            "make the bucket for code that is too large to be sent directly, unless it is there";
        push(own(bucket, native::BUCKET), Vec::new());
        push(Action::Upload(digest), of(is_code));
    }
    if !stand.exists() {
        push(Action::Create, all.clone());
    } else if ready.is_none() {
        if !drafted {
            push(Action::Configure, of(is_versioned));
        }
        if recoded {
            push(Action::UpdateCode, of(is_code));
        } else {
            push(Action::Publish, Vec::new());
        }
    }
    let settings = of(is_setting);
    // What a new function gets with its request needs no step.
    let more = settings
        .iter()
        .any(|change| stand.exists() || !change.field.starts_with("tags."));
    if more {
        push(
            own("set what holds for the whole function", native::SETTINGS),
            settings,
        );
    }
    let delivery = of(is_delivery);
    let deliver = stand.bare || !delivery.is_empty();
    let route = Action::Route(ready.map(|ready| Split::all_to(id(ready))));
    let deliver_step = || own("set how events are delivered", native::DELIVERY);
    if stand.alias.is_none() {
        // It is set on the alias, which has to be there first.
        push(route, Vec::new());
        push(deliver_step(), delivery);
    } else {
        if deliver {
            push(deliver_step(), delivery);
        }
        push(route, Vec::new());
    }
    if stand.released > u64::from(KEPT) {
        let collect = format!("remove versions older than the {KEPT} that are kept");
        push(own(&collect, native::COLLECT), Vec::new());
    }
}

fn clear(plan: &mut Plan, loose: &[u64]) {
    if !loose.is_empty() {
        let numbers: Vec<String> = loose.iter().map(ToString::to_string).collect();
        let what = format!(
            "versions that were never put into service: {}",
            numbers.join(" ")
        );
        let guard = plan.base.clone();
        plan.push(Action::Clear(what), guard, Vec::new());
    }
}

fn id(number: u64) -> VersionId {
    VersionId::new(number.to_string())
}

/// Whether the draft carries the mark of this very spec.
fn is_of(seen: Option<&Observed>, spec: &Spec) -> bool {
    let owned = seen.map(|seen| &seen.owned);
    matches!(owned, Some(Owned::Marked { mark, .. }) if mark.is_of(spec.hash()))
}

fn is_code(field: &str) -> bool {
    matches!(field, "artifact.digest" | "artifact.arch")
}

fn is_delivery(field: &str) -> bool {
    matches!(field, "delivery.attempts" | "delivery.max_age_s")
}

/// What holds for the function and not for one version, outside its description.
fn is_setting(field: &str) -> bool {
    matches!(field, "max_instances" | "log_retention_days") || field.starts_with("tags.")
}

fn is_versioned(field: &str) -> bool {
    !is_delivery(field) && !is_setting(field)
}

/// The differences to what is there. A spec that leaves triggers alone does not drop them.
fn changes(spec: &Spec, seen: Option<&Observed>) -> Vec<FieldChange> {
    let mut want = spec.fields();
    let mut there = seen
        .filter(|seen| stand(Some(seen)).exists())
        .map(|seen| seen.fields.clone())
        .unwrap_or_default();
    if spec.triggers.is_none() {
        there.remove("triggers");
    }
    let product = format!("native.{}", crate::native::PRODUCT);
    same_when(&mut want, &mut there, &product, |asked, there| {
        match (serde_json::from_str(asked), serde_json::from_str(there)) {
            (Ok(asked), Ok(there)) => crate::native::same(&asked, &there),
            _ => false,
        }
    });
    same_when(&mut want, &mut there, "network", |asked, there| {
        network(asked).is_some_and(|asked| Some(asked) == network(there))
    });
    diff(&there, &want)
}

/// Leaves out a field that is written differently and means the same.
fn same_when(
    want: &mut Fields,
    there: &mut Fields,
    field: &str,
    same: impl Fn(&str, &str) -> bool,
) {
    let both = want.get(field).zip(there.get(field));
    let text = |(a, b): (&FieldValue, &FieldValue)| same(a.expose(), b.expose());
    if both.is_some_and(text) {
        want.remove(field);
        there.remove(field);
    }
}

/// A network whose lists are in order: Lambda does not keep theirs.
fn network(text: &str) -> Option<Network> {
    let mut network: Network = serde_json::from_str(text).ok()?;
    network.subnets.sort();
    network.security_groups.sort();
    Some(network)
}

/// The version with the largest share, the newest of equals: the one whose fields are observed.
fn favoured(seen: &Observed) -> Option<VersionId> {
    let best = seen.versions.iter().max_by_key(|version| version.share);
    best.filter(|version| version.share > 0)
        .map(|version| version.id.clone())
}
