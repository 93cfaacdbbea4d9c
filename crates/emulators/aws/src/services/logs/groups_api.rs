//! Operations on groups.

use serde_json::{Map, Value, json};

use super::group::Group;
use super::{authorize, group_arn, invalid, limit, name_of, no_group, number, place_of, token_of};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// The periods that may be asked for. Source: CloudWatch Logs API reference, `PutRetentionPolicy`.
const RETENTION_DAYS: [u64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let name = call.text("logGroupName").unwrap_or_default();
    authorize(call, "logs:CreateLogGroup", name, "")?;
    if name.starts_with("aws/") {
        return Err(invalid(
            "Log groups starting with AWS/ are reserved for AWS.",
        ));
    }
    let mut group = Group::new(call.cx.cloud.clock.epoch_millis());
    group.class = call.text("logGroupClass").map(str::to_owned);
    group.kms_key = call.text("kmsKeyId").map(str::to_owned);
    group.protected = super::flag(call, "deletionProtectionEnabled");
    for (key, value) in call
        .get("tags")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let value = value.as_str().unwrap_or_default().to_owned();
        group.tags.insert(key.clone(), value);
    }
    call.cx.cloud.logs.with(&call.cx, |groups| {
        if groups.contains_key(name) {
            return Err(ApiError::new(
                "ResourceAlreadyExistsException",
                "The specified log group already exists",
            ));
        }
        groups.insert(name.to_owned(), group);
        Ok(())
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let name = call.text("logGroupName").unwrap_or_default();
    authorize(call, "logs:DeleteLogGroup", name, "")?;
    call.cx.cloud.logs.with(&call.cx, |groups| {
        let group = groups.get(name).ok_or_else(no_group)?;
        if group.protected {
            // Guessed.
            return Err(ApiError::new(
                "ValidationException",
                "The log group can't be deleted because deletion protection is enabled for it.",
            ));
        }
        groups.remove(name);
        Ok(())
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}

pub(super) fn describe(call: &Call) -> Result<Answer, ApiError> {
    authorize(call, "logs:DescribeLogGroups", "", "")?;
    let prefix = call.text("logGroupNamePrefix");
    let pattern = call.text("logGroupNamePattern").map(str::to_lowercase);
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let class = call.text("logGroupClass");
    let only: Option<Vec<&str>> = call
        .get("logGroupIdentifiers")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).map(name_of).collect());
    let after = call.text("nextToken").map(place_of).transpose()?;
    let limit = limit(call, 50);
    let cx = &call.cx;
    let mut next = None;
    let found: Vec<Value> = cx.cloud.logs.with(cx, |groups| {
        let mut found = Vec::new();
        for (name, group) in groups.iter_mut() {
            let wanted = prefix.is_none_or(|prefix| name.starts_with(prefix))
                && pattern
                    .as_deref()
                    .is_none_or(|part| name.to_lowercase().contains(part))
                && class.is_none_or(|class| group.class.as_deref().unwrap_or("STANDARD") == class)
                && only
                    .as_ref()
                    .is_none_or(|only| only.contains(&name.as_str()))
                && after.as_ref().is_none_or(|after| name > after);
            if !wanted {
                continue;
            }
            if found.len() == limit {
                next = found
                    .last()
                    .and_then(|last: &Value| last["logGroupName"].as_str())
                    .map(token_of);
                break;
            }
            group.expire(cx.cloud.clock.epoch_millis());
            found.push(described(
                group,
                name,
                &group_arn(&cx.region, &cx.account, name),
            ));
        }
        found
    });
    let mut output = Map::new();
    output.insert("logGroups".to_owned(), found.into());
    if let Some(next) = next {
        output.insert("nextToken".to_owned(), next.into());
    }
    Ok(Answer::json(output.into()))
}

fn described(group: &Group, name: &str, arn: &str) -> Value {
    let mut told = json!({
        "logGroupName": name,
        "creationTime": group.created,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": group.stored_bytes(),
        "logGroupClass": group.class.as_deref().unwrap_or("STANDARD"),
        "deletionProtectionEnabled": group.protected,
    });
    if let Some(days) = group.retention_days {
        told["retentionInDays"] = days.into();
    }
    if let Some(key) = &group.kms_key {
        told["kmsKeyId"] = key.as_str().into();
    }
    told
}

pub(super) fn put_retention(call: &Call) -> Result<Answer, ApiError> {
    let name = call.text("logGroupName").unwrap_or_default();
    authorize(call, "logs:PutRetentionPolicy", name, "")?;
    let days = number(call, "retentionInDays").filter(|days| RETENTION_DAYS.contains(days));
    let Some(days) = days else {
        let given = call.get("retentionInDays").unwrap_or(&Value::Null);
        let allowed: Vec<String> = RETENTION_DAYS.iter().map(u64::to_string).collect();
        return Err(invalid(format!(
            "1 validation error detected: Value '{given}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            allowed.join(", ")
        )));
    };
    set_retention(call, name, Some(days))
}

pub(super) fn delete_retention(call: &Call) -> Result<Answer, ApiError> {
    let name = call.text("logGroupName").unwrap_or_default();
    authorize(call, "logs:DeleteRetentionPolicy", name, "")?;
    set_retention(call, name, None)
}

fn set_retention(call: &Call, name: &str, days: Option<u64>) -> Result<Answer, ApiError> {
    call.cx.cloud.logs.with_group(&call.cx, name, |group| {
        group.retention_days = days;
        Ok(())
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}
