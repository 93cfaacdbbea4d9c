//! Buckets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::store::{Bucket, Versioning, arn, seconds};
use super::{allow, bucket_name, checked, error, expect_owner, names, on_bucket, tags};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Where a bucket is that names no place, and the only region in which it must not.
const FIRST_REGION: &str = "us-east-1";

/// Buckets per page of `ListBuckets`.
const PAGE: u64 = 10_000;

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let name = bucket_name(call);
    if !names::is_bucket_name(name) {
        return Err(error::invalid_bucket_name(name));
    }
    if call.get("ObjectLockEnabledForBucket") == Some(&Value::Bool(true)) {
        return Err(error::not_implemented("object lock"));
    }
    check_acl(call, &["private"])?;
    let configuration = call.get("CreateBucketConfiguration");
    let region = place(
        &call.cx.region,
        configuration
            .and_then(|configuration| configuration.get("LocationConstraint"))
            .and_then(Value::as_str)
            .filter(|place| !place.is_empty()),
    )?;
    let tags = tags::of_set(
        configuration.and_then(|all| all.get("Tags")),
        tags::OF_BUCKET,
    )?;
    call.cx
        .authorize("s3:CreateBucket", &arn(name, None), &[])?;
    let mut buckets = call.cx.cloud.s3.lock();
    if let Some(taken) = buckets.get(name) {
        if taken.account != call.cx.account {
            return Err(error::conflict(
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users \
                 of the system. Please select a different name and try again.",
                name,
            ));
        }
        // In the first region, making one's own bucket again is not an error.
        // Source: S3 API reference, `CreateBucket`, `BucketAlreadyOwnedByYou`.
        if taken.region != FIRST_REGION || region != FIRST_REGION {
            return Err(error::conflict(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                name,
            ));
        }
    } else {
        let bucket = Bucket {
            name: name.to_owned(),
            account: call.cx.account.clone(),
            region: region.to_owned(),
            created: call.cx.cloud.clock.epoch_millis(),
            internal: false,
            versioning: Versioning::Never,
            policy: None,
            tags,
            settings: super::settings::of_new_bucket(call.text("ObjectOwnership")),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        };
        buckets.insert(name.to_owned(), bucket);
    }
    Ok(Answer::json(json!({
        "Location": format!("/{name}"),
        "BucketArn": arn(name, None),
    })))
}

/// Where a new bucket is to be. The emulator's one endpoint is that of the region that signed the request.
/// Source: S3 API reference, `CreateBucket`, `LocationConstraint`.
fn place<'a>(region: &'a str, constraint: Option<&'a str>) -> Result<&'a str, ApiError> {
    match constraint {
        None if region == FIRST_REGION => Ok(region),
        None => Err(error::illegal_location(
            "The unspecified location constraint is incompatible for the region specific endpoint this \
             request was sent to.",
        )),
        // The first region has no name as a constraint.
        Some(FIRST_REGION) => Err(error::invalid_location(FIRST_REGION)),
        Some("EU") if region == "eu-west-1" => Ok("eu-west-1"),
        // The first region's endpoint is the global one, which makes buckets anywhere.
        Some(place) if region == FIRST_REGION => {
            Ok(if place == "EU" { "eu-west-1" } else { place })
        }
        Some(place) if place == region => Ok(region),
        Some(place) => Err(error::illegal_location(format!(
            "The {place} location constraint is incompatible for the region specific endpoint this \
             request was sent to."
        ))),
    }
}

/// Refuses access control lists: new buckets have none since 2023 ("bucket owner enforced").
pub(super) fn check_acl(call: &Call, fine: &[&str]) -> Result<(), ApiError> {
    let canned = call.text("ACL").is_some_and(|acl| !fine.contains(&acl));
    let grants = [
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWrite",
        "GrantWriteACP",
    ]
    .iter()
    .any(|grant| call.get(grant).is_some());
    if canned || grants {
        return Err(error::acls_not_supported());
    }
    Ok(())
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let mut buckets = call.cx.cloud.s3.lock();
    let bucket = checked(call, &mut buckets, "s3:DeleteBucket", None)?;
    if !bucket.objects.is_empty() {
        let message = match bucket.versioning {
            Versioning::Never => "The bucket you tried to delete is not empty",
            _ => {
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
            }
        };
        return Err(error::conflict("BucketNotEmpty", message, &bucket.name));
    }
    buckets.remove(bucket_name(call));
    Ok(Answer::empty())
}

pub(super) fn head(call: &Call) -> Result<Answer, ApiError> {
    let name = bucket_name(call);
    let buckets = call.cx.cloud.s3.lock();
    let bucket = buckets
        .get(name)
        .ok_or_else(|| error::no_such_bucket(name))?;
    expect_owner(call, "ExpectedBucketOwner", bucket)?;
    let region = json!({ "BucketRegion": bucket.region });
    if bucket.region != call.cx.region && !call.cx.caller.arn.is_empty() {
        // Clients learn the region from this header.
        return Ok(Answer::json(region).status(301));
    }
    allow(&call.cx, bucket, "s3:ListBucket", None)?;
    Ok(Answer::json(json!({
        "BucketRegion": bucket.region,
        "BucketArn": bucket.arn(),
        "AccessPointAlias": false,
    })))
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    call.cx
        .authorize("s3:ListAllMyBuckets", "arn:aws:s3:::*", &[])?;
    let most = match call.get("MaxBuckets").and_then(Value::as_i64) {
        None => PAGE,
        Some(most) => u64::try_from(most)
            .ok()
            .filter(|most| (1..=PAGE).contains(most))
            .ok_or_else(|| {
                error::invalid_argument(
                    "max-buckets",
                    &most.to_string(),
                    "Argument max-buckets must be an integer between 1 and 10000",
                )
            })?,
    };
    let prefix = call.text("Prefix").unwrap_or_default();
    let region = call.text("BucketRegion");
    let after = call.text("ContinuationToken").map(super::list::read_token);
    let after = after.transpose()?;
    let buckets = call.cx.cloud.s3.lock();
    let mut found = buckets.values().filter(|bucket| {
        !bucket.internal
            && bucket.account == call.cx.account
            && bucket.name.starts_with(prefix)
            && region.is_none_or(|region| region == bucket.region)
            && after
                .as_deref()
                .is_none_or(|after| bucket.name.as_str() > after)
    });
    let mut page = Vec::new();
    let mut last = None;
    for bucket in found
        .by_ref()
        .take(usize::try_from(most).unwrap_or(usize::MAX))
    {
        last = Some(&bucket.name);
        page.push(json!({
            "Name": bucket.name,
            "CreationDate": seconds(bucket.created),
            "BucketRegion": bucket.region,
            "BucketArn": bucket.arn(),
        }));
    }
    let more = found.next().is_some();
    let mut output = Map::new();
    output.insert("Buckets".to_owned(), Value::from(page));
    output.insert("Owner".to_owned(), owner(&call.cx.account));
    if let Some(last) = last.filter(|_| more) {
        output.insert(
            "ContinuationToken".to_owned(),
            super::list::token(last).into(),
        );
    }
    if !prefix.is_empty() {
        output.insert("Prefix".to_owned(), prefix.into());
    }
    Ok(Answer::json(Value::Object(output)))
}

/// The canonical user of an account. *Guessed*: AWS's are not derived from anything public.
pub(super) fn owner(account: &str) -> Value {
    use sha2::{Digest as _, Sha256};
    let id = data_encoding::HEXLOWER.encode(&Sha256::digest(account));
    json!({ "ID": id })
}

pub(super) fn location(call: &Call) -> Result<Answer, ApiError> {
    let name = bucket_name(call);
    let buckets = call.cx.cloud.s3.lock();
    let bucket = buckets
        .get(name)
        .ok_or_else(|| error::no_such_bucket(name))?;
    expect_owner(call, "ExpectedBucketOwner", bucket)?;
    allow(&call.cx, bucket, "s3:GetBucketLocation", None)?;
    Ok(if bucket.region == FIRST_REGION {
        Answer::empty()
    } else {
        Answer::json(json!({ "LocationConstraint": bucket.region }))
    })
}

pub(super) fn versioning(call: &Call) -> Result<Answer, ApiError> {
    on_bucket(call, "s3:GetBucketVersioning", None, |bucket| {
        Ok(match bucket.versioning.status() {
            None => Answer::empty(),
            Some(status) => Answer::json(json!({ "Status": status })),
        })
    })
}

pub(super) fn put_versioning(call: &Call) -> Result<Answer, ApiError> {
    let wanted = call.get("VersioningConfiguration");
    let member = |name: &str| wanted.and_then(|all| all.get(name)).and_then(Value::as_str);
    let versioning = match member("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(error::malformed_xml()),
    };
    if member("MFADelete") == Some("Enabled") {
        return Err(error::not_implemented("MFA delete"));
    }
    on_bucket(call, "s3:PutBucketVersioning", None, |bucket| {
        bucket.versioning = versioning;
        Ok(Answer::empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_placed_as_the_endpoint_allows() {
        assert_eq!(place("us-east-1", None).unwrap(), "us-east-1");
        assert_eq!(place("eu-west-1", Some("eu-west-1")).unwrap(), "eu-west-1");
        assert_eq!(place("eu-west-1", Some("EU")).unwrap(), "eu-west-1");
        assert_eq!(place("us-east-1", Some("eu-west-1")).unwrap(), "eu-west-1");
        let code = |region, constraint| place(region, constraint).unwrap_err().code;
        assert_eq!(
            code("eu-west-1", None),
            "IllegalLocationConstraintException"
        );
        assert_eq!(
            code("eu-west-1", Some("eu-central-1")),
            "IllegalLocationConstraintException"
        );
        assert_eq!(
            code("us-east-1", Some("us-east-1")),
            "InvalidLocationConstraint"
        );
    }
}
