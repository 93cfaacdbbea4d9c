//! How a denial is worded.
//!
//! Source: the IAM user guide on access denied messages, and what clients report of each service: S3 quotes the
//! resource, SQS writes the action in lowercase.

use crate::answer::ApiError;

use super::policy::{Layer, Verdict};

/// The error for a verdict; `None` when it is allowed. `arn` is empty for anonymous callers.
pub(super) fn error(verdict: Verdict, arn: &str, action: &str, resource: &str) -> Option<ApiError> {
    let (service, _) = action.split_once(':').unwrap_or((action, ""));
    let anonymous = arn.is_empty();
    if anonymous && service == "s3" && verdict != Verdict::Allowed {
        return Some(ApiError::new("AccessDenied", "Access Denied").status(403));
    }
    let lower;
    let action_said = if service == "sqs" {
        lower = action.to_ascii_lowercase();
        lower.as_str()
    } else {
        action
    };
    let (article, kind) = match verdict {
        Verdict::Allowed => return None,
        Verdict::Denied(layer) | Verdict::NotAllowed(layer) => match layer {
            Layer::Identity => ("an", "identity-based policy"),
            Layer::Session => ("a", "session policy"),
            Layer::Boundary => ("a", "permissions boundary"),
            Layer::Resource => ("a", "resource-based policy"),
        },
    };
    let why = match verdict {
        Verdict::Denied(_) => format!("with an explicit deny in {article} {kind}"),
        _ => format!("because no {kind} allows the {action_said} action"),
    };
    let who = if anonymous { "anonymous" } else { arn };
    let quote = if service == "s3" { "\"" } else { "" };
    let message = format!(
        "User: {who} is not authorized to perform: {action_said} on resource: {quote}{resource}{quote} {why}"
    );
    Some(denied(action, message))
}

/// A denial in the form of the service that the action is checked by.
pub(super) fn denied(action: &str, message: String) -> ApiError {
    let (service, _) = action.split_once(':').unwrap_or((action, ""));
    match service {
        // The JSON protocols answer with 400 where no status is modelled.
        "logs" => ApiError::new("AccessDeniedException", message).status(400),
        "lambda" => ApiError::new("AccessDeniedException", message).status(403),
        // A role is passed to Lambda, which reports it in its own form.
        _ if action == "iam:PassRole" => {
            ApiError::new("AccessDeniedException", message).status(403)
        }
        _ => ApiError::new("AccessDenied", message).status(403),
    }
}
