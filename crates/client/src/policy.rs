//! What is checked for every adapter, whatever the adapter checks itself: before reading, after planning, and before any step.

use anyport_core::capability::Capabilities;
use anyport_core::error::{Error, ErrorKind, Result, Violation, Violations};
use anyport_core::plan::{Action, Desired, Observed, Plan, Split, State, Step};

use crate::capabilities::{need, unsupported};
use crate::target::Target;

/// Checks what is asked, before anything is read or sent.
pub(crate) fn asked(
    target: &Target,
    caps: &Capabilities,
    verb: &'static str,
    desired: &Desired,
) -> Result<()> {
    let mut found = Violations::none();
    if desired.owner != *target.owner() {
        found.push(
            Violation::new("owner", "must be the owner that this target was opened for")
                .value(&desired.owner)
                .nearest(target.owner()),
        );
    }
    match &desired.state {
        State::Present(spec) => {
            if spec.name != desired.name {
                found.push(
                    Violation::new("name", "the spec is of another function")
                        .value(&spec.name)
                        .nearest(&desired.name),
                );
            }
            if let Err(broken) = spec.check() {
                found.extend(broken);
            }
            content(desired, &mut found);
        }
        State::Traffic(split) => traffic(caps, verb, desired, split)?,
        _ => {}
    }
    refuse(found, verb, desired)
}

/// Checks that the artifact's bytes, where they are attached, are those that the spec names.
fn content(desired: &Desired, found: &mut Violations) {
    let (State::Present(spec), Some(content)) = (&desired.state, &desired.content) else {
        return;
    };
    let artifact = &spec.artifact;
    // What the bytes are instead is no cure: they may have been exchanged.
    if content.digest() != artifact.digest {
        found.push(
            Violation::new("artifact.digest", "the bytes have another digest")
                .value(artifact.digest),
        );
    } else if artifact.size != 0 && content.size() != artifact.size {
        found.push(
            Violation::new("artifact.size", "the bytes have another size").value(artifact.size),
        );
    }
}

fn traffic(
    caps: &Capabilities,
    verb: &'static str,
    desired: &Desired,
    split: &Split,
) -> Result<()> {
    let name = desired.name.as_str();
    if split.only().is_some() && caps.versions.is_supported() {
        return Ok(());
    }
    let ways = need(&caps.traffic, "traffic", verb, name)?.ways;
    if split.shares().len() > ways as usize {
        let hint = format!("split over at most {ways} versions");
        return Err(unsupported("traffic.ways", &hint, verb, name));
    }
    Ok(())
}

/// Checks that the versions that traffic should go to are there.
pub(crate) fn versions(
    verb: &'static str,
    desired: &Desired,
    seen: Option<&Observed>,
) -> Result<()> {
    let (State::Traffic(split), Some(seen)) = (&desired.state, seen) else {
        return Ok(());
    };
    let missing = split
        .shares()
        .map(|(version, _)| version)
        .find(|version| !seen.versions.iter().any(|there| there.id == **version));
    match missing {
        None => Ok(()),
        Some(missing) => {
            let there: Vec<&str> = seen.versions.iter().map(|v| v.id.as_str()).collect();
            Err(Error::new(ErrorKind::NotFound, verb)
                .on(format_args!("{} version {missing}", desired.name))
                .because(match there.as_slice() {
                    [] => "it has no versions".to_owned(),
                    there => format!("the versions are {}", there.join(", ")),
                }))
        }
    }
}

/// Checks a plan against what is there: whose it is, whether it is protected, whether traffic is split.
pub(crate) fn planned(verb: &'static str, plan: &Plan, seen: Option<&Observed>) -> Result<()> {
    let Some(seen) = seen else { return Ok(()) };
    let desired = &plan.desired;
    if matches!(desired.state, State::Adopt) {
        return Ok(());
    }
    if !seen.owned.is_by(&desired.owner) {
        let owner = seen.owned.words().to_owned();
        return Err(Error::new(ErrorKind::AlreadyExists { owner }, verb)
            .on(&desired.name)
            .hint(match desired.state {
                State::Present(_) => "choose another name, or adopt it if it is yours",
                _ => "adopt it if it is yours",
            }));
    }
    // Clearing what an interrupted run left changes nothing that serves.
    let only_clears = |step: &Step| matches!(step.action, Action::Clear(_));
    if plan.steps.iter().all(only_clears) {
        return Ok(());
    }
    let changes = matches!(
        desired.state,
        State::Present(_) | State::Traffic(_) | State::Absent { .. }
    );
    if changes && seen.is_protected() && !desired.force.protected {
        return Err(Error::new(ErrorKind::Forbidden, verb)
            .on(&desired.name)
            .because("it is protected")
            .hint("to change it all the same, force it"));
    }
    if let (State::Present(_), Some(split)) = (&desired.state, &seen.split)
        && split.only().is_none()
        && !desired.force.split
    {
        return Err(Error::new(ErrorKind::Conflict, verb)
            .on(&desired.name)
            .because(format_args!("traffic is split: {split}"))
            .hint(
                "send all traffic to one version first, or force the deploy, which ends the split",
            ));
    }
    Ok(())
}

/// Checks a plan that came from outside: whether it was made for this target and holds what its steps need.
pub(crate) fn brought(target: &Target, verb: &'static str, plan: &Plan) -> Result<()> {
    let mut found = Violations::none();
    if plan.target != target.id().as_str() {
        found.push(
            Violation::new("target", "the plan was made for another target")
                .value(&plan.target)
                .nearest(target.id()),
        );
    }
    if plan.desired.owner != *target.owner() {
        found.push(
            Violation::new("owner", "the plan was made for another owner")
                .value(&plan.desired.owner)
                .nearest(target.owner()),
        );
    }
    content(&plan.desired, &mut found);
    bytes_for_uploads(plan, &mut found);
    refuse(found, verb, &plan.desired)
}

/// Checks that the bytes which the plan uploads are attached.
pub(crate) fn bytes_for_uploads(plan: &Plan, found: &mut Violations) {
    let uploads = plan
        .steps
        .iter()
        .any(|step| matches!(step.action, Action::Upload(_)));
    if uploads && plan.desired.content.is_none() {
        found.push(Violation::new(
            "artifact",
            "the plan uploads the artifact, and its bytes are not attached",
        ));
    }
}

fn refuse(found: Violations, verb: &'static str, desired: &Desired) -> Result<()> {
    found
        .or(())
        .map_err(|found| Error::new(ErrorKind::InvalidSpec(found), verb).on(&desired.name))
}
