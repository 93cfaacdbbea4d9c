//! The operations that run a function.

use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

/// Serves `Invoke`, `InvokeAsync` and `InvokeWithResponseStream`.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    Err(ApiError::not_served(Service::Lambda, call.operation))
}
