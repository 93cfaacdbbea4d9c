//! Reading functions.

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::function::Function;
use super::super::location;
use super::super::names::{LATEST, Target, is_alias};
use super::super::version::{Version, VersionConfig};
use super::op::{Conditions, Op};
use super::page::page;
use super::show::{Detail, configuration as shown};

/// The version that a target means, and the ARN that it is shown under: the qualifier's, if there is one.
fn find<'a>(function: &'a Function, target: &Target) -> Result<(&'a Version, String), ApiError> {
    let version = function
        .qualified(target.or_latest())
        .ok_or_else(|| errors::no_function(target))?;
    Ok((version, target.arn()))
}

/// For a function that is not there at all, the qualifier is in the message.
fn find_in<T>(
    op: &Op,
    target: &Target,
    read: impl FnOnce(&mut Function) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    op.functions()
        .with(target, read)
        .ok_or_else(|| errors::no_function(target))?
}

/// `GetFunction`: also where the code can be had, the tags and the reserved concurrency.
///
/// # Errors
/// The operation's.
pub(super) fn function(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    struct Found {
        shown: Value,
        config: std::sync::Arc<VersionConfig>,
        tags: std::collections::BTreeMap<String, String>,
        reserved: Option<u32>,
    }
    let found = find_in(op, &target, |function| {
        let (version, arn) = find(function, &target)?;
        Ok(Found {
            shown: shown(version, arn, Detail::Full),
            config: std::sync::Arc::clone(&version.config),
            tags: function.tags.clone(),
            reserved: function.reserved,
        })
    })?;
    let code = match location::offer(op.cx(), &found.config) {
        Ok(location) => json!({ "RepositoryType": "S3", "Location": location }),
        Err(error) => json!({
            "RepositoryType": "S3",
            "Error": { "ErrorCode": error.code, "Message": error.message },
        }),
    };
    let mut output = json!({ "Configuration": found.shown, "Code": code });
    // Source: Lambda API model: tags are told to those who may list them.
    let arn = target.function_arn();
    if let Err(denied) = op.allow_action("lambda:ListTags", &target, &arn, Conditions::new()) {
        output["TagsError"] = json!({ "ErrorCode": denied.code, "Message": denied.message });
    } else if !found.tags.is_empty() {
        output["Tags"] = json!(found.tags);
    }
    if let Some(reserved) = found.reserved {
        output["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    Ok(Answer::json(output))
}

/// `GetFunctionConfiguration`.
///
/// # Errors
/// The operation's.
pub(super) fn configuration(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    find_in(op, &target, |function| {
        let (version, arn) = find(function, &target)?;
        Ok(Answer::json(shown(version, arn, Detail::Full)))
    })
}

/// `ListFunctions`: `$LATEST` of each by name, or all versions of each.
///
/// # Errors
/// The operation's.
pub(super) fn functions(op: &Op) -> Result<Answer, ApiError> {
    op.allow_on("*", Vec::new())?;
    let all = op.text("FunctionVersion") == Some("ALL");
    let items: Vec<(String, Value)> = op.region(|region| {
        let functions = region.functions.values();
        if all {
            functions.flat_map(listed_versions).collect()
        } else {
            functions
                .map(|function| {
                    let shown = shown(&function.latest, function.arn(), Detail::Listed);
                    (function.name.clone(), shown)
                })
                .collect()
        }
    });
    page(op, "Functions", items)
}

/// `ListVersionsByFunction`: `$LATEST`, then the others by number.
///
/// # Errors
/// The operation's.
pub(super) fn versions(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let items = op.read(&target, |function| {
        Ok(listed_versions(function).collect::<Vec<_>>())
    })?;
    page(op, "Versions", items)
}

fn listed_versions(function: &Function) -> impl Iterator<Item = (String, Value)> {
    function.all_versions().map(|version| {
        let name = &version.config.version;
        // `$` comes before digits; with zeros in front numbers are in their order.
        let key = match name.as_str() {
            LATEST => format!("{}:{LATEST}", function.name),
            number => format!("{}:{number:0>20}", function.name),
        };
        let shown = shown(version, function.qualified_arn(name), Detail::Listed);
        (key, shown)
    })
}

/// Lets a qualifier be one that means something.
///
/// # Errors
/// It means nothing: no such alias, or no such version.
pub(super) fn exists(function: &Function, target: &Target) -> Result<(), ApiError> {
    match target.qualifier.as_deref() {
        Some(qualifier) if !function.has(qualifier) && is_alias(qualifier) => Err(
            errors::not_found(format!("Cannot find alias arn: {}", target.arn())),
        ),
        Some(qualifier) if !function.has(qualifier) => Err(errors::no_function(target)),
        _ => Ok(()),
    }
}
