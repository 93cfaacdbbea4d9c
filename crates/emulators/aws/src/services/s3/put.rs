//! Putting objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::content::{Asked, member, receive};
use super::store::{About, Bucket, Object, Sum};
use super::{bucket, conditions, error, key, names, on_bucket, tags};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Bytes of an object that comes in one request.
pub(super) const LARGEST_PUT: u64 = 5 << 30;

/// Members whose text is kept and given back as it came.
const KEPT: [&str; 8] = [
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
    "SSEKMSKeyId",
];

/// Storage classes that an object may be put into and read from at once.
const CLASSES: [&str; 6] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
];

pub(super) async fn put(call: &Call) -> Result<Answer, ApiError> {
    let key = key(call);
    names::check_key(key)?;
    let about = about(call)?;
    if call.get("WriteOffsetBytes").is_some() {
        return Err(error::not_implemented("appending to an object"));
    }
    let size = call.payload.len() as u64;
    if size > LARGEST_PUT {
        return Err(error::entity_too_large(size, LARGEST_PUT));
    }
    // Before anything is written; a second time below, when it is in place.
    on_bucket(call, "s3:PutObject", Some(key), |bucket| {
        check(call, bucket, &about)
    })?;
    let received = receive(call, Asked::of(call, None)?).await?;
    let object = Object {
        content: received.content,
        etag: received.md5,
        checksum: Some(received.sum),
        parts: Vec::new(),
        about,
    };
    on_bucket(call, "s3:PutObject", Some(key), |bucket| {
        let mut output = written(&object);
        let version = place(call, bucket, key, object)?;
        if let Some(version) = version {
            output.insert("VersionId".to_owned(), version.into());
        }
        Ok(Answer::json(Value::Object(output)))
    })
}

/// Whether the caller may write this object now.
pub(super) fn check(call: &Call, bucket: &Bucket, about: &About) -> Result<(), ApiError> {
    let key = key(call);
    if !about.tags.is_empty() {
        super::allow(&call.cx, bucket, "s3:PutObjectTagging", Some(key))?;
    }
    let current = bucket.latest(key).map(|(_, object)| object.etag.as_str());
    conditions::write(call, key, current)
}

/// Puts the object in its place if its conditions still hold, and gives its version's id.
pub(super) fn place(
    call: &Call,
    bucket: &mut Bucket,
    key: &str,
    object: Object,
) -> Result<Option<String>, ApiError> {
    let current = bucket.latest(key).map(|(_, object)| object.etag.as_str());
    conditions::write(call, key, current)?;
    let now = call.cx.cloud.clock.epoch_millis();
    Ok(bucket.add(key, names::fresh_id()?, now, Some(object)))
}

/// What every answer to a written object says.
fn written(object: &Object) -> Map<String, Value> {
    let mut output = Map::new();
    output.insert("ETag".to_owned(), quoted(&object.etag));
    encryption(&object.about, &mut output);
    if let Some(sum) = &object.checksum {
        checksum(sum, &mut output);
    }
    output
}

/// An entity tag as it is shown.
pub(super) fn quoted(etag: &str) -> Value {
    Value::from(format!("\"{etag}\""))
}

/// Adds the members of a checksum.
pub(super) fn checksum(sum: &Sum, output: &mut Map<String, Value>) {
    output.insert(member(&sum.algorithm), sum.value.as_str().into());
    output.insert("ChecksumType".to_owned(), sum.kind().into());
}

/// Adds how the object is encrypted at rest: it always is, since 2023.
pub(super) fn encryption(about: &About, output: &mut Map<String, Value>) {
    for name in ["ServerSideEncryption", "SSEKMSKeyId"] {
        if let Some(value) = about.headers.get(name) {
            output.insert(name.to_owned(), value.as_str().into());
        }
    }
}

/// What a request says of the object that it makes.
///
/// # Errors
/// What is too large, unknown or not served.
pub(super) fn about(call: &Call) -> Result<About, ApiError> {
    bucket::check_acl(call, &["private", "bucket-owner-full-control"])?;
    for (member, what) in [
        (
            "SSECustomerAlgorithm",
            "encryption with keys that the client sends",
        ),
        (
            "SSECustomerKey",
            "encryption with keys that the client sends",
        ),
        ("ObjectLockMode", "object lock"),
        ("ObjectLockRetainUntilDate", "object lock"),
        ("ObjectLockLegalHoldStatus", "object lock"),
    ] {
        if call.get(member).is_some() {
            return Err(error::not_implemented(what));
        }
    }
    let mut headers: BTreeMap<String, String> = KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), call.text(name)?.to_owned())))
        .collect();
    headers
        .entry("ContentType".to_owned())
        .or_insert_with(|| "binary/octet-stream".to_owned());
    if let Some(encoding) = headers.remove("ContentEncoding") {
        // That the body came in chunks is said of the request, not of the object.
        let kept: Vec<&str> = encoding
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty() && !one.eq_ignore_ascii_case("aws-chunked"))
            .collect();
        if !kept.is_empty() {
            headers.insert("ContentEncoding".to_owned(), kept.join(","));
        }
    }
    let encryption = match call.text("ServerSideEncryption") {
        None => "AES256",
        Some(one @ ("AES256" | "aws:kms" | "aws:kms:dsse")) => one,
        Some(other) => {
            return Err(error::invalid_argument(
                "x-amz-server-side-encryption",
                other,
                "The encryption method specified is not supported",
            ));
        }
    };
    headers.insert("ServerSideEncryption".to_owned(), encryption.to_owned());
    match call.text("StorageClass") {
        None | Some("STANDARD") => {}
        Some(class) if CLASSES.contains(&class) => {
            headers.insert("StorageClass".to_owned(), class.to_owned());
        }
        Some(class @ ("GLACIER" | "DEEP_ARCHIVE")) => {
            return Err(error::not_implemented(&format!(
                "the storage class {class}"
            )));
        }
        Some(_) => {
            return Err(ApiError::new(
                "InvalidStorageClass",
                "The storage class you specified is not valid",
            ));
        }
    }
    let metadata: BTreeMap<String, String> = call
        .get("Metadata")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let value = value.as_str().unwrap_or_default();
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    let size = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > names::LARGEST_METADATA {
        return Err(error::metadata_too_large(size));
    }
    let tags = tags::of_header(call.text("Tagging").unwrap_or_default())?;
    Ok(About {
        headers,
        metadata,
        tags,
    })
}
