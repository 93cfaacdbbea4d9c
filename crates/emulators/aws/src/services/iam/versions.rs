//! Versions of managed policies.

use serde_json::{Value, json};

use crate::access::managed as vendor;
use crate::access::{Managed, PolicyVersion};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::managed::{absent, authorize, document};
use super::{conflict, encoded, listing, need, no_such};

/// Most versions of a policy. Source: the IAM quotas page.
const MOST: usize = 5;

fn shown(policy: &Managed, number: u32, version: &PolicyVersion) -> Value {
    json!({
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": number == policy.default,
        "CreateDate": version.created,
    })
}

/// The number in `v2`; none that there is when it is no such text.
fn number(call: &Call) -> Result<u32, ApiError> {
    let text = need(call, "VersionId")?;
    let number = text
        .strip_prefix('v')
        .and_then(|digits| digits.parse().ok());
    Ok(number.unwrap_or(0))
}

fn no_version(arn: &str, call: &Call) -> ApiError {
    let version = call.text("VersionId").unwrap_or_default();
    no_such(format!(
        "Policy {arn} version {version} does not exist or is not attachable."
    ))
}

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let access = &call.cx.cloud.access;
    let document = document(need(call, "PolicyDocument")?)?;
    let created = access.now();
    let mut state = access.write();
    let policy = state.policies.get_mut(arn).ok_or_else(|| absent(arn))?;
    if policy.versions.len() >= MOST {
        let message = format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an existing version."
        );
        return Err(ApiError::new("LimitExceededException", message).status(409));
    }
    let number = policy.next;
    policy.next += 1;
    policy.updated = created;
    policy
        .versions
        .insert(number, PolicyVersion { document, created });
    if call.get("SetAsDefault") == Some(&Value::Bool(true)) {
        policy.default = number;
    }
    let version = shown(policy, number, &policy.versions[&number]);
    Ok(Answer::json(json!({ "PolicyVersion": version })))
}

pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let state = call.cx.cloud.access.read();
    let (mut output, text) = match (state.policies.get(arn), vendor::find(arn)) {
        (Some(policy), _) => {
            let number = number(call)?;
            let version = policy.versions.get(&number);
            let version = version.ok_or_else(|| no_version(arn, call))?;
            (shown(policy, number, version), &version.document.text)
        }
        (None, Some(policy)) if call.text("VersionId") == Some(policy.version) => {
            let output = json!({
                "VersionId": policy.version,
                "IsDefaultVersion": true,
                "CreateDate": policy.created,
            });
            (output, &policy.document.text)
        }
        (None, Some(_)) => return Err(no_version(arn, call)),
        (None, None) => return Err(absent(arn)),
    };
    output["Document"] = encoded(text);
    Ok(Answer::json(json!({ "PolicyVersion": output })))
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let state = call.cx.cloud.access.read();
    let items = match (state.policies.get(arn), vendor::find(arn)) {
        (Some(policy), _) => policy
            .versions
            .iter()
            .map(|(number, version)| {
                // Newest first; numbers have at most ten digits.
                let key = format!("{:010}", u32::MAX - number);
                (key, shown(policy, *number, version))
            })
            .collect(),
        (None, Some(policy)) => {
            let shown = json!({
                "VersionId": policy.version,
                "IsDefaultVersion": true,
                "CreateDate": policy.created,
            });
            vec![(policy.version.to_owned(), shown)]
        }
        (None, None) => return Err(absent(arn)),
    };
    listing::page(call, "Versions", items)
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let number = number(call)?;
    let mut state = call.cx.cloud.access.write();
    let policy = state.policies.get_mut(arn).ok_or_else(|| absent(arn))?;
    if number == policy.default {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    match policy.versions.remove(&number) {
        Some(_) => Ok(Answer::empty()),
        None => Err(no_version(arn, call)),
    }
}

pub(super) fn set_default(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let number = number(call)?;
    let access = &call.cx.cloud.access;
    let updated = access.now();
    let mut state = access.write();
    let policy = state.policies.get_mut(arn).ok_or_else(|| absent(arn))?;
    if !policy.versions.contains_key(&number) {
        return Err(no_version(arn, call));
    }
    policy.default = number;
    policy.updated = updated;
    Ok(Answer::empty())
}
