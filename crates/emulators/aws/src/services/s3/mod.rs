//! S3: buckets and objects. Content is on disk; the rest is in memory.
//!
//! Not served: ACLs other than the owner's (new buckets refuse them on AWS too), object lock, encryption with
//! keys that the client sends, replication, notifications, `SELECT`, directory buckets.

mod bucket;
mod conditions;
mod content;
mod copy;
mod delete;
mod error;
mod get;
mod list;
mod list_more;
mod multipart;
mod multipart_done;
mod names;
mod put;
mod range;
mod settings;
mod store;
mod tags;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, ApiError};
use crate::call::{Call, CallCx, Service};
use crate::config::Config;
use crate::state::{Blob, Blobs};
use store::{Bucket, Buckets, Content, Object, Version, arn};

/// The state of the service.
#[derive(Debug)]
pub(crate) struct S3 {
    blobs: Blobs,
    buckets: Mutex<Buckets>,
}

/// Why an object can't be had, for services that read it for a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct S3Error {
    /// `NoSuchKey`, `AccessDenied`, `PermanentRedirect`, ...
    pub(crate) code: &'static str,
    /// What S3 says.
    pub(crate) message: String,
}

impl From<ApiError> for S3Error {
    fn from(error: ApiError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}

impl S3 {
    /// Nothing yet; content goes to `blobs`.
    pub(crate) fn new(_config: &Config, blobs: Blobs) -> Self {
        Self {
            blobs,
            buckets: Mutex::default(),
        }
    }

    /// Reads an object for a caller of another service, with the caller's permissions. A bucket of
    /// another region is refused, as that service does.
    ///
    /// # Errors
    /// S3's.
    pub(crate) fn get(
        &self,
        cx: &CallCx,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Blob, S3Error> {
        let buckets = self.lock();
        let found = buckets
            .get(bucket)
            .ok_or_else(|| error::no_such_bucket(bucket))?;
        if found.region != cx.region {
            return Err(S3Error {
                code: "PermanentRedirect",
                message: format!(
                    "The bucket is in this region: {}. Please use this region to retry the request",
                    found.region
                ),
            });
        }
        let action = match version {
            Some(_) => "s3:GetObjectVersion",
            None => "s3:GetObject",
        };
        allow(cx, found, action, Some(key))?;
        let (_, object) = find(cx, found, key, version)?;
        let blob = object.content.blob();
        blob.map_err(|error| error::disk(&error).into())
    }

    /// Offers a blob for download by presigned requests, as AWS's own services do from buckets of their
    /// own: any caller whose signature is right may get it.
    pub(crate) fn put_internal(&self, bucket: &str, region: &str, key: &str, blob: Blob, now: u64) {
        let mut buckets = self.lock();
        let bucket = buckets.entry(bucket.to_owned()).or_insert_with(|| Bucket {
            name: bucket.to_owned(),
            account: String::new(),
            region: region.to_owned(),
            created: now,
            internal: true,
            versioning: store::Versioning::Never,
            policy: None,
            tags: BTreeMap::new(),
            settings: BTreeMap::new(),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        });
        let mut about = store::About::default();
        about
            .headers
            .insert("ContentType".to_owned(), "application/zip".to_owned());
        let object = Object {
            etag: blob.sha256()[..32].to_owned(),
            content: Content::new(blob),
            checksum: None,
            parts: Vec::new(),
            about,
        };
        bucket.add(key, String::new(), now, Some(object));
    }

    /// Takes back what [`Self::put_internal`] offered.
    pub(crate) fn remove_internal(&self, bucket: &str, key: &str) {
        if let Some(bucket) = self.lock().get_mut(bucket).filter(|bucket| bucket.internal) {
            bucket.objects.remove(key);
        }
    }

    /// Every resource by its ARN, with a digest of its state.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for bucket in self.lock().values().filter(|bucket| !bucket.internal) {
            let state = json!([
                bucket.region,
                bucket.versioning,
                bucket.policy,
                bucket.tags,
                bucket.settings,
                bucket.uploads.len(),
            ]);
            all.insert(bucket.arn(), digest(&state));
            for (key, versions) in &bucket.objects {
                let state: Vec<&Option<Object>> =
                    versions.iter().map(|version| &version.object).collect();
                all.insert(arn(&bucket.name, Some(key)), digest(&json!(state)));
            }
        }
        all
    }

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        // Serialising plain data with text keys does not fail.
        serde_json::to_value(&*self.lock()).unwrap_or_default()
    }

    /// Takes what was kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn load(&self, kept: &Value) -> Result<(), String> {
        if kept.is_null() {
            return Ok(());
        }
        let mut buckets: Buckets = serde::Deserialize::deserialize(kept)
            .map_err(|error| format!("its buckets can't be read: {error}"))?;
        for bucket in buckets.values_mut() {
            bucket.attach(&self.blobs)?;
        }
        *self.lock() = buckets;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(state: &Value) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(state.to_string())[..16])
}

/// Lets a caller do `action` on a bucket, or on a key in it.
fn allow(cx: &CallCx, bucket: &Bucket, action: &str, key: Option<&str>) -> Result<(), ApiError> {
    allow_if(cx, bucket, action, key, &[])
}

/// Like [`allow`], with context keys of the request such as `s3:prefix`.
fn allow_if(
    cx: &CallCx,
    bucket: &Bucket,
    action: &str,
    key: Option<&str>,
    conditions: &[(&str, &str)],
) -> Result<(), ApiError> {
    if bucket.internal {
        return match action {
            "s3:GetObject" if !cx.caller.arn.is_empty() => Ok(()),
            _ => Err(error::access_denied()),
        };
    }
    let policy = settings::parsed_policy(bucket);
    cx.authorize_with(action, &arn(&bucket.name, key), conditions, policy.as_ref())
}

/// A version of a key that is there. Who may not list the bucket does not learn that it is not.
/// Source: S3 API reference, `GetObject`, "Permissions".
fn find<'a>(
    cx: &CallCx,
    bucket: &'a Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<(&'a Version, &'a Object), ApiError> {
    let hidden = |error: ApiError| match allow(cx, bucket, "s3:ListBucket", None) {
        Ok(()) => error,
        Err(_) => error::access_denied(),
    };
    let Some(id) = version else {
        return bucket
            .latest(key)
            .ok_or_else(|| hidden(error::no_such_key(key)));
    };
    if id.is_empty() {
        return Err(error::invalid_argument(
            "versionId",
            id,
            "Version id cannot be the empty string",
        ));
    }
    if !names::is_version_id(id) {
        return Err(error::invalid_argument(
            "versionId",
            id,
            "Invalid version id specified",
        ));
    }
    let found = bucket
        .objects
        .get(key)
        .and_then(|versions| versions.iter().find(|version| version.id == id))
        .ok_or_else(|| hidden(error::no_such_version(key, id)))?;
    let object = found
        .object
        .as_ref()
        .ok_or_else(error::method_not_allowed)?;
    Ok((found, object))
}

/// The name of the bucket that a call is about.
fn bucket_name(call: &Call) -> &str {
    call.text("Bucket").unwrap_or_default()
}

/// The key that a call is about.
fn key(call: &Call) -> &str {
    call.text("Key").unwrap_or_default()
}

/// The call's bucket: it is there, in the region of the call, and owned by whom the caller expects.
fn reached<'a>(call: &Call, buckets: &'a mut Buckets) -> Result<&'a mut Bucket, ApiError> {
    let name = bucket_name(call);
    let bucket = buckets
        .get_mut(name)
        .ok_or_else(|| error::no_such_bucket(name))?;
    // Requests without a signature say no region.
    if bucket.region != call.cx.region && !call.cx.caller.arn.is_empty() {
        return Err(error::wrong_region(&call.cx.region, &bucket.region));
    }
    expect_owner(call, "ExpectedBucketOwner", bucket)?;
    Ok(bucket)
}

/// Like [`reached`], and the caller may do `action`, on the key or on the bucket.
fn checked<'a>(
    call: &Call,
    buckets: &'a mut Buckets,
    action: &str,
    key: Option<&str>,
) -> Result<&'a mut Bucket, ApiError> {
    let bucket = reached(call, buckets)?;
    allow(&call.cx, bucket, action, key)?;
    Ok(bucket)
}

/// Does `work` on the call's bucket, as [`checked`].
fn on_bucket<T>(
    call: &Call,
    action: &str,
    key: Option<&str>,
    work: impl FnOnce(&mut Bucket) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let mut buckets = call.cx.cloud.s3.lock();
    work(checked(call, &mut buckets, action, key)?)
}

fn expect_owner(call: &Call, member: &str, bucket: &Bucket) -> Result<(), ApiError> {
    match call.text(member) {
        Some(owner) if owner != bucket.account => Err(error::access_denied()),
        _ => Ok(()),
    }
}

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.operation {
        "CreateBucket" => bucket::create(&call),
        "DeleteBucket" => bucket::delete(&call),
        "HeadBucket" => bucket::head(&call),
        "ListBuckets" => bucket::list(&call),
        "GetBucketLocation" => bucket::location(&call),
        "GetBucketVersioning" => bucket::versioning(&call),
        "PutBucketVersioning" => bucket::put_versioning(&call),
        "PutBucketPolicy" => settings::put_policy(&call),
        "GetBucketPolicy" => settings::policy(&call),
        "DeleteBucketPolicy" => settings::delete_policy(&call),
        "PutObject" => put::put(&call).await,
        "GetObject" => get::get(&call).await,
        "HeadObject" => get::head(&call),
        "GetObjectAttributes" => get::attributes(&call),
        "CopyObject" => copy::copy(&call).await,
        "DeleteObject" => delete::one(&call),
        "DeleteObjects" => delete::many(&call),
        "ListObjects" => list::first(&call),
        "ListObjectsV2" => list::second(&call),
        "ListObjectVersions" => list_more::versions(&call),
        "ListMultipartUploads" => list_more::uploads(&call),
        "CreateMultipartUpload" => multipart::create(&call),
        "UploadPart" => multipart::upload(&call).await,
        "UploadPartCopy" => multipart::upload_copy(&call).await,
        "ListParts" => multipart::parts(&call),
        "AbortMultipartUpload" => multipart::abort(&call),
        "CompleteMultipartUpload" => multipart_done::complete(&call).await,
        "PutObjectTagging" => tags::put_object(&call),
        "GetObjectTagging" => tags::object(&call),
        "DeleteObjectTagging" => tags::delete_object(&call),
        "PutBucketTagging" => tags::put_bucket(&call),
        "GetBucketTagging" => tags::bucket(&call),
        "DeleteBucketTagging" => tags::delete_bucket(&call),
        operation => settings::serve(&call)
            .unwrap_or_else(|| Err(ApiError::not_served(Service::S3, operation))),
    }
}
