//! Uploads in parts, until they are complete.

use serde_json::{Map, Value, json};

use super::content::{Asked, Received, algorithm, member, receive};
use super::put::{LARGEST_PUT, about, encryption, quoted};
use super::store::{Bucket, Part, Upload, seconds};
use super::{bucket, copy, error, key, names, on_bucket};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::sigv4::Checksum;

/// Parts of an upload.
const MOST_PARTS: u64 = 10_000;

/// Parts per page.
const PAGE: u64 = 1000;

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let key = key(call);
    names::check_key(key)?;
    let about = about(call)?;
    let chosen = call.text("ChecksumAlgorithm").map(algorithm).transpose()?;
    let made = chosen.unwrap_or(Checksum::Crc64Nvme);
    let composite = composite(made, call.text("ChecksumType"))?;
    let id = format!("{}{}", names::fresh_id()?, names::fresh_id()?);
    let upload = Upload {
        key: key.to_owned(),
        initiated: call.cx.cloud.clock.epoch_millis(),
        about,
        algorithm: made.name().to_owned(),
        composite,
        chosen: chosen.is_some(),
        parts: Default::default(),
    };
    let mut output = Map::new();
    encryption(&upload.about, &mut output);
    output.insert("Bucket".to_owned(), super::bucket_name(call).into());
    output.insert("Key".to_owned(), key.into());
    output.insert("UploadId".to_owned(), id.as_str().into());
    if upload.chosen {
        output.insert("ChecksumAlgorithm".to_owned(), made.name().into());
        output.insert("ChecksumType".to_owned(), upload.kind().into());
    }
    on_bucket(call, "s3:PutObject", Some(key), |bucket| {
        if !upload.about.tags.is_empty() {
            super::allow(&call.cx, bucket, "s3:PutObjectTagging", Some(key))?;
        }
        bucket.uploads.insert(id, upload);
        Ok(Answer::json(Value::Object(output)))
    })
}

/// Whether the checksum is made of those of the parts.
/// Source: S3 user guide, "Checking object integrity", "Checksum types for multipart uploads".
fn composite(algorithm: Checksum, kind: Option<&str>) -> Result<bool, ApiError> {
    let whole_only = algorithm == Checksum::Crc64Nvme;
    let parts_only = matches!(algorithm, Checksum::Sha1 | Checksum::Sha256);
    match kind {
        None => Ok(!whole_only),
        Some("COMPOSITE") if !whole_only => Ok(true),
        Some("FULL_OBJECT") if !parts_only => Ok(false),
        Some(kind) => Err(error::invalid_request(format!(
            "The {kind} checksum type cannot be used with the {} checksum algorithm.",
            algorithm.name().to_ascii_lowercase()
        ))),
    }
}

/// The call's upload of the call's key.
pub(super) fn find<'a>(call: &Call, bucket: &'a mut Bucket) -> Result<&'a mut Upload, ApiError> {
    let id = call.text("UploadId").unwrap_or_default();
    bucket
        .uploads
        .get_mut(id)
        .filter(|upload| upload.key == key(call))
        .ok_or_else(|| error::no_such_upload(id))
}

fn part_number(call: &Call) -> Result<u64, ApiError> {
    let number = call
        .get("PartNumber")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    u64::try_from(number)
        .ok()
        .filter(|number| (1..=MOST_PARTS).contains(number))
        .ok_or_else(|| {
            error::invalid_argument(
                "partNumber",
                &number.to_string(),
                format!("Part number must be an integer between 1 and {MOST_PARTS}, inclusive"),
            )
        })
}

/// The algorithm that an upload's parts have, and whether the client chose it.
fn of_upload(call: &Call) -> Result<(Checksum, bool), ApiError> {
    on_bucket(call, "s3:PutObject", Some(key(call)), |bucket| {
        let upload = find(call, bucket)?;
        Ok((algorithm(&upload.algorithm)?, upload.chosen))
    })
}

/// Keeps a part; a later one of the same number replaces it.
fn keep(call: &Call, number: u64, received: Received) -> Result<u64, ApiError> {
    let modified = call.cx.cloud.clock.epoch_millis();
    on_bucket(call, "s3:PutObject", Some(key(call)), |bucket| {
        let part = Part {
            content: received.content,
            etag: received.md5,
            modified,
            checksum: received.sum,
        };
        find(call, bucket)?.parts.insert(number, part);
        Ok(modified)
    })
}

pub(super) async fn upload(call: &Call) -> Result<Answer, ApiError> {
    let number = part_number(call)?;
    let size = call.payload.len() as u64;
    if size > LARGEST_PUT {
        return Err(error::entity_too_large(size, LARGEST_PUT));
    }
    let (algorithm, chosen) = of_upload(call)?;
    let asked = Asked::of(call, Some(algorithm))?;
    if chosen && asked.algorithm != algorithm {
        return Err(error::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            algorithm.name().to_ascii_lowercase(),
            asked.algorithm.name().to_ascii_lowercase(),
        )));
    }
    let received = receive(call, asked).await?;
    let mut output = Map::new();
    output.insert("ETag".to_owned(), quoted(&received.md5));
    output.insert("ServerSideEncryption".to_owned(), "AES256".into());
    output.insert(
        member(&received.sum.algorithm),
        received.sum.value.as_str().into(),
    );
    keep(call, number, received)?;
    Ok(Answer::json(Value::Object(output)))
}

pub(super) async fn upload_copy(call: &Call) -> Result<Answer, ApiError> {
    let number = part_number(call)?;
    let (algorithm, _) = of_upload(call)?;
    let source = copy::source(call)?;
    let received = copy::span(call, &source, algorithm).await?;
    let mut result = copy::part_result(&received, 0);
    let modified = keep(call, number, received)?;
    result["LastModified"] = seconds(modified);
    let mut output = Map::new();
    output.insert("CopyPartResult".to_owned(), result);
    output.insert("ServerSideEncryption".to_owned(), "AES256".into());
    if let Some(version) = source.version {
        output.insert("CopySourceVersionId".to_owned(), version.into());
    }
    Ok(Answer::json(Value::Object(output)))
}

pub(super) fn abort(call: &Call) -> Result<Answer, ApiError> {
    on_bucket(call, "s3:AbortMultipartUpload", Some(key(call)), |bucket| {
        find(call, bucket)?;
        let id = call.text("UploadId").unwrap_or_default();
        bucket.uploads.remove(id);
        Ok(Answer::empty())
    })
}

pub(super) fn parts(call: &Call) -> Result<Answer, ApiError> {
    let number = |member: &str| call.get(member).and_then(Value::as_u64);
    let most = number("MaxParts").unwrap_or(PAGE).min(PAGE);
    // The model has this marker as text.
    let after = match call.text("PartNumberMarker") {
        Some(text) => text.parse().unwrap_or_default(),
        None => number("PartNumberMarker").unwrap_or_default(),
    };
    on_bucket(
        call,
        "s3:ListMultipartUploadParts",
        Some(key(call)),
        |bucket| {
            let owner = bucket::owner(&bucket.account);
            let upload = find(call, bucket)?;
            let mut found = upload.parts.range(after + 1..);
            let page: Vec<_> = found
                .by_ref()
                .take(usize::try_from(most).unwrap_or(usize::MAX))
                .collect();
            let truncated = most > 0 && found.next().is_some();
            let last = page.last().map_or(0, |(number, _)| **number);
            let shown = page.iter().map(|(number, part)| {
                let mut shown = json!({
                    "PartNumber": number,
                    "LastModified": seconds(part.modified),
                    "ETag": quoted(&part.etag),
                    "Size": part.content.size,
                });
                if upload.chosen {
                    shown[member(&part.checksum.algorithm)] = part.checksum.value.as_str().into();
                }
                shown
            });
            let mut output = json!({
                "Bucket": super::bucket_name(call),
                "Key": upload.key,
                "UploadId": call.text("UploadId"),
                "PartNumberMarker": after,
                "NextPartNumberMarker": last,
                "MaxParts": most,
                "IsTruncated": truncated,
                "Parts": shown.collect::<Vec<_>>(),
                "Initiator": owner,
                "Owner": owner,
                "StorageClass": upload.class(),
            });
            if upload.chosen {
                output["ChecksumAlgorithm"] = upload.algorithm.as_str().into();
                output["ChecksumType"] = upload.kind().into();
            }
            Ok(Answer::json(output))
        },
    )
}
