//! The bucket policy, and settings that are kept and given back: deploying tools write and read them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::store::Bucket;
use super::{bucket, error, on_bucket};
use crate::access::{Kind, Policy};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Bytes of a bucket policy.
const LARGEST_POLICY: usize = 20 * 1024;

/// A setting that is one member of a shape.
struct Setting {
    get: &'static str,
    put: &'static str,
    delete: &'static str,
    /// The member of the requests that put it.
    member: &'static str,
    /// The member of answers, where its own members are those of the answer.
    flat: bool,
    /// The code and the words where there is none.
    none: (&'static str, &'static str),
    /// The actions of reading and of writing.
    actions: (&'static str, &'static str),
}

const SETTINGS: [Setting; 5] = [
    Setting {
        get: "GetPublicAccessBlock",
        put: "PutPublicAccessBlock",
        delete: "DeletePublicAccessBlock",
        member: "PublicAccessBlockConfiguration",
        flat: false,
        none: (
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
        actions: (
            "s3:GetBucketPublicAccessBlock",
            "s3:PutBucketPublicAccessBlock",
        ),
    },
    Setting {
        get: "GetBucketEncryption",
        put: "PutBucketEncryption",
        delete: "DeleteBucketEncryption",
        member: "ServerSideEncryptionConfiguration",
        flat: false,
        none: (
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
        ),
        actions: (
            "s3:GetEncryptionConfiguration",
            "s3:PutEncryptionConfiguration",
        ),
    },
    Setting {
        get: "GetBucketLifecycleConfiguration",
        put: "PutBucketLifecycleConfiguration",
        delete: "DeleteBucketLifecycle",
        member: "LifecycleConfiguration",
        flat: true,
        none: (
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ),
        actions: (
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
        ),
    },
    Setting {
        get: "GetBucketOwnershipControls",
        put: "PutBucketOwnershipControls",
        delete: "DeleteBucketOwnershipControls",
        member: "OwnershipControls",
        flat: false,
        none: (
            "OwnershipControlsNotFoundError",
            "The bucket ownership controls were not found",
        ),
        actions: (
            "s3:GetBucketOwnershipControls",
            "s3:PutBucketOwnershipControls",
        ),
    },
    Setting {
        get: "GetBucketCors",
        put: "PutBucketCors",
        delete: "DeleteBucketCors",
        member: "CORSConfiguration",
        flat: true,
        none: (
            "NoSuchCORSConfiguration",
            "The CORS configuration does not exist",
        ),
        actions: ("s3:GetBucketCORS", "s3:PutBucketCORS"),
    },
];

/// What a new bucket is set to. Source: S3 user guide: since 2023 new buckets block public access, have no
/// ACLs and encrypt with keys of S3.
pub(super) fn of_new_bucket(ownership: Option<&str>) -> BTreeMap<String, Value> {
    let ownership = ownership.unwrap_or("BucketOwnerEnforced");
    [
        (
            "PublicAccessBlockConfiguration",
            json!({
                "BlockPublicAcls": true,
                "IgnorePublicAcls": true,
                "BlockPublicPolicy": true,
                "RestrictPublicBuckets": true,
            }),
        ),
        ("ServerSideEncryptionConfiguration", default_encryption()),
        (
            "OwnershipControls",
            json!({ "Rules": [{ "ObjectOwnership": ownership }] }),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn default_encryption() -> Value {
    json!({ "Rules": [{
        "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" },
        "BucketKeyEnabled": false,
    }] })
}

/// Serves an operation of a setting; `None` for other operations.
pub(super) fn serve(call: &Call) -> Option<Result<Answer, ApiError>> {
    let operation = call.operation;
    match operation {
        "GetBucketAcl" | "GetObjectAcl" => return Some(acl(call)),
        "GetBucketPolicyStatus" => return Some(policy_status(call)),
        _ => {}
    }
    // What is simply not set, as tools ask before they look closer.
    if let Some((_, action)) = EMPTY.iter().find(|(name, _)| *name == operation) {
        return Some(on_bucket(call, action, None, |_| Ok(Answer::empty())));
    }
    if let Some((_, action, code, message)) = NONE.iter().find(|(name, ..)| *name == operation) {
        return Some(on_bucket(call, action, None, |bucket| {
            Err(error::no_setting(code, message, &bucket.name))
        }));
    }
    let setting = SETTINGS
        .iter()
        .find(|one| [one.get, one.put, one.delete].contains(&operation))?;
    Some(if operation == setting.get {
        get(call, setting)
    } else if operation == setting.put {
        put(call, setting)
    } else {
        delete(call, setting)
    })
}

/// Reads of settings that can't be made here and of which none is an empty answer.
const EMPTY: [(&str, &str); 5] = [
    (
        "GetBucketNotificationConfiguration",
        "s3:GetBucketNotification",
    ),
    ("GetBucketLogging", "s3:GetBucketLogging"),
    (
        "GetBucketAccelerateConfiguration",
        "s3:GetAccelerateConfiguration",
    ),
    (
        "ListBucketAnalyticsConfigurations",
        "s3:GetAnalyticsConfiguration",
    ),
    (
        "ListBucketInventoryConfigurations",
        "s3:GetInventoryConfiguration",
    ),
];

/// Reads of settings that can't be made here and of which none is an error.
const NONE: [(&str, &str, &str, &str); 3] = [
    (
        "GetBucketWebsite",
        "s3:GetBucketWebsite",
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    (
        "GetBucketReplication",
        "s3:GetReplicationConfiguration",
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    (
        "GetObjectLockConfiguration",
        "s3:GetBucketObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
];

fn get(call: &Call, setting: &Setting) -> Result<Answer, ApiError> {
    on_bucket(call, setting.actions.0, None, |bucket| {
        let Some(value) = bucket.settings.get(setting.member) else {
            let (code, message) = setting.none;
            return Err(error::no_setting(code, message, &bucket.name));
        };
        Ok(Answer::json(if setting.flat {
            value.clone()
        } else {
            json!({ setting.member: value })
        }))
    })
}

fn put(call: &Call, setting: &Setting) -> Result<Answer, ApiError> {
    let value = call.get(setting.member).ok_or_else(error::malformed_xml)?;
    on_bucket(call, setting.actions.1, None, |bucket| {
        let member = setting.member.to_owned();
        bucket.settings.insert(member, value.clone());
        Ok(Answer::empty())
    })
}

fn delete(call: &Call, setting: &Setting) -> Result<Answer, ApiError> {
    on_bucket(call, setting.actions.1, None, |bucket| {
        bucket.settings.remove(setting.member);
        if setting.member == "ServerSideEncryptionConfiguration" {
            // Without a setting of its own, a bucket has the default again.
            bucket
                .settings
                .insert(setting.member.to_owned(), default_encryption());
        }
        Ok(Answer::empty().status(204))
    })
}

/// The one ACL there is: the owner's.
fn acl(call: &Call) -> Result<Answer, ApiError> {
    let (action, key) = match call.operation {
        "GetObjectAcl" => ("s3:GetObjectAcl", Some(super::key(call))),
        _ => ("s3:GetBucketAcl", None),
    };
    on_bucket(call, action, key, |bucket| {
        if let Some(key) = key {
            super::find(&call.cx, bucket, key, call.text("VersionId"))?;
        }
        let owner = bucket::owner(&bucket.account);
        let grantee = json!({ "ID": owner["ID"], "Type": "CanonicalUser" });
        Ok(Answer::json(json!({
            "Owner": owner,
            "Grants": [{ "Grantee": grantee, "Permission": "FULL_CONTROL" }],
        })))
    })
}

/// The bucket's policy as permissions are held against it.
pub(super) fn parsed_policy(bucket: &Bucket) -> Option<Policy> {
    Policy::parse(bucket.policy.as_deref()?, Kind::Resource).ok()
}

fn no_policy(bucket: &Bucket) -> ApiError {
    let message = "The bucket policy does not exist";
    error::no_setting("NoSuchBucketPolicy", message, &bucket.name)
}

pub(super) fn policy(call: &Call) -> Result<Answer, ApiError> {
    on_bucket(call, "s3:GetBucketPolicy", None, |bucket| {
        let policy = bucket.policy.as_deref().ok_or_else(|| no_policy(bucket))?;
        Ok(Answer::json(json!({ "Policy": policy })))
    })
}

pub(super) fn put_policy(call: &Call) -> Result<Answer, ApiError> {
    let text = match call.text("Policy") {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(&call.payload).into_owned(),
    };
    if text.len() > LARGEST_POLICY {
        return Err(
            error::malformed_policy("Policy exceeds the maximum allowed document size.")
                .with("Size", text.len()),
        );
    }
    check_policy(super::bucket_name(call), &text)?;
    on_bucket(call, "s3:PutBucketPolicy", None, |bucket| {
        let blocks = bucket
            .settings
            .get("PublicAccessBlockConfiguration")
            .and_then(|block| block.get("BlockPublicPolicy"));
        if blocks == Some(&Value::Bool(true)) && is_public(&text) {
            return Err(ApiError::new(
                "AccessDenied",
                format!(
                    "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{}\" because \
                     public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
                    call.cx.caller.arn,
                    bucket.arn(),
                ),
            )
            .status(403));
        }
        bucket.policy = Some(text);
        Ok(Answer::empty().status(204))
    })
}

pub(super) fn delete_policy(call: &Call) -> Result<Answer, ApiError> {
    on_bucket(call, "s3:DeleteBucketPolicy", None, |bucket| {
        bucket.policy = None;
        Ok(Answer::empty())
    })
}

fn policy_status(call: &Call) -> Result<Answer, ApiError> {
    on_bucket(call, "s3:GetBucketPolicyStatus", None, |bucket| {
        let policy = bucket.policy.as_deref().ok_or_else(|| no_policy(bucket))?;
        Ok(Answer::json(
            json!({ "PolicyStatus": { "IsPublic": is_public(policy) } }),
        ))
    })
}

/// One or several, as policies have it.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (one, many) = match value {
        Some(Value::Array(many)) => (None, many.as_slice()),
        one => (one, [].as_slice()),
    };
    one.into_iter().chain(many)
}

/// Holds a policy against what S3 asks beyond the grammar.
fn check_policy(bucket: &str, text: &str) -> Result<(), ApiError> {
    let not_json =
        || error::malformed_policy("Policies must be valid JSON and the first byte must be '{'");
    let policy: Value = serde_json::from_str(text).map_err(|_| not_json())?;
    let policy: &Map<String, Value> = policy.as_object().ok_or_else(not_json)?;
    let missing = |what: &str| error::malformed_policy(format!("Missing required field {what}"));
    let mut statements = each(policy.get("Statement")).peekable();
    statements.peek().ok_or_else(|| missing("Statement"))?;
    let root = super::store::arn(bucket, None);
    for statement in statements {
        for (field, or) in [
            ("Effect", "Effect"),
            ("Principal", "NotPrincipal"),
            ("Action", "NotAction"),
            ("Resource", "NotResource"),
        ] {
            if statement.get(field).or_else(|| statement.get(or)).is_none() {
                return Err(missing(field));
            }
        }
        for resource in each(statement.get("Resource")).filter_map(Value::as_str) {
            let within = resource.strip_prefix(&root);
            if !(resource == "*"
                || within.is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with('/') || rest.starts_with('*')
                }))
            {
                return Err(
                    error::malformed_policy("Policy has invalid resource").with("Detail", resource)
                );
            }
        }
        for action in each(statement.get("Action")).filter_map(Value::as_str) {
            if action != "*" && !action.to_ascii_lowercase().starts_with("s3:") {
                return Err(
                    error::malformed_policy("Policy has invalid action").with("Detail", action)
                );
            }
        }
    }
    Policy::parse(text, Kind::Resource)
        .map(drop)
        .map_err(error::malformed_policy)
}

/// Whether a policy lets anybody in without a condition.
fn is_public(text: &str) -> bool {
    Policy::parse(text, Kind::Resource).is_ok_and(|policy| policy.is_public())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(principal: &str, resource: &str) -> String {
        json!({
            "Version": "2012-10-17",
            "Statement": { "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource },
        })
        .to_string()
    }

    #[test]
    fn policies_are_about_their_own_bucket() {
        let check = |text: &str| check_policy("mine", text).map_err(|error| error.message);
        assert_eq!(check(&policy("*", "arn:aws:s3:::mine/*")), Ok(()));
        assert_eq!(
            check(&policy("*", "arn:aws:s3:::mine2/*")),
            Err("Policy has invalid resource".to_owned())
        );
        assert!(
            check("[]")
                .unwrap_err()
                .starts_with("Policies must be valid JSON")
        );
        assert_eq!(
            check("{}"),
            Err("Missing required field Statement".to_owned())
        );
    }

    #[test]
    fn public_policies_are_told_from_others() {
        assert!(is_public(&policy("*", "x")));
        assert!(!is_public(&policy("arn:aws:iam::111122223333:root", "x")));
    }
}
