//! `DeleteFunction`.

use serde_json::json;

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::function::Function;
use super::super::location;
use super::super::names::{LATEST, is_alias};
use super::super::version::Version;
use super::op::Op;

/// Removes a function, or one version of it. A version that is not there counts as removed.
///
/// # Errors
/// The operation's.
pub(super) fn delete(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    match target.qualifier.as_deref() {
        None => {
            op.read(&target, |_| Ok(()))?;
            let gone = op
                .functions()
                .region(&target.account, &target.region, |region| {
                    region.functions.remove(&target.name)
                });
            for version in gone.iter().flat_map(Function::all_versions) {
                location::withdraw(op.cx(), &version.config);
            }
            op.changed();
        }
        Some(LATEST) => {
            return Err(errors::invalid(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        Some(alias) if is_alias(alias) => {
            return Err(errors::invalid(
                "Deletion of aliases is not currently supported.",
            ));
        }
        Some(version) => {
            if let Some(gone) = op.change(&target, |function| remove(function, version))? {
                location::withdraw(op.cx(), &gone.config);
            }
        }
    }
    Ok(Answer::json(json!({ "StatusCode": 204 })).status(204))
}

fn remove(function: &mut Function, version: &str) -> Result<Option<Version>, ApiError> {
    let mut holders = function
        .aliases
        .values()
        .filter(|alias| {
            alias.version == version
                || alias
                    .other
                    .as_ref()
                    .is_some_and(|(other, _)| other == version)
        })
        .map(|alias| alias.name.as_str())
        .peekable();
    if holders.peek().is_some() {
        let holders: Vec<&str> = holders.collect();
        return Err(errors::conflict(format!(
            "Unable to delete version because the following aliases reference it: [{}]",
            holders.join(", ")
        )));
    }
    let gone = version
        .parse()
        .ok()
        .and_then(|number| function.versions.remove(&number));
    forget(function, version);
    Ok(gone)
}

/// Forgets what was set for a version or an alias that is gone.
pub(super) fn forget(function: &mut Function, qualifier: &str) {
    function.policies.remove(qualifier);
    function.event_invoke.remove(qualifier);
    function.urls.remove(qualifier);
    function.runtime_updates.remove(qualifier);
}
