//! Reserved concurrency; and provisioned concurrency, which nobody has here.

use serde_json::json;

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::names::{LATEST, Target};
use super::op::Op;

/// Concurrent executions that must stay for functions without reserved ones. Source: Lambda developer
/// guide, reserved concurrency.
const UNRESERVED: u32 = 100;

/// Reserves concurrent executions.
///
/// # Errors
/// The operation's.
pub(super) fn put(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.whole()?;
    let wanted = op
        .input()
        .number("ReservedConcurrentExecutions")
        .unwrap_or_default();
    let limit = op.functions().concurrency;
    op.read(&target, |_| Ok(()))?;
    op.functions()
        .region(&target.account, &target.region, |region| {
            let reserved = region.reserved();
            let function = region
                .functions
                .get_mut(&target.name)
                .ok_or_else(|| errors::no_function(&target))?;
            let others = reserved - function.reserved.unwrap_or_default();
            let left = limit.saturating_sub(others);
            // Nothing is taken from the others by reserving none.
            if wanted > 0 && left < wanted.saturating_add(UNRESERVED) {
                return Err(errors::invalid(format!(
                    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
                )));
            }
            function.reserved = Some(wanted);
            Ok(())
        })?;
    op.changed();
    Ok(Answer::json(
        json!({ "ReservedConcurrentExecutions": wanted }),
    ))
}

/// Tells what is reserved, if anything.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.whole()?;
    let reserved = op.read(&target, |function| Ok(function.reserved))?;
    Ok(Answer::json(match reserved {
        Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
        None => json!({}),
    }))
}

/// Reserves nothing any more.
///
/// # Errors
/// The operation's.
pub(super) fn delete(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.whole()?;
    op.change(&target, |function| {
        function.reserved = None;
        Ok(())
    })?;
    Ok(Answer::empty())
}

/// Says that there is no provisioned concurrency.
///
/// # Errors
/// Always.
pub(super) fn get_provisioned(op: &Op) -> Result<Answer, ApiError> {
    let target = provisioned_target(op)?;
    op.read(&target, |function| {
        if function.has(target.or_latest()) {
            Ok(())
        } else {
            Err(errors::no_function(&target))
        }
    })?;
    Err(ApiError::new(
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )
    .with("Type", "User"))
}

/// Lists none.
///
/// # Errors
/// The operation's.
pub(super) fn list_provisioned(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    op.read(&target, |_| Ok(()))?;
    Ok(Answer::json(json!({ "ProvisionedConcurrencyConfigs": [] })))
}

/// Removes what is not there, which is no error.
///
/// # Errors
/// The operation's.
pub(super) fn delete_provisioned(op: &Op) -> Result<Answer, ApiError> {
    let target = provisioned_target(op)?;
    op.read(&target, |_| Ok(()))?;
    Ok(Answer::empty())
}

fn provisioned_target(op: &Op) -> Result<Target, ApiError> {
    let target = op.target()?;
    op.allow_qualified(&target, Vec::new())?;
    if target.or_latest() == LATEST {
        return Err(errors::invalid(
            "The function resource provided must be an alias or a published version.",
        ));
    }
    Ok(target)
}
