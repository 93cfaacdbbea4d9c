//! Policies that are part of a user or role.

use serde_json::{Value, json};

use crate::access::Document;
use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::owner::Kind;
use super::{encoded, listing, malformed, need, no_such, size};

pub(super) fn put(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let name = kind.authorize(call, &[])?;
    let policy = need(call, "PolicyName")?;
    let text = need(call, "PolicyDocument")?;
    let document = Document::read(text).map_err(malformed)?;
    let mut state = call.cx.cloud.access.write();
    let entity = kind.get_mut(&mut state, name)?;
    let others: usize = entity
        .inline
        .iter()
        .filter(|(other, _)| *other != policy)
        .map(|(_, other)| size(&other.text))
        .sum();
    let limit = kind.inline_limit();
    if others + size(text) > limit {
        let message = format!(
            "Maximum policy size of {limit} bytes exceeded for {} {name}",
            kind.noun()
        );
        return Err(ApiError::new("LimitExceededException", message).status(409));
    }
    entity.inline.insert(policy.to_owned(), document);
    Ok(Answer::empty())
}

pub(super) fn get(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let name = kind.authorize(call, &[])?;
    let policy = need(call, "PolicyName")?;
    let state = call.cx.cloud.access.read();
    let entity = kind.get(&state, name)?;
    let document = entity
        .inline
        .get(policy)
        .ok_or_else(|| absent(kind, policy))?;
    let mut output = json!({ "PolicyName": policy, "PolicyDocument": encoded(&document.text) });
    output[kind.member()] = name.into();
    Ok(Answer::json(output))
}

pub(super) fn delete(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let name = kind.authorize(call, &[])?;
    let policy = need(call, "PolicyName")?;
    let mut state = call.cx.cloud.access.write();
    let entity = kind.get_mut(&mut state, name)?;
    match entity.inline.remove(policy) {
        Some(_) => Ok(Answer::empty()),
        None => Err(absent(kind, policy)),
    }
}

pub(super) fn list(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let name = kind.authorize(call, &[])?;
    let state = call.cx.cloud.access.read();
    let entity = kind.get(&state, name)?;
    let items = entity
        .inline
        .keys()
        .map(|policy| (policy.clone(), Value::from(policy.as_str())))
        .collect();
    listing::page(call, "PolicyNames", items)
}

fn absent(kind: Kind, policy: &str) -> ApiError {
    no_such(format!(
        "The {} policy with name {policy} cannot be found.",
        kind.noun()
    ))
}
