//! One room per service.

use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

pub(crate) mod iam;
pub(crate) mod lambda;
pub(crate) mod logs;
pub(crate) mod s3;
pub(crate) mod sqs;
pub(crate) mod sts;

/// Calls the service.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.service {
        Service::Lambda => lambda::call(call).await,
        Service::S3 => s3::call(call).await,
        Service::Sqs => sqs::call(call).await,
        Service::Sts => sts::call(call).await,
        Service::Iam => iam::call(call).await,
        Service::Logs => logs::call(call).await,
    }
}
