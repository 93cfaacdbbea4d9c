//! Where the code of a function can be had.

use crate::answer::ApiError;
use crate::call::CallCx;

use super::names::Target;
use super::version::Code;

/// A URL that the code can be had from for ten minutes.
///
/// # Errors
/// The code is gone.
pub(crate) fn offer(cx: &CallCx, target: &Target, code: &Code) -> Result<String, ApiError> {
    Ok(format!(
        "{}/awslambda-{}-tasks/snapshots/{}/{}-{}",
        cx.cloud.endpoint, cx.region, target.account, target.name, code.sha256
    ))
}
