//! Deployment packages: where they are.

use std::path::PathBuf;

use crate::cloud::Cloud;

use super::version::Code;

/// The zip archive of a deployment package.
pub(crate) fn path(cloud: &Cloud, code: &Code) -> PathBuf {
    cloud
        .folder
        .join("code")
        .join(format!("{}.zip", code.sha256))
}
