//! Copying objects. The bytes stay where they are: both objects hold them.

use serde_json::{Map, Value, json};

use super::conditions::{self, SOURCE, Verdict};
use super::content::{self, algorithm, digest, member};
use super::put::{self, LARGEST_PUT, quoted};
use super::store::{About, Object, Sum, seconds};
use super::{allow, error, expect_owner, find, key, names, on_bucket};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::sigv4::Checksum;

/// What is copied.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) object: Object,
    /// Its version, where its bucket has versions.
    pub(super) version: Option<String>,
    bucket: String,
    key: String,
}

/// Reads `x-amz-copy-source`: bucket, key and version.
fn parse(text: &str) -> Option<(String, String, Option<String>)> {
    let (path, version) = match text.rsplit_once("?versionId=") {
        Some((path, version)) => (path, Some(decode(version)?)),
        None => (text, None),
    };
    let path = decode(path)?;
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then(|| (bucket.to_owned(), key.to_owned(), version))
}

fn decode(text: &str) -> Option<String> {
    let text = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()?;
    Some(text.into_owned())
}

/// The object that `CopySource` names, if the caller may read it and its conditions hold.
pub(super) fn source(call: &Call) -> Result<Source, ApiError> {
    let text = call.text("CopySource").unwrap_or_default();
    let (name, key, version) = parse(text).ok_or_else(|| {
        error::invalid_argument(
            "x-amz-copy-source",
            text,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    })?;
    let buckets = call.cx.cloud.s3.lock();
    let bucket = buckets
        .get(&name)
        .ok_or_else(|| error::no_such_bucket(&name))?;
    expect_owner(call, "ExpectedSourceBucketOwner", bucket)?;
    let action = match version {
        Some(_) => "s3:GetObjectVersion",
        None => "s3:GetObject",
    };
    allow(&call.cx, bucket, action, Some(&key))?;
    let (found, object) = find(&call.cx, bucket, &key, version.as_deref())?;
    // Source: S3 API reference, `CopyObject`: what a read answers with 304 is 412 here.
    if conditions::read(call, SOURCE, found, object)? == Verdict::NotModified {
        return Err(error::precondition_failed(
            "x-amz-copy-source-If-None-Match",
        ));
    }
    Ok(Source {
        object: object.clone(),
        version: bucket.shown_id(found).map(str::to_owned),
        bucket: name,
        key,
    })
}

pub(super) async fn copy(call: &Call) -> Result<Answer, ApiError> {
    let key = key(call);
    names::check_key(key)?;
    let asked = put::about(call)?;
    let replaces = |directive: &str| match call.text(directive) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(error::invalid_argument(
            directive,
            other,
            "Unknown metadata directive.",
        )),
    };
    let (metadata, tagging) = (
        replaces("MetadataDirective")?,
        replaces("TaggingDirective")?,
    );
    let chosen = call.text("ChecksumAlgorithm").map(algorithm).transpose()?;
    let Source {
        mut object,
        version: from,
        bucket,
        key: from_key,
    } = source(call)?;
    if object.content.size > LARGEST_PUT {
        return Err(error::invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: \
             {LARGEST_PUT}"
        )));
    }
    let itself = bucket == super::bucket_name(call) && from_key == key && from.is_none();
    let changes = [
        "StorageClass",
        "ServerSideEncryption",
        "WebsiteRedirectLocation",
    ]
    .iter()
    .any(|member| call.get(member).is_some());
    if itself && !metadata && !changes {
        return Err(error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without \
             changing the object's metadata, storage class, website redirect location or encryption \
             attributes.",
        ));
    }
    object.about = about(object.about, asked, metadata, tagging);
    let wanted = chosen.unwrap_or_else(|| kept_algorithm(object.checksum.as_ref()));
    let has_it = object
        .checksum
        .as_ref()
        .is_some_and(|sum| !sum.composite && sum.algorithm == wanted.name());
    if !object.parts.is_empty() || !has_it {
        // What came in parts is one whole after the copy, so its tag and checksum are new.
        let blob = object.content.blob().map_err(|error| error::disk(&error))?;
        let (md5, value) = digest(blob, 0, object.content.size, wanted).await?;
        object.etag = md5;
        object.parts = Vec::new();
        object.checksum = Some(Sum {
            algorithm: wanted.name().to_owned(),
            value,
            composite: false,
        });
    }
    on_bucket(call, "s3:PutObject", Some(key), |bucket| {
        put::check(call, bucket, &object.about)?;
        let mut output = Map::new();
        put::encryption(&object.about, &mut output);
        let mut result = Map::new();
        result.insert("ETag".to_owned(), quoted(&object.etag));
        if let Some(sum) = &object.checksum {
            put::checksum(sum, &mut result);
        }
        if let Some(version) = put::place(call, bucket, key, object)? {
            output.insert("VersionId".to_owned(), version.into());
        }
        if let Some((version, _)) = bucket.latest(key) {
            result.insert("LastModified".to_owned(), seconds(version.modified));
        }
        output.insert("CopyObjectResult".to_owned(), Value::Object(result));
        if let Some(from) = from {
            output.insert("CopySourceVersionId".to_owned(), from.into());
        }
        Ok(Answer::json(Value::Object(output)))
    })
}

/// The algorithm of a copy of which none was asked: the source's.
fn kept_algorithm(sum: Option<&Sum>) -> Checksum {
    sum.and_then(|sum| algorithm(&sum.algorithm).ok())
        .unwrap_or(Checksum::Crc64Nvme)
}

/// What is said of the copy: the source's words, or the request's.
fn about(source: About, asked: About, metadata: bool, tagging: bool) -> About {
    let mut about = source;
    if metadata {
        about.headers = asked.headers.clone();
        about.metadata = asked.metadata;
    }
    // These belong to the new object and are never copied.
    // Source: S3 API reference, `CopyObject`, `x-amz-metadata-directive`.
    for own in [
        "StorageClass",
        "ServerSideEncryption",
        "SSEKMSKeyId",
        "WebsiteRedirectLocation",
    ] {
        about.headers.remove(own);
        if let Some(value) = asked.headers.get(own) {
            about.headers.insert(own.to_owned(), value.clone());
        }
    }
    if tagging {
        about.tags = asked.tags;
    }
    about
}

/// Copies a span of an object as a part.
pub(super) async fn span(
    call: &Call,
    source: &Source,
    algorithm: Checksum,
) -> Result<content::Received, ApiError> {
    let size = source.object.content.size;
    let span = match call.text("CopySourceRange") {
        Some(range) => super::range::of_copy(range, size)?,
        None => super::range::Span::all(size),
    };
    let blob = source
        .object
        .content
        .blob()
        .map_err(|error| error::disk(&error))?;
    let (md5, value) = digest(blob.clone(), span.offset, span.length, algorithm).await?;
    let content = if span.length == size {
        content::Content::new(blob)
    } else {
        content::cut(call.cx.cloud.blobs.clone(), blob, span.offset, span.length).await?
    };
    Ok(content::Received {
        content,
        md5,
        sum: Sum {
            algorithm: algorithm.name().to_owned(),
            value,
            composite: false,
        },
    })
}

/// The result of copying a part.
pub(super) fn part_result(received: &content::Received, modified: u64) -> Value {
    json!({
        "ETag": quoted(&received.md5),
        "LastModified": seconds(modified),
        member(&received.sum.algorithm): received.sum.value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_in_each_form() {
        let parsed = |text: &str| parse(text).unwrap();
        let plain = ("b".to_owned(), "k/x y".to_owned(), None);
        assert_eq!(parsed("b/k/x y"), plain);
        assert_eq!(parsed("/b/k/x%20y"), plain);
        assert_eq!(parsed("b%2Fk%2Fx%20y"), plain);
        let (_, key, version) = parsed("b/k?versionId=v1");
        assert_eq!((key.as_str(), version.as_deref()), ("k", Some("v1")));
        for text in ["", "b", "b/", "/", "//k", "b/%ff"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
