//! What goes wrong on purpose, and with what.

use http::Response;

use super::body::ReplyBody;
use super::handle::Hangup;
use crate::answer::ApiError;
use crate::call::Service;
use crate::fault::Fault;

/// What goes wrong before anything is done: an error in place of it, or a connection that is closed.
pub(super) async fn before(service: Service, fault: &Fault) -> Result<Option<ApiError>, Hangup> {
    Ok(match fault {
        Fault::Throttle(retry_after) => Some(throttled(service, *retry_after)),
        Fault::Fail(status) => Some(on_purpose(service, *status)),
        Fault::ResetBefore => return Err(Hangup),
        Fault::Delay(duration) => {
            tokio::time::sleep(*duration).await;
            None
        }
        _ => None,
    })
}

pub(super) fn on_purpose(service: Service, status: u16) -> ApiError {
    ApiError::internal(service, "it was told to").status(status)
}

/// Each service's throttling error. Source: the common errors of the API references.
fn throttled(service: Service, retry_after: Option<u32>) -> ApiError {
    let error = match service {
        Service::Lambda => ApiError::new("TooManyRequestsException", "Rate exceeded")
            .status(429)
            .with("Reason", "CallerRateLimitExceeded"),
        Service::S3 => ApiError::new("SlowDown", "Please reduce your request rate.").status(503),
        Service::Sts | Service::Iam => ApiError::new("Throttling", "Rate exceeded").status(400),
        Service::Sqs | Service::Logs => {
            ApiError::new("ThrottlingException", "Rate exceeded").status(400)
        }
    };
    match retry_after {
        Some(seconds) => error.with("retryAfterSeconds", seconds.to_string()),
        None => error,
    }
}

/// What goes wrong with the reply to what was done: the connection breaks, or its body does.
pub(super) fn spoil(fault: &Fault, response: Response<ReplyBody>) -> Response<ReplyBody> {
    match *fault {
        Fault::Truncate(after) => response.map(|body| body.cut(after)),
        Fault::Corrupt => response.map(ReplyBody::turned),
        _ => response,
    }
}
