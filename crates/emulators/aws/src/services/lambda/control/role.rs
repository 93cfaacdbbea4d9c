//! Execution roles: who may give one to a function, and what it may do.

use crate::answer::ApiError;
use crate::call::CallCx;

use super::super::errors;

/// Lets the caller give `role` to a function.
///
/// # Errors
/// The role is another account's, the caller may not pass it, or Lambda can't take it on.
pub(super) fn pass(cx: &CallCx, role: &str) -> Result<(), ApiError> {
    if role.split(':').nth(4) != Some(cx.account.as_str()) {
        return Err(ApiError::new(
            "AccessDeniedException",
            "Cross-account pass role is not allowed.",
        )
        .status(403));
    }
    cx.pass_role_to_lambda(role)
}

/// Whether a function that runs as `role` may do `action` to `resource`.
pub(super) fn may(cx: &CallCx, role: &str, action: &str, resource: &str) -> bool {
    !cx.cloud.config.enforce_permissions
        || cx
            .cloud
            .access
            .role_allows(role, action, resource, &[], None)
}

/// Holds a role against what its function's dead letters need.
///
/// # Errors
/// It may not send them.
pub(super) fn check_dead_letter(
    cx: &CallCx,
    role: &str,
    target: Option<&str>,
) -> Result<(), ApiError> {
    match target {
        Some(queue) if !may(cx, role, "sqs:SendMessage", queue) => Err(errors::invalid(
            "The provided execution role does not have permissions to call SendMessage on SQS",
        )),
        _ => Ok(()),
    }
}

/// Holds a role against what its function's VPC connection needs.
///
/// # Errors
/// It may not make network interfaces.
pub(super) fn check_vpc(cx: &CallCx, role: &str, connected: bool) -> Result<(), ApiError> {
    if connected && !may(cx, role, "ec2:CreateNetworkInterface", "*") {
        return Err(errors::invalid(
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
        ));
    }
    Ok(())
}
