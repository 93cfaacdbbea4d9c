//! Aliases.

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::function::{Alias, Function};
use super::super::ids;
use super::super::names::{LATEST, Target};
use super::delete::forget;
use super::input::Input;
use super::op::Op;
use super::page::page;

fn shown(function: &Function, alias: &Alias) -> Value {
    let mut shown = json!({
        "AliasArn": function.qualified_arn(&alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    });
    if let Some((version, weight)) = &alias.other {
        shown["RoutingConfig"] = json!({ "AdditionalVersionWeights": { version: weight } });
    }
    shown
}

/// Lets an alias point to this version.
fn check_version(function: &Function, target: &Target, version: &str) -> Result<(), ApiError> {
    match function.version(version) {
        Some(_) => Ok(()),
        None => Err(errors::no_function(&target.qualified(version))),
    }
}

/// The other version that an input shares invocations with; `None` when it says nothing about it.
fn routing(
    function: &Function,
    target: &Target,
    version: &str,
    input: Input<'_>,
) -> Result<Option<Option<(String, f64)>>, ApiError> {
    let Some(config) = input.part("RoutingConfig") else {
        return Ok(None);
    };
    let weights = config
        .get("AdditionalVersionWeights")
        .and_then(Value::as_object);
    let Some(weights) = weights.filter(|weights| !weights.is_empty()) else {
        return Ok(Some(None));
    };
    if weights.len() > 1 {
        return Err(errors::invalid(
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ));
    }
    let other = weights
        .iter()
        .next()
        .map(|(version, weight)| (version.clone(), weight.as_f64().unwrap_or_default()));
    if let Some((other, _)) = &other {
        check_share(version, other)?;
        check_version(function, target, other)?;
    }
    Ok(Some(other))
}

/// Lets two versions share an alias.
fn check_share(version: &str, other: &str) -> Result<(), ApiError> {
    if other == version {
        return Err(errors::invalid(format!(
            "Invalid function version {version}. Function version {version} is already included in routing configuration."
        )));
    }
    if version == LATEST {
        return Err(errors::invalid(
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ));
    }
    Ok(())
}

fn allowed(op: &Op) -> Result<(Target, String), ApiError> {
    let target = op.allowed()?;
    target.latest()?;
    let name = op.text("Name").unwrap_or_default().to_owned();
    Ok((target, name))
}

/// `CreateAlias`.
///
/// # Errors
/// The operation's.
pub(super) fn create(op: &Op) -> Result<Answer, ApiError> {
    let (target, name) = allowed(op)?;
    let version = op.text("FunctionVersion").unwrap_or_default();
    op.change(&target, |function| {
        check_version(function, &target, version)?;
        if function.aliases.contains_key(&name) {
            return Err(errors::conflict(format!(
                "Alias already exists: {}",
                function.qualified_arn(&name)
            )));
        }
        let other = routing(function, &target, version, op.input())?.flatten();
        let alias = Alias {
            name: name.clone(),
            version: version.to_owned(),
            other,
            description: op.input().string("Description"),
            revision: ids::uuid(),
            before: None,
        };
        let shown = shown(function, &alias);
        function.aliases.insert(name.clone(), alias);
        Ok(Answer::json(shown))
    })
}

/// `GetAlias`.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let (target, name) = allowed(op)?;
    op.read(&target, |function| match function.aliases.get(&name) {
        Some(alias) => Ok(Answer::json(shown(function, alias))),
        None => Err(errors::not_found(format!(
            "Cannot find alias arn: {}",
            function.qualified_arn(&name)
        ))),
    })
}

/// `UpdateAlias`: what the input does not say stays.
///
/// # Errors
/// The operation's.
pub(super) fn update(op: &Op) -> Result<Answer, ApiError> {
    let (target, name) = allowed(op)?;
    op.change(&target, |function| {
        let Some(old) = function.aliases.get(&name).cloned() else {
            return Err(errors::not_found(format!(
                "Alias not found: {}",
                function.qualified_arn(&name)
            )));
        };
        op.revision(&old.revision, "GetFunction/GetAlias")?;
        let version = op
            .text("FunctionVersion")
            .unwrap_or(&old.version)
            .to_owned();
        check_version(function, &target, &version)?;
        let routing = routing(function, &target, &version, op.input())?;
        let other = routing.unwrap_or_else(|| old.other.clone());
        if let Some((other, _)) = &other {
            check_share(&version, other)?;
        }
        let moved = version != old.version || other != old.other;
        let alias = Alias {
            before: if moved {
                Some(((old.version, old.other), op.now()))
            } else {
                old.before
            },
            description: op
                .text("Description")
                .map_or(old.description, str::to_owned),
            revision: ids::uuid(),
            name: old.name,
            version,
            other,
        };
        let shown = shown(function, &alias);
        function.aliases.insert(name.clone(), alias);
        Ok(Answer::json(shown))
    })
}

/// `DeleteAlias`: one that is not there counts as deleted.
///
/// # Errors
/// The operation's.
pub(super) fn delete(op: &Op) -> Result<Answer, ApiError> {
    let (target, name) = allowed(op)?;
    op.change(&target, |function| {
        function.aliases.remove(&name);
        forget(function, &name);
        Ok(Answer::empty())
    })
}

/// `ListAliases`.
///
/// # Errors
/// The operation's.
pub(super) fn list(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.latest()?;
    let version = op.text("FunctionVersion");
    let items = op.read(&target, |function| {
        Ok(function
            .aliases
            .values()
            .filter(|alias| version.is_none_or(|version| alias.version == version))
            .map(|alias| (alias.name.clone(), shown(function, alias)))
            .collect::<Vec<_>>())
    })?;
    page(op, "Aliases", items)
}
