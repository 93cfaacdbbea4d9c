//! Making one object of the parts of an upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

use super::content::{algorithm, given, join, member};
use super::put::{checksum, encryption, place, quoted};
use super::store::{Object, Part, Sum, Upload};
use super::{conditions, error, key, multipart, on_bucket};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::sigv4::Checksum;

/// Bytes of every part but the last.
const SMALLEST_PART: u64 = 5 << 20;

/// Bytes of an object. Source: S3 user guide, "Amazon S3 multipart upload limits".
const LARGEST_OBJECT: u64 = 50 << 40;

/// The parts that are to become the object, in order.
struct Chosen {
    parts: Vec<Part>,
    algorithm: Checksum,
    composite: bool,
}

pub(super) async fn complete(call: &Call) -> Result<Answer, ApiError> {
    let key = key(call);
    let Chosen {
        parts,
        algorithm,
        composite,
    } = on_bucket(call, "s3:PutObject", Some(key), |bucket| {
        let current = bucket.latest(key).map(|(_, object)| object.etag.clone());
        let chosen = choose(call, multipart::find(call, bucket)?)?;
        conditions::write(call, key, current.as_deref())?;
        Ok(chosen)
    })?;
    let sizes: Vec<u64> = parts.iter().map(|part| part.content.size).collect();
    let size: u64 = sizes.iter().sum();
    if size > LARGEST_OBJECT {
        return Err(error::entity_too_large(size, LARGEST_OBJECT));
    }
    let said = call.get("MpuObjectSize").and_then(Value::as_u64);
    if said.is_some_and(|said| said != size) {
        return Err(error::invalid_request(
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        ));
    }
    let etag = etag(&parts)?;
    let blobs = parts.iter().map(|part| part.content.blob());
    let blobs = blobs
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error::disk(&error))?;
    let whole = (!composite).then_some(algorithm);
    let (content, value) = join(call.cx.cloud.blobs.clone(), blobs, whole).await?;
    let value = match value {
        Some(value) => value,
        None => of_parts(algorithm, &parts)?,
    };
    if let Some((algorithm, said)) = given(call)?
        && said != value
    {
        return Err(error::bad_digest(algorithm.name()));
    }
    let sum = Sum {
        algorithm: algorithm.name().to_owned(),
        value,
        composite,
    };
    on_bucket(call, "s3:PutObject", Some(key), |bucket| {
        let about = multipart::find(call, bucket)?.about.clone();
        let mut output = Map::new();
        encryption(&about, &mut output);
        checksum(&sum, &mut output);
        output.insert("Bucket".to_owned(), bucket.name.as_str().into());
        output.insert("Key".to_owned(), key.into());
        output.insert("ETag".to_owned(), quoted(&etag));
        let endpoint = &call.cx.cloud.endpoint;
        let location = format!("{endpoint}/{}/{key}", bucket.name);
        output.insert("Location".to_owned(), location.into());
        let object = Object {
            content,
            etag,
            checksum: Some(sum),
            parts: sizes,
            about,
        };
        if let Some(version) = place(call, bucket, key, object)? {
            output.insert("VersionId".to_owned(), version.into());
        }
        bucket
            .uploads
            .remove(call.text("UploadId").unwrap_or_default());
        Ok(Answer::json(Value::Object(output)))
    })
}

/// Holds the list of parts against what was uploaded.
fn choose(call: &Call, upload: &Upload) -> Result<Chosen, ApiError> {
    let id = call.text("UploadId").unwrap_or_default();
    let wanted = call
        .get("MultipartUpload")
        .and_then(|list| list.get("Parts"))
        .and_then(Value::as_array)
        .filter(|parts| !parts.is_empty())
        .ok_or_else(error::malformed_xml)?;
    if call
        .text("ChecksumType")
        .is_some_and(|kind| kind != upload.kind())
    {
        return Err(error::invalid_request(
            "The upload was created with another checksum type than the complete request says.",
        ));
    }
    let number = |one: &Value| one.get("PartNumber").and_then(Value::as_u64);
    if !wanted
        .iter()
        .map(number)
        .is_sorted_by(|one, next| one < next)
    {
        return Err(error::invalid_part_order(id));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(wanted.len());
    for (index, one) in wanted.iter().enumerate() {
        let number = number(one).ok_or_else(error::malformed_xml)?;
        let etag = one.get("ETag").and_then(Value::as_str).unwrap_or_default();
        let sum = one.get(member(&upload.algorithm)).and_then(Value::as_str);
        let part = upload
            .parts
            .get(&number)
            .filter(|part| part.etag == etag.trim_matches('"'))
            .filter(|part| sum.is_none_or(|sum| sum == part.checksum.value))
            .ok_or_else(|| error::invalid_part(id, number))?;
        if index + 1 < wanted.len() && part.content.size < SMALLEST_PART {
            return Err(error::entity_too_small(
                part.content.size,
                SMALLEST_PART,
                number,
                &part.etag,
            ));
        }
        parts.push(part.clone());
    }
    Ok(Chosen {
        parts,
        algorithm: algorithm(&upload.algorithm)?,
        composite: upload.composite,
    })
}

/// The MD5 of the parts' MD5s, and their number.
fn etag(parts: &[Part]) -> Result<String, ApiError> {
    let mut md5 = Md5::new();
    for part in parts {
        let one = HEXLOWER
            .decode(part.etag.as_bytes())
            .map_err(inconsistent)?;
        md5.update(one);
    }
    Ok(format!(
        "{}-{}",
        HEXLOWER.encode(&md5.finalize()),
        parts.len()
    ))
}

/// The checksum of the parts' checksums, and their number.
fn of_parts(algorithm: Checksum, parts: &[Part]) -> Result<String, ApiError> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(
            STANDARD
                .decode(&part.checksum.value)
                .map_err(inconsistent)?,
        );
    }
    Ok(format!("{}-{}", algorithm.text_of(&all), parts.len()))
}

fn inconsistent(_: impl std::error::Error) -> ApiError {
    ApiError::internal(
        crate::call::Service::S3,
        "the digest of a part can't be read",
    )
}
