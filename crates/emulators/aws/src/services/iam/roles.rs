//! Roles.

use serde_json::{Map, Value, json};

use crate::access::{Role, State, Trust};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::owner::{Kind, check_free};
use super::users::{add_details, new_entity, shown};
use super::{encoded, exists, listing, malformed, need, over, size};

/// Most roles of an account, and most characters of a trust policy. Source: the IAM quotas page.
const MOST: usize = 1000;
const TRUST: usize = 2048;

/// Reads a trust policy; users and roles of this account that it names must be there.
fn trust(call: &Call, text: &str) -> Result<Trust, ApiError> {
    let trust = Trust::read(text).map_err(malformed)?;
    if size(text) > TRUST {
        return Err(over("ACLSizePerRole", TRUST));
    }
    let access = &call.cx.cloud.access;
    let ours = format!("arn:aws:iam::{}:", access.account());
    let state = access.read();
    let unknown = trust
        .policy
        .principal_arns()
        .find(|arn| arn.starts_with(&ours) && !state.entities().any(|entity| entity.arn == *arn));
    match unknown {
        Some(arn) => Err(malformed(format!(
            "Invalid principal in policy: \"AWS\":\"{arn}\""
        ))),
        None => Ok(trust),
    }
}

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let entity = new_entity(call, Kind::Role)?;
    let trust = trust(call, need(call, "AssumeRolePolicyDocument")?)?;
    let access = &call.cx.cloud.access;
    let role = Role {
        entity,
        description: call.text("Description").map(str::to_owned),
        max_session: seconds(call).unwrap_or(3600),
        trust,
        usable_from: access.usable_from(),
        last_used: None,
    };
    let mut state = access.write();
    let name = role.entity.name.clone();
    let taken = |known: &String| known.eq_ignore_ascii_case(&name);
    if state.roles.keys().any(taken) {
        return Err(exists(format!("Role with name {name} already exists.")));
    }
    if state.roles.len() >= MOST {
        return Err(over("RolesPerAccount", MOST));
    }
    let answer = json!({ "Role": detailed(&role) });
    state.roles.insert(name, role);
    Ok(Answer::json(answer))
}

fn seconds(call: &Call) -> Option<i64> {
    call.get("MaxSessionDuration").and_then(Value::as_i64)
}

fn listed(role: &Role) -> Map<String, Value> {
    let mut output = shown(&role.entity, Kind::Role);
    output.insert(
        "AssumeRolePolicyDocument".to_owned(),
        encoded(&role.trust.text),
    );
    if let Some(description) = &role.description {
        output.insert("Description".to_owned(), description.clone().into());
    }
    output.insert("MaxSessionDuration".to_owned(), role.max_session.into());
    output
}

fn detailed(role: &Role) -> Map<String, Value> {
    let mut output = listed(role);
    add_details(&mut output, &role.entity);
    output
}

pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let name = Kind::Role.authorize(call, &[])?;
    let state = call.cx.cloud.access.read();
    let role = find(&state, name)?;
    let mut output = detailed(role);
    let used = match &role.last_used {
        Some((at, region)) => json!({ "LastUsedDate": at, "Region": region }),
        None => json!({}),
    };
    output.insert("RoleLastUsed".to_owned(), used);
    Ok(Answer::json(json!({ "Role": output })))
}

fn find<'a>(state: &'a State, name: &str) -> Result<&'a Role, ApiError> {
    state.roles.get(name).ok_or_else(|| Kind::Role.absent(name))
}

pub(super) fn update(call: &Call) -> Result<Answer, ApiError> {
    let name = Kind::Role.authorize(call, &[])?;
    let mut state = call.cx.cloud.access.write();
    let role = state
        .roles
        .get_mut(name)
        .ok_or_else(|| Kind::Role.absent(name))?;
    if let Some(description) = call.text("Description") {
        role.description = Some(description.to_owned());
    }
    if let Some(seconds) = seconds(call) {
        role.max_session = seconds;
    }
    Ok(Answer::empty())
}

pub(super) fn update_trust(call: &Call) -> Result<Answer, ApiError> {
    let name = Kind::Role.authorize(call, &[])?;
    let trust = trust(call, need(call, "PolicyDocument")?)?;
    let mut state = call.cx.cloud.access.write();
    let role = state
        .roles
        .get_mut(name)
        .ok_or_else(|| Kind::Role.absent(name))?;
    role.trust = trust;
    Ok(Answer::empty())
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let name = Kind::Role.authorize(call, &[])?;
    let mut state = call.cx.cloud.access.write();
    check_free(&find(&state, name)?.entity)?;
    state.roles.remove(name);
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let everything = format!("arn:aws:iam::{}:role/*", call.cx.account);
    call.cx.authorize("iam:ListRoles", &everything, &[])?;
    let state = call.cx.cloud.access.read();
    let items = state
        .roles
        .values()
        .filter(|role| listing::below(call, &role.entity.path))
        .map(|role| (role.entity.name.clone(), Value::Object(listed(role))))
        .collect();
    listing::page(call, "Roles", items)
}

/// Serves `ListInstanceProfilesForRole`. There are no instances here, so there are no profiles; tools ask before
/// they remove a role.
pub(super) fn instance_profiles(call: &Call) -> Result<Answer, ApiError> {
    let name = Kind::Role.authorize(call, &[])?;
    find(&call.cx.cloud.access.read(), name)?;
    Ok(Answer::json(
        json!({ "InstanceProfiles": [], "IsTruncated": false }),
    ))
}
