//! Plans, outcomes and what is there: for machines as JSON, for people as lines. No view holds an environment variable's value.

use anyport::capability::{Approximation, PortabilityCost};
use anyport::outcome::Outcome;
use anyport::plan::{Change, Health, Observed, Plan, Version};
use serde_json::{Map, Value, json};

use super::style::Style;
use super::words;

/// A plan for machines.
pub(crate) fn plan(plan: &Plan) -> Value {
    json!({
        "function": plan.desired.name,
        "target": plan.target,
        "change": plan.change.word(),
        "steps": plan.steps.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "fields": plan.fields,
        "approximations": plan.approximations,
        "portability_costs": plan.costs,
        "found": plan.found,
        "kept": plan.kept,
    })
}

/// A plan for people.
pub(crate) fn plan_lines(plan: &Plan, style: Style) -> String {
    let word = match plan.change {
        Change::Created => "will be created",
        Change::Updated => "will be changed",
        Change::Removed => "will be removed",
        Change::Adopted => "will be adopted",
        Change::Released => "will be released",
        other => other.word(),
    };
    let word = if plan.is_empty() {
        style.faint(word)
    } else {
        style.good(word)
    };
    let mut out = format!(
        "{} on {}: {word}",
        style.strong(&plan.desired.name),
        plan.target
    );
    // A new function differs in everything, which is no news.
    for change in plan
        .fields
        .iter()
        .filter(|_| plan.change != Change::Created)
    {
        out.push_str(&format!("\n  {change}"));
    }
    for step in &plan.steps {
        out.push_str(&format!("\n  {}. {step}", step.number));
    }
    notes(
        &mut out,
        "an earlier run left",
        &plan.approximations,
        &plan.costs,
        &plan.found,
        &plan.kept,
    );
    out
}

/// An outcome for machines.
pub(crate) fn outcome(outcome: &Outcome) -> Value {
    json!({
        "function": outcome.name,
        "target": outcome.target,
        "change": outcome.change.word(),
        "version": outcome.version,
        "endpoint": outcome.endpoint,
        "ids": outcome.ids,
        "steps": outcome.steps,
        "approximations": outcome.approximations,
        "found": outcome.found,
        "kept": outcome.kept,
        "duration_ms": millis(outcome.duration),
    })
}

/// An outcome for people.
pub(crate) fn outcome_lines(outcome: &Outcome, style: Style) -> String {
    let word = outcome.change.word();
    let word = match outcome.change {
        Change::Unchanged | Change::Absent => style.faint(word),
        _ => style.good(word),
    };
    let mut out = format!("{}: {word}", style.strong(&outcome.name));
    if let Some(version) = &outcome.version {
        out.push_str(&format!(", version {version}"));
    }
    out.push_str(&format!(" in {}", words::duration(outcome.duration)));
    if let Some(endpoint) = &outcome.endpoint {
        out.push_str(&format!("\n  endpoint: {endpoint}"));
    }
    notes(
        &mut out,
        "an earlier run had left",
        &outcome.approximations,
        &[],
        &outcome.found,
        &outcome.kept,
    );
    out
}

fn notes(
    out: &mut String,
    left: &str,
    approximations: &[Approximation],
    costs: &[PortabilityCost],
    found: &[String],
    kept: &[String],
) {
    for one in approximations {
        out.push_str(&format!(
            "\n  {}: asked {}, is {} ({})",
            one.field, one.asked, one.actual, one.note
        ));
    }
    for one in costs {
        out.push_str(&format!("\n  portability: {}: {}", one.field, one.cost));
    }
    for what in found {
        out.push_str(&format!("\n  {left}: {what}"));
    }
    for what in kept {
        out.push_str(&format!("\n  stays: {what}"));
    }
}

/// What is there, for machines.
pub(crate) fn observed(target: &str, seen: &Observed) -> Value {
    let fields: Map<String, Value> = seen
        .fields
        .iter()
        .map(|(path, value)| (path.clone(), json!(value.to_string())))
        .collect();
    json!({
        "function": seen.name,
        "target": target,
        "owner": seen.owned.words(),
        "health": health(&seen.health),
        "why": why(&seen.health),
        "revision": seen.revision,
        "versions": seen.versions.iter().map(version).collect::<Vec<_>>(),
        "endpoint": seen.endpoint,
        "ids": seen.ids,
        "fields": fields,
        "residue": seen.residue,
        "events": seen.events,
    })
}

/// A version for machines.
pub(crate) fn version(version: &Version) -> Value {
    json!({
        "id": version.id,
        "share": version.share,
        "created": version.created.map(words::time),
        "artifact": version.artifact,
    })
}

/// One word for how it is.
pub(crate) const fn health(health: &Health) -> &'static str {
    match health {
        Health::Ready => "ready",
        Health::Pending => "pending",
        Health::Failed(_) => "failed",
        Health::Empty => "empty",
        _ => "unknown",
    }
}

fn why(health: &Health) -> Option<&str> {
    match health {
        Health::Failed(why) => Some(why),
        _ => None,
    }
}

pub(crate) fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
