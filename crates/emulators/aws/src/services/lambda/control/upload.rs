//! Taking deployment packages.

use std::sync::Arc;

use anyport_package::{Limits, RefusalKind};
use data_encoding::BASE64;

use crate::answer::ApiError;
use crate::call::{CallCx, Service};
use crate::cloud::Cloud;
use crate::state::Blob;

use super::super::errors;
use super::super::version::Code;
use super::input::Input;

/// Bytes of an archive that is in the request. Source: Lambda developer guide, quotas.
const MAX_DIRECT: usize = 50 << 20;

/// About the same as base64 text: the limit that the service tells of.
const MAX_DIRECT_TEXT: usize = 69_905_067;

/// Bytes of all files in an archive. Source: Lambda developer guide, quotas.
pub(super) const MAX_UNPACKED: u64 = 262_144_000;

/// Bytes of all packages of an account in a region. Source: Lambda developer guide, quotas.
pub(super) const MAX_STORED: u64 = 75 << 30;

/// Takes the package that an input gives, and looks into it. `operation` is what an error names.
///
/// # Errors
/// There is none or more than one; it is too large, can't be read, or is no zip archive.
pub(super) async fn take(cx: &CallCx, operation: &str, input: Input<'_>) -> Result<Code, ApiError> {
    if input.has("ImageUri") {
        return Err(errors::not_emulated(
            "Code from a container image (ImageUri)",
        ));
    }
    if input.text("S3ObjectStorageMode") == Some("REFERENCE") {
        return Err(errors::not_emulated("S3ObjectStorageMode REFERENCE"));
    }
    if input
        .text("SourceKMSKeyArn")
        .is_some_and(|key| !key.is_empty())
    {
        return Err(errors::not_emulated("SourceKMSKeyArn"));
    }
    let s3 = (input.text("S3Bucket"), input.text("S3Key"));
    match (input.text("ZipFile"), s3) {
        (Some(_), (Some(_), _) | (_, Some(_))) => Err(errors::invalid(
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        )),
        (Some(text), (None, None)) => direct(cx, operation, text).await,
        (None, (Some(bucket), Some(key))) => {
            let blob = object(cx, bucket, key, input.text("S3ObjectVersion"))?;
            blocking(&cx.cloud, move |_| open(blob)).await
        }
        (None, (Some(_), None) | (None, Some(_))) => Err(errors::invalid(
            "Please provide both S3Bucket and S3Key as a source for function code.",
        )),
        (None, (None, None)) => Err(errors::invalid(
            "Please provide a source for function code.",
        )),
    }
}

async fn direct(cx: &CallCx, operation: &str, text: &str) -> Result<Code, ApiError> {
    let bytes = BASE64
        .decode(text.as_bytes())
        .map_err(|_| errors::invalid("ZipFile is not valid base64."))?;
    if bytes.len() > MAX_DIRECT {
        return Err(errors::too_large(format!(
            "Request must be smaller than {MAX_DIRECT_TEXT} bytes for the {operation} operation"
        )));
    }
    blocking(&cx.cloud, move |cloud| {
        let blob = cloud
            .blobs
            .put(&bytes)
            .map_err(|error| ApiError::internal(Service::Lambda, error))?;
        open(blob)
    })
    .await
}

/// Reads an object with the caller's permissions.
fn object(cx: &CallCx, bucket: &str, key: &str, version: Option<&str>) -> Result<Blob, ApiError> {
    cx.cloud
        .s3
        .get(cx, bucket, key, version)
        .map_err(|error| match error.code {
            "AccessDenied" => ApiError::new(
                "AccessDeniedException",
                format!(
                    "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for {bucket}/{key}. S3 Error Code: {}. S3 Error Message: {}",
                    error.code, error.message
                ),
            )
            .status(403)
            .with("Type", "User"),
            code => errors::invalid(format!(
                "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {}",
                error.message
            )),
        })
}

/// Looks into an archive. It blocks on the disk.
fn open(blob: Blob) -> Result<Code, ApiError> {
    if blob.size() == 0 {
        return Err(errors::invalid("Uploaded file must be a non-empty zip"));
    }
    let mut limits = Limits::default();
    limits.unpacked_bytes = MAX_UNPACKED;
    // Lambda has no such rule, and the limit of bytes already keeps the disk from being filled.
    limits.ratio = u64::MAX;
    match anyport_package::inspect(&blob.path(), &limits) {
        Ok(inspection) => Ok(Code::new(blob, inspection.unpacked_size)),
        Err(anyport_package::Error::Refused { refusals, .. }) => {
            Err(if refusals.has(RefusalKind::TooLarge) {
                errors::invalid(format!(
                    "Unzipped size must be smaller than {MAX_UNPACKED} bytes"
                ))
            } else if refusals.has(RefusalKind::Empty) {
                errors::invalid("Uploaded file must be a non-empty zip")
            } else {
                errors::invalid(
                    "Could not unzip uploaded file. Please check your file, then try to upload again.",
                )
            })
        }
        Err(error) => Err(ApiError::internal(Service::Lambda, error)),
    }
}

async fn blocking<T: Send + 'static>(
    cloud: &Arc<Cloud>,
    work: impl FnOnce(&Cloud) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let cloud = Arc::clone(cloud);
    tokio::task::spawn_blocking(move || work(&cloud))
        .await
        .map_err(|error| ApiError::internal(Service::Lambda, error))?
}
