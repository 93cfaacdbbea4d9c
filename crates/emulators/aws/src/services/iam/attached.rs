//! Managed policies on users and roles.

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::owner::Kind;
use super::{listing, need, no_such, over};

/// Most managed policies of a user or role. Source: the IAM quotas page, which lets the number be raised.
const MOST: usize = 10;

pub(super) fn attach(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let arn = need(call, "PolicyArn")?;
    let name = kind.authorize(call, &[("iam:PolicyARN", arn)])?;
    let mut state = call.cx.cloud.access.write();
    if kind.find(&state, name).is_some() && state.managed(arn).is_none() {
        return Err(no_such(format!(
            "Policy {arn} does not exist or is not attachable."
        )));
    }
    let entity = kind.get_mut(&mut state, name)?;
    if entity.attached.iter().any(|attached| attached == arn) {
        return Ok(Answer::empty());
    }
    if entity.attached.len() >= MOST {
        let quota = match kind {
            Kind::User => "PoliciesPerUser",
            Kind::Role => "PoliciesPerRole",
        };
        return Err(over(quota, MOST));
    }
    entity.attached.push(arn.to_owned());
    Ok(Answer::empty())
}

pub(super) fn detach(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let arn = need(call, "PolicyArn")?;
    let name = kind.authorize(call, &[("iam:PolicyARN", arn)])?;
    let mut state = call.cx.cloud.access.write();
    let entity = kind.get_mut(&mut state, name)?;
    let before = entity.attached.len();
    entity.attached.retain(|attached| attached != arn);
    if entity.attached.len() == before {
        return Err(no_such(format!("Policy {arn} was not found.")));
    }
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let name = kind.authorize(call, &[])?;
    let state = call.cx.cloud.access.read();
    let entity = kind.get(&state, name)?;
    let items = entity
        .attached
        .iter()
        .filter(|arn| listing::below(call, path_of(arn)))
        .map(|arn| {
            let policy = arn.rsplit('/').next().unwrap_or_default();
            (
                arn.clone(),
                json!({ "PolicyName": policy, "PolicyArn": arn }),
            )
        })
        .collect();
    listing::page(call, "AttachedPolicies", items)
}

/// The path in a policy's ARN, from its first slash to its last.
fn path_of(arn: &str) -> &str {
    match (arn.find('/'), arn.rfind('/')) {
        (Some(first), Some(last)) => &arn[first..=last],
        _ => "/",
    }
}

/// Serves `ListEntitiesForPolicy`: whom a policy is attached to, or whom it bounds. All are in one page.
pub(super) fn entities(call: &Call) -> Result<Answer, ApiError> {
    let arn = need(call, "PolicyArn")?;
    call.cx.authorize("iam:ListEntitiesForPolicy", arn, &[])?;
    let state = call.cx.cloud.access.read();
    if state.managed(arn).is_none() {
        return Err(no_such(format!("Policy {arn} was not found.")));
    }
    let bounds = call.text("PolicyUsageFilter") == Some("PermissionsBoundary");
    let wanted = |kind: &str| {
        call.text("EntityFilter")
            .is_none_or(|filter| filter == kind)
    };
    let uses = |entity: &crate::access::Entity| {
        let used = if bounds {
            entity.boundary.as_deref() == Some(arn)
        } else {
            entity.attached.iter().any(|attached| attached == arn)
        };
        used && listing::below(call, &entity.path)
    };
    let users: Vec<Value> = state
        .users
        .values()
        .map(|user| &user.entity)
        .filter(|entity| wanted("User") && uses(entity))
        .map(|entity| json!({ "UserName": entity.name, "UserId": entity.id }))
        .collect();
    let roles: Vec<Value> = state
        .roles
        .values()
        .map(|role| &role.entity)
        .filter(|entity| wanted("Role") && uses(entity))
        .map(|entity| json!({ "RoleName": entity.name, "RoleId": entity.id }))
        .collect();
    Ok(Answer::json(json!({
        "PolicyGroups": [],
        "PolicyUsers": users,
        "PolicyRoles": roles,
        "IsTruncated": false,
    })))
}
