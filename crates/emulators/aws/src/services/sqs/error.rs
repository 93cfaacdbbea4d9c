//! The errors of SQS, with its codes and words.
//!
//! Source: the SQS API reference and service model; words as clients' tests show them.

use crate::answer::ApiError;

pub(super) fn no_queue() -> ApiError {
    ApiError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(super) fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

pub(super) fn invalid(value: &str, parameter: &str, reason: &str) -> ApiError {
    invalid_value(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    ))
}

pub(super) fn missing(parameter: &str) -> ApiError {
    ApiError::new(
        "MissingRequiredParameterException",
        format!("The request must contain the parameter {parameter}."),
    )
}

pub(super) fn attribute_name(name: &str) -> ApiError {
    ApiError::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn attribute_value(name: &str) -> ApiError {
    ApiError::new(
        "InvalidAttributeValue",
        format!("Invalid value for the parameter {name}."),
    )
}

pub(super) fn name_exists(attribute: &str) -> ApiError {
    ApiError::new(
        "QueueNameExists",
        format!(
            "A queue already exists with the same name and a different value for attribute {attribute}"
        ),
    )
}

pub(super) fn deleted_recently() -> ApiError {
    ApiError::new(
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
}

pub(super) fn purge_in_progress(queue: &str) -> ApiError {
    ApiError::new(
        "PurgeQueueInProgress",
        format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds."),
    )
}

pub(super) fn bad_handle(handle: &str) -> ApiError {
    ApiError::new(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
    )
}

pub(super) fn not_in_flight(handle: &str) -> ApiError {
    ApiError::new(
        "MessageNotInflight",
        format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is \
             not available for visibility timeout change."
        ),
    )
}

pub(super) fn bad_address(url: &str) -> ApiError {
    ApiError::new(
        "InvalidAddress",
        format!("The address {url} is not valid for this endpoint."),
    )
}

pub(super) fn bad_contents() -> ApiError {
    ApiError::new(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 \
         to #xFFFD | #x10000 to #x10FFFF",
    )
}

pub(super) fn over_limit(message: impl Into<String>) -> ApiError {
    ApiError::new("OverLimit", message)
}

/// Errors of batches as a whole.
pub(super) fn batch(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message)
}
