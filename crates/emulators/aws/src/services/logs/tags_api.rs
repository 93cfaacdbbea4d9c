//! Tags of groups, by both generations of operations.

use serde_json::{Value, json};

use super::{group_arn, name_of, policy_arn};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Most tags of a resource.
const MOST: usize = 50;

/// The group that is meant, once the caller may do `action` with it.
fn allowed(call: &Call, action: &str) -> Result<String, ApiError> {
    let cx = &call.cx;
    if let Some(arn) = call.text("resourceArn") {
        let name = name_of(arn).to_owned();
        cx.authorize(action, &group_arn(&cx.region, &cx.account, &name), &[])?;
        return Ok(name);
    }
    let name = call.text("logGroupName").unwrap_or_default().to_owned();
    cx.authorize(action, &policy_arn(&cx.region, &cx.account, &name, ""), &[])?;
    Ok(name)
}

fn action(call: &Call) -> String {
    format!("logs:{}", call.operation)
}

pub(super) fn tag(call: &Call) -> Result<Answer, ApiError> {
    let name = allowed(call, &action(call))?;
    let given = call.get("tags").and_then(Value::as_object);
    call.cx.cloud.logs.with_group(&call.cx, &name, |group| {
        let mut tags = group.tags.clone();
        for (key, value) in given.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            tags.insert(key.clone(), value);
        }
        if tags.len() > MOST {
            return Err(ApiError::new(
                "TooManyTagsException",
                format!("A resource can have no more than {MOST} tags."),
            ));
        }
        group.tags = tags;
        Ok(())
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}

pub(super) fn untag(call: &Call) -> Result<Answer, ApiError> {
    let name = allowed(call, &action(call))?;
    let keys = call.get("tagKeys").or_else(|| call.get("tags"));
    call.cx.cloud.logs.with_group(&call.cx, &name, |group| {
        for key in keys.and_then(Value::as_array).into_iter().flatten() {
            group.tags.remove(key.as_str().unwrap_or_default());
        }
        Ok(())
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let name = allowed(call, &action(call))?;
    let logs = &call.cx.cloud.logs;
    let tags = logs.with_group(&call.cx, &name, |group| Ok(json!(group.tags)))?;
    Ok(Answer::json(json!({ "tags": tags })))
}
