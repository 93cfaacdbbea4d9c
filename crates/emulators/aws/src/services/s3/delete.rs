//! Deleting objects.

use serde_json::{Map, Value, json};

use super::store::{Bucket, Versioning};
use super::{allow, conditions, error, key, names, on_bucket};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Keys per request.
const MOST: usize = 1000;

/// What deleting did.
#[derive(Debug, Default)]
struct Deleted {
    /// The version that was removed, or the marker that was made.
    version: Option<String>,
    /// Whether that is a delete marker.
    marker: bool,
}

fn action(version: Option<&str>) -> &'static str {
    match version {
        Some(_) => "s3:DeleteObjectVersion",
        None => "s3:DeleteObject",
    }
}

pub(super) fn one(call: &Call) -> Result<Answer, ApiError> {
    let key = key(call);
    let version = call.text("VersionId");
    for condition in ["IfMatchLastModifiedTime", "IfMatchSize"] {
        if call.get(condition).is_some() {
            return Err(error::not_implemented("a condition of directory buckets"));
        }
    }
    on_bucket(call, action(version), Some(key), |bucket| {
        let current = bucket.latest(key).map(|(_, object)| object.etag.as_str());
        conditions::write(call, key, current)?;
        let deleted = delete(call, bucket, key, version)?;
        let mut output = Map::new();
        if deleted.marker {
            output.insert("DeleteMarker".to_owned(), true.into());
        }
        if let Some(version) = deleted.version {
            output.insert("VersionId".to_owned(), version.into());
        }
        Ok(Answer::json(Value::Object(output)))
    })
}

fn delete(
    call: &Call,
    bucket: &mut Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<Deleted, ApiError> {
    let Some(id) = version else {
        if bucket.versioning == Versioning::Never {
            bucket.objects.remove(key);
            return Ok(Deleted::default());
        }
        let now = call.cx.cloud.clock.epoch_millis();
        let version = bucket.add(key, names::fresh_id()?, now, None);
        return Ok(Deleted {
            version,
            marker: true,
        });
    };
    if !names::is_version_id(id) {
        return Err(error::invalid_argument(
            "versionId",
            id,
            "Invalid version id specified",
        ));
    }
    let mut deleted = Deleted {
        version: Some(id.to_owned()),
        marker: false,
    };
    if let Some(versions) = bucket.objects.get_mut(key) {
        deleted.marker = versions
            .iter()
            .any(|version| version.id == id && version.object.is_none());
        versions.retain(|version| version.id != id);
        if versions.is_empty() {
            bucket.objects.remove(key);
        }
    }
    Ok(deleted)
}

pub(super) fn many(call: &Call) -> Result<Answer, ApiError> {
    let wanted = call.get("Delete");
    let objects = wanted
        .and_then(|all| all.get("Objects"))
        .and_then(Value::as_array)
        .filter(|objects| (1..=MOST).contains(&objects.len()))
        .ok_or_else(error::malformed_xml)?;
    let quiet = wanted.and_then(|all| all.get("Quiet")) == Some(&Value::Bool(true));
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    // Each key is allowed or not by itself; that the bucket may be named at all is not asked.
    let mut buckets = call.cx.cloud.s3.lock();
    let bucket = super::reached(call, &mut buckets)?;
    for object in objects {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let key = text("Key").ok_or_else(error::malformed_xml)?;
        let version = text("VersionId");
        let result = allow(&call.cx, bucket, action(version), Some(key))
            .and_then(|()| matches(bucket, key, text("ETag")))
            .and_then(|()| delete(call, bucket, key, version));
        match result {
            Ok(_) if quiet => {}
            Ok(deleted) => done.push(entry(key, version, deleted)),
            Err(error) => {
                let mut entry = json!({ "Key": key, "Code": error.code, "Message": error.message });
                if let Some(version) = version {
                    entry["VersionId"] = version.into();
                }
                failed.push(entry);
            }
        }
    }
    Ok(Answer::json(json!({ "Deleted": done, "Errors": failed })))
}

fn matches(bucket: &Bucket, key: &str, etag: Option<&str>) -> Result<(), ApiError> {
    let Some(etag) = etag else { return Ok(()) };
    match bucket.latest(key) {
        None => Err(error::no_such_key(key)),
        Some((_, object)) if etag == "*" || etag.trim_matches('"') == object.etag => Ok(()),
        Some(_) => Err(error::precondition_failed("If-Match")),
    }
}

fn entry(key: &str, asked: Option<&str>, deleted: Deleted) -> Value {
    let mut entry = json!({ "Key": key });
    if let Some(asked) = asked {
        entry["VersionId"] = asked.into();
    }
    if deleted.marker {
        entry["DeleteMarker"] = true.into();
        entry["DeleteMarkerVersionId"] = deleted.version.into();
    }
    entry
}
