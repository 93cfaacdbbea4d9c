//! Reading objects.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use futures_util::stream;
use serde_json::{Map, Value, json};

use super::conditions::{self, READ, Verdict};
use super::content::{CHUNK, blocking, member};
use super::put::{checksum, encryption, quoted};
use super::range::{self, Span};
use super::store::{Bucket, Object, Version, seconds};
use super::{error, find, key, on_bucket};
use crate::answer::{Answer, AnswerBody, ApiError, ByteStream};
use crate::call::Call;
use crate::state::Blob;

/// Members of the request that replace headers of the answer.
const REPLACED: [(&str, &str); 6] = [
    ("ResponseCacheControl", "CacheControl"),
    ("ResponseContentDisposition", "ContentDisposition"),
    ("ResponseContentEncoding", "ContentEncoding"),
    ("ResponseContentLanguage", "ContentLanguage"),
    ("ResponseContentType", "ContentType"),
    ("ResponseExpires", "Expires"),
];

/// What is to be read.
struct Reading {
    answer: Answer,
    /// Which bytes; none where the client has them.
    bytes: Option<(Blob, Span)>,
}

pub(super) async fn get(call: &Call) -> Result<Answer, ApiError> {
    let Reading { answer, bytes } = reading(call)?;
    let Some((blob, span)) = bytes else {
        return Ok(answer);
    };
    let opened = blocking(move || {
        let open = || {
            let mut file = blob.open()?;
            file.seek(SeekFrom::Start(span.offset))?;
            let mut file = file.take(span.length);
            if span.length > CHUNK as u64 {
                return Ok(Err(file));
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(Ok(Bytes::from(bytes)))
        };
        open().map_err(|error: io::Error| error::disk(&error))
    })
    .await?;
    Ok(answer.payload(match opened {
        Ok(bytes) => AnswerBody::Bytes(bytes),
        Err(file) => AnswerBody::Stream(chunks(file), Some(span.length)),
    }))
}

/// A file as a stream that reads as it is asked, each chunk on a thread that may block.
fn chunks(file: io::Take<std::fs::File>) -> ByteStream {
    Box::pin(stream::try_unfold(file, |mut file| async {
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; CHUNK];
            let read = file.read(&mut buffer)?;
            buffer.truncate(read);
            io::Result::Ok((Bytes::from(buffer), file))
        });
        let (bytes, file) = read.await.map_err(io::Error::other)??;
        if bytes.is_empty() && file.limit() > 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok((!bytes.is_empty()).then_some((bytes, file)))
    }))
}

pub(super) fn head(call: &Call) -> Result<Answer, ApiError> {
    reading(call).map(|reading| reading.answer)
}

/// The action of a read.
fn action(call: &Call, latest: &'static str, version: &'static str) -> &'static str {
    match call.text("VersionId") {
        Some(_) => version,
        None => latest,
    }
}

fn reading(call: &Call) -> Result<Reading, ApiError> {
    let key = key(call);
    if call.get("SSECustomerAlgorithm").is_some() {
        return Err(error::invalid_request(
            "The encryption parameters are not applicable to this object.",
        ));
    }
    let action = action(call, "s3:GetObject", "s3:GetObjectVersion");
    on_bucket(call, action, Some(key), |bucket| {
        let (version, object) = find(&call.cx, bucket, key, call.text("VersionId"))?;
        let mut output = describe(bucket, version, object);
        if conditions::read(call, READ, version, object)? == Verdict::NotModified {
            output.retain(|name, _| {
                [
                    "ETag",
                    "LastModified",
                    "VersionId",
                    "CacheControl",
                    "Expires",
                ]
                .contains(&name.as_str())
            });
            return Ok(Reading {
                answer: Answer::json(Value::Object(output)).status(304),
                bytes: None,
            });
        }
        replace(call, &mut output)?;
        let (span, partial) = span(call, object, &mut output)?;
        output.insert("ContentLength".to_owned(), span.length.into());
        let whole = !partial || call.get("PartNumber").is_some() && object.parts.is_empty();
        if let Some(sum) = object.checksum.as_ref().filter(|_| {
            whole
                && call
                    .text("ChecksumMode")
                    .is_some_and(|mode| mode == "ENABLED")
        }) {
            checksum(sum, &mut output);
        }
        let mut answer = Answer::json(Value::Object(output));
        if partial {
            answer = answer.status(206);
        }
        let blob = object.content.blob().map_err(|error| error::disk(&error))?;
        Ok(Reading {
            answer,
            bytes: Some((blob, span)),
        })
    })
}

/// What the headers of an object say.
fn describe(bucket: &Bucket, version: &Version, object: &Object) -> Map<String, Value> {
    let mut output = Map::new();
    for (name, value) in &object.about.headers {
        output.insert(name.clone(), value.as_str().into());
    }
    encryption(&object.about, &mut output);
    output.insert("ETag".to_owned(), quoted(&object.etag));
    output.insert("LastModified".to_owned(), seconds(version.modified));
    output.insert("AcceptRanges".to_owned(), "bytes".into());
    output.insert("Metadata".to_owned(), json!(object.about.metadata));
    if !object.about.tags.is_empty() {
        output.insert("TagCount".to_owned(), object.about.tags.len().into());
    }
    if let Some(id) = bucket.shown_id(version) {
        output.insert("VersionId".to_owned(), id.into());
    }
    output
}

/// Replaces headers as the request asks. Source: S3 API reference, `GetObject`: only in signed requests.
fn replace(call: &Call, output: &mut Map<String, Value>) -> Result<(), ApiError> {
    for (asked, header) in REPLACED {
        let Some(value) = call.text(asked) else {
            continue;
        };
        if call.cx.caller.arn.is_empty() {
            return Err(error::invalid_request(
                "Request specific response headers cannot be used for anonymous GET requests.",
            ));
        }
        output.insert(header.to_owned(), value.into());
    }
    Ok(())
}

/// Which bytes are asked for, and whether that is a part of them.
fn span(
    call: &Call,
    object: &Object,
    output: &mut Map<String, Value>,
) -> Result<(Span, bool), ApiError> {
    let size = object.content.size;
    let number = call.get("PartNumber").and_then(Value::as_u64);
    let range = call.text("Range");
    let span = match (number, range) {
        (Some(_), Some(_)) => {
            return Err(error::invalid_request(
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        (None, None) => None,
        (None, Some(range)) => range::read(range, size)?,
        (Some(number), None) => Some(part(object, number, output)?),
    };
    let Some(span) = span else {
        return Ok((Span::all(size), false));
    };
    if span.length > 0 {
        output.insert("ContentRange".to_owned(), span.header(size).into());
    }
    Ok((span, true))
}

/// The bytes of a part. An object that came whole has one.
fn part(object: &Object, number: u64, output: &mut Map<String, Value>) -> Result<Span, ApiError> {
    if object.parts.is_empty() && number == 1 {
        return Ok(Span::all(object.content.size));
    }
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    let found =
        index.and_then(|index| Some((object.parts.get(..index)?, object.parts.get(index)?)));
    let (before, length) =
        found.ok_or_else(|| error::invalid_part_number(number, object.parts.len().max(1)))?;
    output.insert("PartsCount".to_owned(), object.parts.len().into());
    Ok(Span {
        offset: before.iter().sum(),
        length: *length,
    })
}

pub(super) fn attributes(call: &Call) -> Result<Answer, ApiError> {
    let key = key(call);
    let asked = call.get("ObjectAttributes");
    let wanted = |name: &str| match asked {
        Some(Value::Array(names)) => names.iter().any(|one| one.as_str() == Some(name)),
        // Several in one header.
        Some(Value::String(names)) => names.split(',').any(|one| one.trim() == name),
        _ => false,
    };
    let read = action(call, "s3:GetObject", "s3:GetObjectVersion");
    let own = action(
        call,
        "s3:GetObjectAttributes",
        "s3:GetObjectVersionAttributes",
    );
    on_bucket(call, read, Some(key), |bucket| {
        super::allow(&call.cx, bucket, own, Some(key))?;
        let (version, object) = find(&call.cx, bucket, key, call.text("VersionId"))?;
        let mut output = Map::new();
        output.insert("LastModified".to_owned(), seconds(version.modified));
        if let Some(id) = bucket.shown_id(version) {
            output.insert("VersionId".to_owned(), id.into());
        }
        if wanted("ETag") {
            output.insert("ETag".to_owned(), object.etag.as_str().into());
        }
        if let Some(sum) = object.checksum.as_ref().filter(|_| wanted("Checksum")) {
            let value = json!({ member(&sum.algorithm): sum.value, "ChecksumType": sum.kind() });
            output.insert("Checksum".to_owned(), value);
        }
        if wanted("ObjectParts") && !object.parts.is_empty() {
            let parts = json!({ "TotalPartsCount": object.parts.len() });
            output.insert("ObjectParts".to_owned(), parts);
        }
        if wanted("StorageClass") {
            let class = object.about.headers.get("StorageClass");
            let class = class.map_or("STANDARD", String::as_str);
            output.insert("StorageClass".to_owned(), class.into());
        }
        if wanted("ObjectSize") {
            output.insert("ObjectSize".to_owned(), object.content.size.into());
        }
        Ok(Answer::json(Value::Object(output)))
    })
}
