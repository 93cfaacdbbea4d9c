//! `AssumeRole`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::access::{Document, Identity, Limits, Role, Session};
use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};

use super::{duration, shown};

/// Most characters of all session policies. Source: the API reference.
const POLICIES: usize = 2048;

/// Longest session, in seconds, of a role that a role assumed. Source: the API reference.
const CHAINED: i64 = 3600;

pub(super) fn role(call: &Call) -> Result<Answer, ApiError> {
    let arn = call.text("RoleArn").unwrap_or_default();
    let name = call.text("RoleSessionName").unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let sound =
        matches!(parts.as_slice(), ["arn", _, "iam", "", _, role] if role.starts_with("role/"));
    if !sound {
        return Err(validation(format!("{arn} is invalid")));
    }
    let access = &call.cx.cloud.access;
    let tags = tags(call);
    let role = access
        .read()
        .role_by_arn(arn)
        .filter(|role| access.is_usable(role))
        .cloned();
    let role = authorize(call, arn, role, &tags)?;
    let seconds = checked_duration(call, &role)?;
    let (limits, packed) = limits(call)?;
    let inherited = match &call.cx.caller.identity {
        Identity::Session(session) => session
            .tags
            .iter()
            .filter(|(key, _)| session.transitive.contains(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        _ => BTreeMap::new(),
    };
    let transitive = texts(call, "TransitiveTagKeys")
        .chain(inherited.keys().cloned())
        .collect();
    let issued = access.now();
    let session = Session {
        role: role.entity.name.clone(),
        role_id: role.entity.id.clone(),
        role_arn: arn.to_owned(),
        name: name.to_owned(),
        issued,
        limits,
        tags: tags.into_iter().chain(inherited).collect(),
        transitive,
        source_identity: call.text("SourceIdentity").map(str::to_owned),
    };
    let grant = access
        .open_session(session, seconds)
        .map_err(|error| ApiError::internal(Service::Sts, error))?;
    if let Some(role) = access.write().roles.get_mut(&role.entity.name) {
        role.last_used = Some((issued, call.cx.region.clone()));
    }
    call.cx.cloud.changed();
    let mut output = json!({
        "Credentials": shown(&grant),
        "AssumedRoleUser": { "AssumedRoleId": grant.caller.user_id, "Arn": grant.caller.arn },
    });
    if let Some(percent) = packed {
        output["PackedPolicySize"] = percent.into();
    }
    if let Some(identity) = call.text("SourceIdentity") {
        output["SourceIdentity"] = identity.into();
    }
    Ok(Answer::json(output))
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message).status(400)
}

/// Holds the call against the role's trust policy and the caller's own. A role that is absent, or too new to be
/// known everywhere, is denied like one that trusts others: who asks can't tell.
fn authorize(
    call: &Call,
    arn: &str,
    role: Option<Role>,
    tags: &BTreeMap<String, String>,
) -> Result<Role, ApiError> {
    let denied = |action: &str| {
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {arn}",
            call.cx.caller.arn
        );
        ApiError::new("AccessDenied", message).status(403)
    };
    let role = role.ok_or_else(|| denied("sts:AssumeRole"))?;
    let own: Vec<(String, String)> = tags
        .iter()
        .flat_map(|(key, value)| {
            [
                (format!("aws:RequestTag/{key}"), value.clone()),
                ("aws:TagKeys".to_owned(), key.clone()),
            ]
        })
        .chain(role.entity.tags.iter().flat_map(|(key, value)| {
            ["aws", "iam"].map(|prefix| (format!("{prefix}:ResourceTag/{key}"), value.clone()))
        }))
        .collect();
    let mut keys: Vec<(&str, &str)> = own
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    for (key, member) in [
        ("sts:ExternalId", "ExternalId"),
        ("sts:RoleSessionName", "RoleSessionName"),
        ("sts:SourceIdentity", "SourceIdentity"),
    ] {
        keys.extend(call.text(member).map(|value| (key, value)));
    }
    let mut actions = vec!["sts:AssumeRole"];
    if !tags.is_empty() {
        actions.push("sts:TagSession");
    }
    if call.text("SourceIdentity").is_some() {
        actions.push("sts:SetSourceIdentity");
    }
    for action in actions {
        // AWS does not say which of the two policies was in the way.
        call.cx
            .authorize_with(action, arn, &keys, Some(&role.trust.policy))
            .map_err(|_| denied(action))?;
    }
    Ok(role)
}

fn checked_duration(call: &Call, role: &Role) -> Result<i64, ApiError> {
    let chained = matches!(call.cx.caller.identity, Identity::Session(_));
    let asked = duration(call).unwrap_or(3600);
    if chained && asked > CHAINED {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if asked > role.max_session {
        return Err(validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(asked)
}

/// The session's policies, and how much of the room for them they take, in percent. What the real one measures is a
/// packed form that is not published; this one measures the text. *Guessed.*
fn limits(call: &Call) -> Result<(Option<Limits>, Option<usize>), ApiError> {
    let malformed =
        |message: String| ApiError::new("MalformedPolicyDocumentException", message).status(400);
    let mut documents = Vec::new();
    let mut size = 0;
    if let Some(text) = call.text("Policy") {
        size += text.len();
        documents.push(
            Document::read(text)
                .map_err(|_| malformed("This policy contains invalid Json".to_owned()))?,
        );
    }
    let state = call.cx.cloud.access.read();
    let arns = call.get("PolicyArns").and_then(Value::as_array);
    for one in arns.into_iter().flatten() {
        let arn = one.get("arn").and_then(Value::as_str).unwrap_or_default();
        size += arn.len();
        let document = state.managed_document(arn);
        documents.push(document.ok_or_else(|| {
            malformed(format!(
                "The policy {arn} does not exist or is not attachable."
            ))
        })?);
    }
    if size > POLICIES {
        let message = format!(
            "Packed policy consumes {}% of allotted space, please use smaller policy.",
            size * 100 / POLICIES
        );
        return Err(ApiError::new("PackedPolicyTooLargeException", message).status(400));
    }
    if documents.is_empty() {
        return Ok((None, None));
    }
    Ok((Some(Limits::new(documents)), Some(size * 100 / POLICIES)))
}

fn tags(call: &Call) -> BTreeMap<String, String> {
    let list = call.get("Tags").and_then(Value::as_array);
    let text = |tag: &Value, member: &str| Some(tag.get(member)?.as_str()?.to_owned());
    list.into_iter()
        .flatten()
        .filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value")?)))
        .collect()
}

fn texts(call: &Call, member: &str) -> impl Iterator<Item = String> {
    let list = call.get(member).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|value| Some(value.as_str()?.to_owned()))
}
