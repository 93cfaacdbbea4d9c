//! One room per service.

use std::sync::Arc;

use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

pub(crate) mod iam;
pub(crate) mod lambda;
pub(crate) mod logs;
pub(crate) mod s3;
pub(crate) mod sqs;
pub(crate) mod sts;

/// Calls the service. Where state is kept, what a call changed is on disk before it is answered.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    let (service, cloud) = (call.service, Arc::clone(&call.cx.cloud));
    let changes = changes(call.operation);
    let answer = match service {
        Service::Lambda => lambda::call(call).await,
        Service::S3 => s3::call(call).await,
        Service::Sqs => sqs::call(call).await,
        Service::Sts => sts::call(call).await,
        Service::Iam => iam::call(call).await,
        Service::Logs => logs::call(call).await,
    }?;
    if changes {
        cloud.changed();
        cloud
            .changes
            .kept()
            .await
            .map_err(|error| ApiError::internal(service, error))?;
    }
    Ok(answer)
}

/// Whether an operation may change what is kept. Invocations see to it themselves: most change nothing.
fn changes(operation: &str) -> bool {
    ![
        "Get", "List", "Head", "Describe", "Filter", "Invoke", "Receive",
    ]
    .iter()
    .any(|prefix| operation.starts_with(prefix))
}
