//! Managed policies: the customer's, and those of the vendor.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::access::managed::{self as vendor, Known};
use crate::access::{Document, Managed, PolicyVersion, State, ids};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::{
    conflict, exists, invalid, listing, malformed, need, no_randomness, no_such, over, size, tags,
};

/// Most of the customer's policies of an account. Source: the IAM quotas page.
const MOST: usize = 1500;

/// Most characters of a managed policy. Source: the IAM quotas page.
const SIZE: usize = 6144;

/// Reads a document of a managed policy.
pub(super) fn document(text: &str) -> Result<Document, ApiError> {
    let document = Document::read(text).map_err(malformed)?;
    if size(text) > SIZE {
        return Err(over("PolicySize", SIZE));
    }
    Ok(document)
}

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let name = need(call, "PolicyName")?;
    let path = call.text("Path").unwrap_or("/");
    let access = &call.cx.cloud.access;
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", access.account());
    let tags = tags::given(call)?;
    let keys = tags::request_keys(&tags);
    call.cx
        .authorize("iam:CreatePolicy", &arn, &tags::borrowed(&keys))?;
    let document = document(need(call, "PolicyDocument")?)?;
    let created = access.now();
    let policy = Managed {
        name: name.to_owned(),
        path: path.to_owned(),
        id: ids::entity("ANPA").map_err(no_randomness)?,
        arn: arn.clone(),
        description: call.text("Description").map(str::to_owned),
        created,
        updated: created,
        tags,
        versions: BTreeMap::from([(1, PolicyVersion { document, created })]),
        default: 1,
        next: 2,
    };
    let mut state = access.write();
    let taken = |known: &Managed| known.name.eq_ignore_ascii_case(name);
    if state.policies.values().any(taken) {
        return Err(exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    if state.policies.len() >= MOST {
        return Err(over("PoliciesPerAccount", MOST));
    }
    let mut output = shown(&policy, &state);
    if let Some(tags) = tags::shown(&policy.tags) {
        output.insert("Tags".to_owned(), tags);
    }
    state.policies.insert(arn, policy);
    Ok(Answer::json(json!({ "Policy": output })))
}

/// Whom a policy is attached to, and whom it bounds.
fn uses(state: &State, arn: &str) -> (usize, usize) {
    let attached = |entity: &&crate::access::Entity| entity.attached.iter().any(|one| one == arn);
    let bounded = |entity: &&crate::access::Entity| entity.boundary.as_deref() == Some(arn);
    (
        state.entities().filter(attached).count(),
        state.entities().filter(bounded).count(),
    )
}

fn shown(policy: &Managed, state: &State) -> Map<String, Value> {
    let (attached, bounding) = uses(state, &policy.arn);
    object(json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default),
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": true,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
    }))
}

fn shown_vendor(policy: &Known, state: &State) -> Map<String, Value> {
    let (attached, bounding) = uses(state, &policy.arn);
    object(json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.version,
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": true,
        "CreateDate": policy.created,
        "UpdateDate": policy.created,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let state = call.cx.cloud.access.read();
    let output = match (state.policies.get(arn), vendor::find(arn)) {
        (Some(policy), _) => {
            let mut output = shown(policy, &state);
            if let Some(description) = &policy.description {
                output.insert("Description".to_owned(), description.clone().into());
            }
            let tags = tags::shown(&policy.tags).unwrap_or_else(|| json!([]));
            output.insert("Tags".to_owned(), tags);
            output
        }
        (None, Some(policy)) => shown_vendor(policy, &state),
        (None, None) => return Err(absent(arn)),
    };
    Ok(Answer::json(json!({ "Policy": output })))
}

/// Authorises a call on the policy that it names, and returns the policy's ARN.
pub(super) fn authorize(call: &Call) -> Result<&str, ApiError> {
    let arn = need(call, "PolicyArn")?;
    let action = format!("iam:{}", call.operation);
    call.cx.authorize(&action, arn, &[])?;
    if !arn.starts_with("arn:aws:iam::") || !arn.contains(":policy/") {
        return Err(invalid(format!("ARN {arn} is not valid.")));
    }
    Ok(arn)
}

pub(super) fn absent(arn: &str) -> ApiError {
    no_such(format!("Policy {arn} was not found."))
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let arn = authorize(call)?;
    let mut state = call.cx.cloud.access.write();
    let policy = state.policies.get(arn).ok_or_else(|| absent(arn))?;
    if uses(&state, arn) != (0, 0) {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    state.policies.remove(arn);
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let everything = format!("arn:aws:iam::{}:policy/*", call.cx.account);
    call.cx.authorize("iam:ListPolicies", &everything, &[])?;
    let state = call.cx.cloud.access.read();
    let scope = call.text("Scope").unwrap_or("All");
    let only_attached = call.get("OnlyAttached") == Some(&Value::Bool(true));
    let usage = call.text("PolicyUsageFilter");
    let wanted = |arn: &str, path: &str| {
        let (attached, bounding) = uses(&state, arn);
        let by_usage = match usage {
            Some("PermissionsBoundary") => bounding > 0,
            Some("PermissionsPolicy") => attached > 0,
            _ => true,
        };
        listing::below(call, path) && by_usage && (!only_attached || attached > 0)
    };
    let own = state
        .policies
        .values()
        .filter(|policy| scope != "AWS" && wanted(&policy.arn, &policy.path))
        .map(|policy| (policy.arn.clone(), Value::Object(shown(policy, &state))));
    let theirs = vendor::all()
        .iter()
        .filter(|policy| scope != "Local" && wanted(&policy.arn, policy.path))
        .map(|policy| {
            (
                policy.arn.clone(),
                Value::Object(shown_vendor(policy, &state)),
            )
        });
    listing::page(call, "Policies", own.chain(theirs).collect())
}
