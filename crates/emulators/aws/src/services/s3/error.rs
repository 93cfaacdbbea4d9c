//! The errors of S3, with its codes, statuses and words.
//!
//! Source: the S3 API reference's list of error codes; words as its examples and clients' tests show them.

use crate::answer::ApiError;
use crate::call::Service;

fn error(code: &'static str, status: u16, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message).status(status)
}

pub(super) fn no_such_bucket(bucket: &str) -> ApiError {
    error("NoSuchBucket", 404, "The specified bucket does not exist").with("BucketName", bucket)
}

pub(super) fn no_such_key(key: &str) -> ApiError {
    error("NoSuchKey", 404, "The specified key does not exist.").with("Key", key)
}

pub(super) fn no_such_version(key: &str, version: &str) -> ApiError {
    error(
        "NoSuchVersion",
        404,
        "The specified version does not exist.",
    )
    .with("Key", key)
    .with("VersionId", version)
}

pub(super) fn no_such_upload(id: &str) -> ApiError {
    error(
        "NoSuchUpload",
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
         aborted or completed.",
    )
    .with("UploadId", id)
}

/// A setting of a bucket that was never made.
pub(super) fn no_setting(code: &'static str, message: &str, bucket: &str) -> ApiError {
    error(code, 404, message).with("BucketName", bucket)
}

pub(super) fn method_not_allowed() -> ApiError {
    error(
        "MethodNotAllowed",
        405,
        "The specified method is not allowed against this resource.",
    )
}

pub(super) fn access_denied() -> ApiError {
    error("AccessDenied", 403, "Access Denied")
}

pub(super) fn wrong_region(is: &str, expected: &str) -> ApiError {
    error(
        "AuthorizationHeaderMalformed",
        400,
        format!(
            "The authorization header is malformed; the region '{is}' is wrong; expecting '{expected}'"
        ),
    )
    .with("Region", expected)
}

pub(super) fn invalid_argument(name: &str, value: &str, message: impl Into<String>) -> ApiError {
    error("InvalidArgument", 400, message)
        .with("ArgumentName", name)
        .with("ArgumentValue", value)
}

pub(super) fn invalid_request(message: impl Into<String>) -> ApiError {
    error("InvalidRequest", 400, message)
}

pub(super) fn malformed_xml() -> ApiError {
    error(
        "MalformedXML",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(super) fn precondition_failed(condition: &str) -> ApiError {
    error(
        "PreconditionFailed",
        412,
        "At least one of the pre-conditions you specified did not hold",
    )
    .with("Condition", condition)
}

pub(super) fn bad_digest(what: &str) -> ApiError {
    error(
        "BadDigest",
        400,
        format!("The {what} you specified did not match the calculated checksum."),
    )
}

pub(super) fn bad_md5() -> ApiError {
    error(
        "BadDigest",
        400,
        "The Content-MD5 you specified did not match what we received.",
    )
}

pub(super) fn invalid_digest() -> ApiError {
    error(
        "InvalidDigest",
        400,
        "The Content-MD5 you specified was invalid.",
    )
}

pub(super) fn invalid_range(range: &str, size: u64) -> ApiError {
    error(
        "InvalidRange",
        416,
        "The requested range is not satisfiable",
    )
    .with("RangeRequested", range)
    .with("ActualObjectSize", size)
}

pub(super) fn invalid_part_number(number: u64, count: usize) -> ApiError {
    error(
        "InvalidPartNumber",
        416,
        "The requested partnumber is not satisfiable",
    )
    .with("PartNumberRequested", number)
    .with("ActualPartCount", count)
}

pub(super) fn invalid_part(upload: &str, number: u64) -> ApiError {
    error(
        "InvalidPart",
        400,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or \
         the specified entity tag may not match the part's entity tag.",
    )
    .with("UploadId", upload)
    .with("PartNumber", number)
}

pub(super) fn invalid_part_order(upload: &str) -> ApiError {
    error(
        "InvalidPartOrder",
        400,
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    )
    .with("UploadId", upload)
}

pub(super) fn entity_too_small(size: u64, minimum: u64, number: u64, etag: &str) -> ApiError {
    error(
        "EntityTooSmall",
        400,
        "Your proposed upload is smaller than the minimum allowed size",
    )
    .with("ProposedSize", size)
    .with("MinSizeAllowed", minimum)
    .with("PartNumber", number)
    .with("ETag", etag)
}

pub(super) fn entity_too_large(size: u64, most: u64) -> ApiError {
    error(
        "EntityTooLarge",
        400,
        "Your proposed upload exceeds the maximum allowed size",
    )
    .with("ProposedSize", size)
    .with("MaxSizeAllowed", most)
}

pub(super) fn invalid_tag(message: impl Into<String>) -> ApiError {
    error("InvalidTag", 400, message)
}

pub(super) fn bad_request(message: impl Into<String>) -> ApiError {
    error("BadRequest", 400, message)
}

pub(super) fn key_too_long(size: usize) -> ApiError {
    error("KeyTooLongError", 400, "Your key is too long")
        .with("Size", size)
        .with("MaxSizeAllowed", super::names::LONGEST_KEY)
}

pub(super) fn metadata_too_large(size: usize) -> ApiError {
    error(
        "MetadataTooLarge",
        400,
        "Your metadata headers exceed the maximum allowed metadata size",
    )
    .with("Size", size)
    .with("MaxSizeAllowed", super::names::LARGEST_METADATA)
}

pub(super) fn invalid_bucket_name(bucket: &str) -> ApiError {
    error(
        "InvalidBucketName",
        400,
        "The specified bucket is not valid.",
    )
    .with("BucketName", bucket)
}

pub(super) fn conflict(code: &'static str, message: &str, bucket: &str) -> ApiError {
    error(code, 409, message).with("BucketName", bucket)
}

pub(super) fn illegal_location(message: impl Into<String>) -> ApiError {
    error("IllegalLocationConstraintException", 400, message)
}

pub(super) fn invalid_location(location: &str) -> ApiError {
    error(
        "InvalidLocationConstraint",
        400,
        "The specified location-constraint is not valid",
    )
    .with("LocationConstraint", location)
}

pub(super) fn acls_not_supported() -> ApiError {
    error(
        "AccessControlListNotSupported",
        400,
        "The bucket does not allow ACLs",
    )
}

pub(super) fn malformed_policy(message: impl Into<String>) -> ApiError {
    error("MalformedPolicy", 400, message)
}

/// Something that S3 has and the emulator has not.
pub(super) fn not_implemented(what: &str) -> ApiError {
    error(
        "NotImplemented",
        501,
        format!("{what} is not served by the embedded AWS"),
    )
}

/// The disk failed, or is as full as it may get.
pub(super) fn disk(error: &std::io::Error) -> ApiError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return ApiError::new(
            "ServiceUnavailable",
            "The embedded AWS keeps no more bytes: its limit or the disk is reached. Delete objects.",
        )
        .status(507);
    }
    ApiError::internal(Service::S3, format!("the disk: {}", error.kind()))
}
