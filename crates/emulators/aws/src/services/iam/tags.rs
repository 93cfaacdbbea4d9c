//! Tags of users and roles.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::owner::Kind;
use super::{invalid, listing, over};

/// Most tags of an entity. Source: the IAM quotas page.
const MOST: usize = 50;

/// The tags in a call's input.
pub(super) fn given(call: &Call) -> Result<BTreeMap<String, String>, ApiError> {
    let list = call.get("Tags").and_then(Value::as_array);
    let mut tags = BTreeMap::new();
    for tag in list.into_iter().flatten() {
        let text = |member: &str| tag.get(member).and_then(Value::as_str).unwrap_or_default();
        let (key, value) = (text("Key"), text("Value"));
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(
                "Tag keys beginning with \"aws:\" are reserved for system use.",
            ));
        }
        let twice = tags
            .keys()
            .any(|known: &String| known.eq_ignore_ascii_case(key));
        if twice {
            return Err(invalid(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(over("TagsPerResource", MOST));
    }
    Ok(tags)
}

/// The context keys of tags that a call brings.
pub(super) fn request_keys(tags: &BTreeMap<String, String>) -> Vec<(String, String)> {
    tags.iter()
        .flat_map(|(key, value)| {
            [
                (format!("aws:RequestTag/{key}"), value.clone()),
                ("aws:TagKeys".to_owned(), key.clone()),
            ]
        })
        .collect()
}

/// Pairs as [`crate::call::CallCx::authorize`] takes them.
pub(super) fn borrowed(keys: &[(String, String)]) -> Vec<(&str, &str)> {
    keys.iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// Tags as they are returned; `None` when there are none.
pub(super) fn shown(tags: &BTreeMap<String, String>) -> Option<Value> {
    let list: Vec<Value> = tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    (!list.is_empty()).then_some(Value::Array(list))
}

pub(super) fn tag(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let tags = given(call)?;
    let name = kind.authorize(call, &borrowed(&request_keys(&tags)))?;
    let mut state = call.cx.cloud.access.write();
    let entity = kind.get_mut(&mut state, name)?;
    let mut all = entity.tags.clone();
    for (key, value) in tags {
        // Keys have no case: the new writing takes the place of the old.
        all.retain(|known, _| !known.eq_ignore_ascii_case(&key));
        all.insert(key, value);
    }
    if all.len() > MOST {
        return Err(over("TagsPerResource", MOST));
    }
    entity.tags = all;
    Ok(Answer::empty())
}

pub(super) fn untag(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let list = call.get("TagKeys").and_then(Value::as_array);
    let keys: Vec<&str> = list
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let asked: Vec<(&str, &str)> = keys.iter().map(|key| ("aws:TagKeys", *key)).collect();
    let name = kind.authorize(call, &asked)?;
    let mut state = call.cx.cloud.access.write();
    kind.get_mut(&mut state, name)?
        .tags
        .retain(|known, _| !keys.iter().any(|key| key.eq_ignore_ascii_case(known)));
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call, kind: Kind) -> Result<Answer, ApiError> {
    let name = kind.authorize(call, &[])?;
    let state = call.cx.cloud.access.read();
    let tags = &kind.get(&state, name)?.tags;
    let items = tags
        .iter()
        .map(|(key, value)| (key.clone(), json!({ "Key": key, "Value": value })))
        .collect();
    listing::page(call, "Tags", items)
}
