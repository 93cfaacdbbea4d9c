//! STS: who am I, and who may I be. Its state is [`access::Store`](crate::access::Store).

use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    Err(ApiError::not_served(Service::Sts, call.operation))
}
