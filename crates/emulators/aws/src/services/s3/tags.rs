//! Tags of objects and buckets.
//!
//! Source: S3 user guide, "Categorizing your objects using tags" and "Using cost allocation S3 bucket tags".

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::store::{Bucket, Object};
use super::{error, find, key, on_bucket};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

type Tags = BTreeMap<String, String>;

/// Tags of an object.
const OF_OBJECT: usize = 10;

/// Tags of a bucket.
pub(super) const OF_BUCKET: usize = 50;

const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

fn add(tags: &mut Tags, key: String, value: String) -> Result<(), ApiError> {
    let is_fine = |text: &str| {
        text.chars()
            .all(|one| one.is_alphanumeric() || one.is_whitespace() || "+-=._:/@".contains(one))
    };
    if key.is_empty() || key.chars().count() > LONGEST_KEY || !is_fine(&key) {
        return Err(
            error::invalid_tag("The TagKey you have provided is invalid").with("TagKey", key),
        );
    }
    if value.chars().count() > LONGEST_VALUE || !is_fine(&value) {
        return Err(
            error::invalid_tag("The TagValue you have provided is invalid").with("TagValue", value),
        );
    }
    if key.starts_with("aws:") {
        return Err(
            error::invalid_tag("System tags cannot be added/updated by requester")
                .with("TagKey", key),
        );
    }
    if tags.insert(key.clone(), value).is_some() {
        return Err(
            error::invalid_tag("Cannot provide multiple Tags with the same key")
                .with("TagKey", key),
        );
    }
    Ok(())
}

fn bounded(tags: Tags, most: usize) -> Result<Tags, ApiError> {
    if tags.len() > most {
        let what = if most == OF_OBJECT {
            "Object"
        } else {
            "Bucket"
        };
        return Err(error::bad_request(format!(
            "{what} tags cannot be greater than {most}"
        )));
    }
    Ok(tags)
}

/// Reads `x-amz-tagging`: a query string.
pub(super) fn of_header(header: &str) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| {
                error::invalid_argument(
                    "x-amz-tagging",
                    header,
                    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query \
                     parameters without tag name duplicates.",
                )
            })
    };
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        add(&mut tags, decode(key)?, decode(value)?)?;
    }
    bounded(tags, OF_OBJECT)
}

/// Reads a `TagSet`.
pub(super) fn of_set(set: Option<&Value>, most: usize) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in set.and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| tag.get(name).and_then(Value::as_str);
        let (Some(key), Some(value)) = (text("Key"), text("Value")) else {
            return Err(error::malformed_xml());
        };
        add(&mut tags, key.to_owned(), value.to_owned())?;
    }
    bounded(tags, most)
}

fn given(call: &Call, most: usize) -> Result<Tags, ApiError> {
    of_set(call.get("Tagging").and_then(|all| all.get("TagSet")), most)
}

fn set(tags: &Tags) -> Value {
    tags.iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

/// The object whose tags are meant, and the id that is shown of its version.
fn tagged<'a>(
    call: &Call,
    bucket: &'a mut Bucket,
) -> Result<(&'a mut Object, Option<String>), ApiError> {
    let (version, _) = find(&call.cx, bucket, key(call), call.text("VersionId"))?;
    let (id, shown) = (
        version.id.clone(),
        bucket.shown_id(version).map(str::to_owned),
    );
    let object = bucket
        .objects
        .get_mut(key(call))
        .and_then(|versions| versions.iter_mut().find(|version| version.id == id))
        .and_then(|version| version.object.as_mut())
        .ok_or_else(|| error::no_such_key(key(call)))?;
    Ok((object, shown))
}

/// An action on tags of an object, or of a version of it.
fn action(call: &Call, latest: &'static str, version: &'static str) -> &'static str {
    match call.text("VersionId") {
        Some(_) => version,
        None => latest,
    }
}

fn with_version(mut output: Value, version: Option<String>) -> Answer {
    if let Some(version) = version {
        output["VersionId"] = version.into();
    }
    Answer::json(output)
}

pub(super) fn put_object(call: &Call) -> Result<Answer, ApiError> {
    let tags = given(call, OF_OBJECT)?;
    let action = action(call, "s3:PutObjectTagging", "s3:PutObjectVersionTagging");
    on_bucket(call, action, Some(key(call)), |bucket| {
        let (object, version) = tagged(call, bucket)?;
        object.about.tags = tags;
        Ok(with_version(json!({}), version))
    })
}

pub(super) fn object(call: &Call) -> Result<Answer, ApiError> {
    let action = action(call, "s3:GetObjectTagging", "s3:GetObjectVersionTagging");
    on_bucket(call, action, Some(key(call)), |bucket| {
        let (object, version) = tagged(call, bucket)?;
        Ok(with_version(
            json!({ "TagSet": set(&object.about.tags) }),
            version,
        ))
    })
}

pub(super) fn delete_object(call: &Call) -> Result<Answer, ApiError> {
    let action = action(
        call,
        "s3:DeleteObjectTagging",
        "s3:DeleteObjectVersionTagging",
    );
    on_bucket(call, action, Some(key(call)), |bucket| {
        let (object, version) = tagged(call, bucket)?;
        object.about.tags.clear();
        Ok(with_version(json!({}), version))
    })
}

pub(super) fn put_bucket(call: &Call) -> Result<Answer, ApiError> {
    let tags = given(call, OF_BUCKET)?;
    on_bucket(call, "s3:PutBucketTagging", None, |bucket| {
        bucket.tags = tags;
        Ok(Answer::empty().status(204))
    })
}

pub(super) fn bucket(call: &Call) -> Result<Answer, ApiError> {
    on_bucket(call, "s3:GetBucketTagging", None, |bucket| {
        if bucket.tags.is_empty() {
            let message = "The TagSet does not exist";
            return Err(error::no_setting("NoSuchTagSet", message, &bucket.name));
        }
        Ok(Answer::json(json!({ "TagSet": set(&bucket.tags) })))
    })
}

pub(super) fn delete_bucket(call: &Call) -> Result<Answer, ApiError> {
    // Source: service authorization reference: removing tags is putting none.
    on_bucket(call, "s3:PutBucketTagging", None, |bucket| {
        bucket.tags.clear();
        Ok(Answer::empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_tags_are_a_query_string() {
        let tags = of_header("a=1&b+c=d%20e&f").unwrap();
        let read: Vec<_> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(read, [("a", "1"), ("b c", "d e"), ("f", "")]);
        assert_eq!(of_header("a=1&a=2").unwrap_err().code, "InvalidTag");
        assert_eq!(of_header("aws:x=2").unwrap_err().code, "InvalidTag");
        assert_eq!(of_header("a=%21").unwrap_err().code, "InvalidTag");
        let many: Vec<String> = (0..11).map(|number| format!("k{number}=v")).collect();
        assert_eq!(of_header(&many.join("&")).unwrap_err().code, "BadRequest");
    }
}
