//! The errors of Lambda, in its words.
//!
//! Source: the error shapes of the Lambda API model; the messages are those that clients of the real
//! one report, unless a line says *Guessed*.

use crate::answer::ApiError;

use super::names::Target;

/// The caller's mistake.
fn user(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message).with("Type", "User")
}

/// 400: a value that the model allows and the service does not.
pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    user("InvalidParameterValueException", message)
}

/// 400: a value that a constraint of the service's own forbids, worded as the model's are.
pub(crate) fn validation(value: &str, member: &str, constraint: &str) -> ApiError {
    ApiError::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ),
    )
    .status(400)
}

/// 404.
pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
    user("ResourceNotFoundException", message)
}

/// 404: no such function, version or alias.
pub(crate) fn no_function(target: &Target) -> ApiError {
    not_found(format!("Function not found: {}", target.arn()))
}

/// 404, as the operations on URLs, event sources and code signing say it.
pub(crate) fn no_resource() -> ApiError {
    not_found("The resource you requested does not exist.")
}

/// 409.
pub(crate) fn conflict(message: impl Into<String>) -> ApiError {
    user("ResourceConflictException", message)
}

/// 409: an update is under way.
pub(crate) fn updating(function_arn: &str) -> ApiError {
    conflict(format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {function_arn}"
    ))
}

/// 409: the function is not `Active`.
pub(crate) fn in_state(state: &str) -> ApiError {
    conflict(format!(
        "The operation cannot be performed at this time. The function is currently in the following state: {state}"
    ))
}

/// 412: the revision moved on. `api` is what tells the latest.
pub(crate) fn stale(api: &str) -> ApiError {
    user(
        "PreconditionFailedException",
        format!(
            "The Revision Id provided does not match the latest Revision Id. Call the {api} API to retrieve the latest Revision Id"
        ),
    )
}

/// 413: more than an operation takes.
pub(crate) fn too_large(message: impl Into<String>) -> ApiError {
    user("RequestEntityTooLargeException", message).status(413)
}

/// 400: something that AWS has and the embedded one does not.
pub(crate) fn not_emulated(what: &str) -> ApiError {
    invalid(format!("{what} is not served by the embedded AWS"))
}
