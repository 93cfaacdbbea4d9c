//! STS: who one is, and temporary credentials.
//!
//! Source: the STS API model and reference, and the IAM user guide on roles. Messages are those of the real STS as its
//! clients report them.

mod assume;

use serde_json::{Value, json};

use crate::access::{Grant, Identity};
use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.operation {
        "GetCallerIdentity" => Ok(caller_identity(&call)),
        "GetSessionToken" => session_token(&call),
        "AssumeRole" => assume::role(&call),
        _ => Err(ApiError::not_served(Service::Sts, call.operation)),
    }
}

/// Needs no permission, and can't be denied.
fn caller_identity(call: &Call) -> Answer {
    let caller = &call.cx.caller;
    Answer::json(json!({
        "UserId": caller.user_id,
        "Account": caller.account,
        "Arn": caller.arn,
    }))
}

/// Needs no permission, but the credentials of a user.
fn session_token(call: &Call) -> Result<Answer, ApiError> {
    let name = match &call.cx.caller.identity {
        Identity::User {
            name,
            temporary: false,
        } => name,
        _ => {
            let message = "Cannot call GetSessionToken with session credentials";
            return Err(ApiError::new("AccessDenied", message).status(403));
        }
    };
    if call.text("SerialNumber").is_some() || call.text("TokenCode").is_some() {
        // Nobody has a device here, so no code can be right.
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
        return Err(ApiError::new("AccessDenied", message).status(403));
    }
    let access = &call.cx.cloud.access;
    let user = access.read().users.get(name).cloned();
    let user = user.ok_or_else(|| ApiError::internal(Service::Sts, "the caller is gone"))?;
    let seconds = duration(call).unwrap_or(43_200);
    let grant = access
        .open_user_session(&user.entity, seconds)
        .map_err(|error| ApiError::internal(Service::Sts, error))?;
    call.cx.cloud.changed();
    Ok(Answer::json(json!({ "Credentials": shown(&grant) })))
}

fn duration(call: &Call) -> Option<i64> {
    call.get("DurationSeconds").and_then(Value::as_i64)
}

fn shown(grant: &Grant) -> Value {
    json!({
        "AccessKeyId": grant.credentials.access_key,
        "SecretAccessKey": grant.credentials.secret_key,
        "SessionToken": grant.credentials.session_token,
        "Expiration": grant.expires,
    })
}
