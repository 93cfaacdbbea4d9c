//! How large a body may be.
//!
//! Source: the quotas in the developer guides. S3's is the emulator's own: the real one takes 5 GiB.

use crate::answer::ApiError;
use crate::call::Service;

/// A function URL's request, with room for the service to say how much too large it is.
pub(super) const FUNCTION_URL: usize = INVOKE;

/// Requests of the operations that run functions: 6 MB, with room for the service to tell.
const INVOKE: usize = 8 << 20;

/// Lambda's other requests: a 50 MB archive as base64, and the rest.
const LAMBDA: usize = 70_167_211;

const S3: usize = 512 << 20;

/// A batch of 1 MiB, each byte of which may be written as six.
const MESSAGES: usize = 8 << 20;

const FORM: usize = 1 << 20;

/// The largest body of a request.
pub(super) fn of(service: Service, path: &str) -> usize {
    match service {
        Service::Lambda if is_invoke(path) => INVOKE,
        Service::Lambda => LAMBDA,
        Service::S3 => S3,
        Service::Sqs | Service::Logs => MESSAGES,
        Service::Sts | Service::Iam => FORM,
    }
}

/// What a larger one is answered with.
pub(super) fn too_large(service: Service, path: &str, limit: usize) -> ApiError {
    match service {
        Service::Lambda => {
            let (limit, operation) = if is_invoke(path) {
                (6 << 20, "InvokeFunction")
            } else if path.ends_with("/code") {
                (limit, "UpdateFunctionCode")
            } else {
                (limit, "CreateFunction")
            };
            ApiError::new(
                "RequestEntityTooLargeException",
                format!("Request must be smaller than {limit} bytes for the {operation} operation"),
            )
        }
        Service::S3 => ApiError::new(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        )
        .with("MaxSizeAllowed", limit.to_string())
        .status(400),
        _ => ApiError::new(
            "RequestEntityTooLarge",
            format!("Request must be smaller than {limit} bytes"),
        ),
    }
    .or_status(413)
}

fn is_invoke(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.ends_with("/invocations")
        || path.ends_with("/response-streaming-invocations")
        || path.ends_with("/invoke-async")
}
