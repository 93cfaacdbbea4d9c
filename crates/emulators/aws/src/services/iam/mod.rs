//! IAM: users, roles, keys and policies. Its state is [`access::Store`](crate::access::Store).
//!
//! Source: the IAM API model and reference, the service authorization reference, and the IAM quotas page. Messages
//! are those of the real IAM as its clients report them.

mod attached;
mod inline;
mod keys;
mod listing;
mod managed;
mod owner;
mod roles;
mod tags;
mod users;
mod versions;

use serde_json::Value;

use crate::access::Identity;
use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

use self::owner::Kind;

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    // Source: the reference of GetSessionToken: without MFA its credentials can't call IAM.
    if matches!(
        call.cx.caller.identity,
        Identity::User {
            temporary: true,
            ..
        }
    ) {
        let message = "The security token included in the request is invalid";
        return Err(ApiError::new("InvalidClientTokenId", message).status(403));
    }
    let answer = match call.operation {
        "CreateUser" => users::create(&call),
        "GetUser" => users::get(&call),
        "DeleteUser" => users::delete(&call),
        "ListUsers" => users::list(&call),
        "CreateAccessKey" => keys::create(&call),
        "UpdateAccessKey" => keys::update(&call),
        "DeleteAccessKey" => keys::delete(&call),
        "ListAccessKeys" => keys::list(&call),
        "CreateRole" => roles::create(&call),
        "GetRole" => roles::get(&call),
        "UpdateRole" => roles::update(&call),
        "DeleteRole" => roles::delete(&call),
        "ListRoles" => roles::list(&call),
        "UpdateAssumeRolePolicy" => roles::update_trust(&call),
        "ListInstanceProfilesForRole" => roles::instance_profiles(&call),
        "TagUser" => tags::tag(&call, Kind::User),
        "UntagUser" => tags::untag(&call, Kind::User),
        "ListUserTags" => tags::list(&call, Kind::User),
        "TagRole" => tags::tag(&call, Kind::Role),
        "UntagRole" => tags::untag(&call, Kind::Role),
        "ListRoleTags" => tags::list(&call, Kind::Role),
        "PutUserPolicy" => inline::put(&call, Kind::User),
        "GetUserPolicy" => inline::get(&call, Kind::User),
        "DeleteUserPolicy" => inline::delete(&call, Kind::User),
        "ListUserPolicies" => inline::list(&call, Kind::User),
        "PutRolePolicy" => inline::put(&call, Kind::Role),
        "GetRolePolicy" => inline::get(&call, Kind::Role),
        "DeleteRolePolicy" => inline::delete(&call, Kind::Role),
        "ListRolePolicies" => inline::list(&call, Kind::Role),
        "AttachUserPolicy" => attached::attach(&call, Kind::User),
        "DetachUserPolicy" => attached::detach(&call, Kind::User),
        "ListAttachedUserPolicies" => attached::list(&call, Kind::User),
        "AttachRolePolicy" => attached::attach(&call, Kind::Role),
        "DetachRolePolicy" => attached::detach(&call, Kind::Role),
        "ListAttachedRolePolicies" => attached::list(&call, Kind::Role),
        "ListEntitiesForPolicy" => attached::entities(&call),
        "CreatePolicy" => managed::create(&call),
        "GetPolicy" => managed::get(&call),
        "DeletePolicy" => managed::delete(&call),
        "ListPolicies" => managed::list(&call),
        "CreatePolicyVersion" => versions::create(&call),
        "GetPolicyVersion" => versions::get(&call),
        "DeletePolicyVersion" => versions::delete(&call),
        "ListPolicyVersions" => versions::list(&call),
        "SetDefaultPolicyVersion" => versions::set_default(&call),
        _ => Err(ApiError::not_served(Service::Iam, call.operation)),
    }?;
    if !["Get", "List"]
        .iter()
        .any(|reads| call.operation.starts_with(reads))
    {
        call.cx.cloud.changed();
    }
    Ok(answer)
}

/// A member that the model requires.
fn need<'a>(call: &'a Call, member: &str) -> Result<&'a str, ApiError> {
    call.text(member).ok_or_else(|| {
        validation(format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"))
    })
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message).status(400)
}

fn no_such(message: String) -> ApiError {
    ApiError::new("NoSuchEntityException", message).status(404)
}

fn exists(message: String) -> ApiError {
    ApiError::new("EntityAlreadyExistsException", message).status(409)
}

fn conflict(message: &str) -> ApiError {
    ApiError::new("DeleteConflictException", message).status(409)
}

fn over(quota: &str, limit: usize) -> ApiError {
    ApiError::new(
        "LimitExceededException",
        format!("Cannot exceed quota for {quota}: {limit}"),
    )
    .status(409)
}

fn malformed(message: String) -> ApiError {
    ApiError::new("MalformedPolicyDocumentException", message).status(400)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInputException", message).status(400)
}

fn no_randomness(error: crate::access::NoRandomness) -> ApiError {
    ApiError::internal(Service::Iam, error)
}

/// Characters of a document but for white space, which is what quotas count.
fn size(document: &str) -> usize {
    document.chars().filter(|one| !one.is_whitespace()).count()
}

/// A document as IAM returns it: percent-encoded.
fn encoded(document: &str) -> Value {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(document, KEPT)
        .to_string()
        .into()
}
