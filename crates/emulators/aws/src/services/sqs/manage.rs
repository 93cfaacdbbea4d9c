//! Making, describing and removing queues.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::attributes::{self, Attributes, COMPUTED, Redrive, RedriveAllow};
use super::queue::{Arn, Queue, is_fifo, is_name};
use super::{State, error, on_queue, queue_arn, queue_url};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Queues per page.
const PAGE: usize = 1000;

/// Between two purges, in milliseconds.
const PURGE: u64 = 60_000;

/// Tags of a queue.
const TAGS: usize = 50;

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let name = call.text("QueueName").unwrap_or_default();
    if !is_name(name) {
        return Err(error::invalid_value(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    let fifo = is_fifo(name);
    let given = call.get("Attributes").and_then(Value::as_object);
    let is_asked_fifo = given
        .and_then(|all| all.get("FifoQueue"))
        .and_then(Value::as_str)
        == Some("true");
    match (fifo, is_asked_fifo) {
        (false, true) => {
            return Err(error::invalid_value(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or \
                 underscores, must end with .fifo suffix and be 1 to 80 in length.",
            ));
        }
        (true, false) => {
            return Err(error::invalid_value(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        _ => {}
    }
    let attributes = attributes::read(given, fifo, true)?;
    let tags = text_map(call.get("tags"));
    if tags.len() > TAGS {
        return Err(error::invalid_value(format!(
            "Too many tags added. Maximum: {TAGS}"
        )));
    }
    let arn = Arn {
        region: &call.cx.region,
        account: &call.cx.account,
        name,
    };
    let text = arn.to_string();
    call.cx.authorize("sqs:CreateQueue", &text, &[])?;
    if !tags.is_empty() {
        call.cx.authorize("sqs:TagQueue", &text, &[])?;
    }
    let cloud = &call.cx.cloud;
    let now = cloud.clock.epoch_millis();
    let mut state = cloud.sqs.lock();
    if let Some(queue) = state.queues.get(&text) {
        for (name, value) in &attributes {
            if attributes::get(&queue.attributes, fifo, name) != Some(value) {
                return Err(error::name_exists(name));
            }
        }
        return Ok(Answer::json(json!({ "QueueUrl": queue_url(call, queue) })));
    }
    let pause = u64::try_from(cloud.config.delays.queue_deletion.as_millis()).unwrap_or(u64::MAX);
    state.deleted.retain(|_, at| at.saturating_add(pause) > now);
    if state.deleted.contains_key(&text) {
        return Err(error::deleted_recently());
    }
    check_redrive(&state, &text, fifo, &attributes)?;
    let mut queue = Queue::new(arn, now, attributes);
    queue.attributes.retain(|_, value| !value.is_empty());
    queue.tags = tags;
    let url = queue_url(call, &queue);
    state.queues.insert(text, queue);
    Ok(Answer::json(json!({ "QueueUrl": url })))
}

/// Holds a redrive policy against the queue it names.
fn check_redrive(
    state: &State,
    queue: &str,
    fifo: bool,
    attributes: &Attributes,
) -> Result<(), ApiError> {
    let Some(text) = attributes
        .get("RedrivePolicy")
        .filter(|text| !text.is_empty())
    else {
        return Ok(());
    };
    let redrive = Redrive::read(text)?;
    let invalid = |reason: &str| error::invalid(text, "RedrivePolicy", reason);
    let place =
        |arn: &str| Arn::parse(arn).map(|arn| (arn.region.to_owned(), arn.account.to_owned()));
    let target = state
        .queues
        .get(&redrive.target)
        .filter(|_| place(&redrive.target) == place(queue))
        .ok_or_else(|| invalid("Dead letter target does not exist."))?;
    if target.is_fifo() != fifo {
        return Err(invalid(
            "Dead-letter queue must be same type of queue as the source.",
        ));
    }
    let allowed = target
        .attributes
        .get("RedriveAllowPolicy")
        .and_then(|text| RedriveAllow::read(text).ok())
        .is_none_or(|policy| policy.allows(queue));
    if !allowed {
        return Err(invalid(
            "The dead-letter queue does not allow this queue as a source.",
        ));
    }
    Ok(())
}

fn text_map(value: Option<&Value>) -> BTreeMap<String, String> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    on_queue(call, "sqs:DeleteQueue", |_, _| Ok(()))?;
    let arn = queue_arn(call)?;
    let cloud = &call.cx.cloud;
    let mut state = cloud.sqs.lock();
    if state.queues.remove(&arn).is_some() && !cloud.config.delays.queue_deletion.is_zero() {
        state.deleted.insert(arn, cloud.clock.epoch_millis());
    }
    drop(state);
    // Those who wait for its messages wait in vain.
    cloud.sqs.arrived.notify_waiters();
    Ok(Answer::empty())
}

pub(super) fn url(call: &Call) -> Result<Answer, ApiError> {
    let arn = Arn {
        region: &call.cx.region,
        account: call
            .text("QueueOwnerAWSAccountId")
            .unwrap_or(&call.cx.account),
        name: call.text("QueueName").unwrap_or_default(),
    }
    .to_string();
    let state = call.cx.cloud.sqs.lock();
    let queue = state.queues.get(&arn).ok_or_else(error::no_queue)?;
    let policy = super::parsed_policy(queue);
    call.cx
        .authorize_with("sqs:GetQueueUrl", &arn, &[], policy.as_ref())?;
    Ok(Answer::json(json!({ "QueueUrl": queue_url(call, queue) })))
}

/// A page of queues whose ARN comes after the token's.
fn page<'a>(
    call: &Call,
    queues: impl Iterator<Item = &'a Queue>,
) -> Result<(Vec<String>, Option<String>), ApiError> {
    let asked = call.get("MaxResults").and_then(Value::as_i64);
    let most = match asked {
        None => PAGE,
        Some(most) => usize::try_from(most)
            .ok()
            .filter(|most| (1..=PAGE).contains(most))
            .ok_or_else(|| {
                error::invalid(
                    &most.to_string(),
                    "MaxResults",
                    "MaxResults must be an integer between 1 and 1000.",
                )
            })?,
    };
    let mut queues = queues.peekable();
    let mut urls = Vec::new();
    let mut last = None;
    while let Some(queue) = queues.next_if(|_| urls.len() < most) {
        urls.push(queue_url(call, queue));
        last = Some(&queue.name);
    }
    // Source: SQS API reference, `ListQueues`: a token is given only where a page size was asked.
    let more = asked.is_some() && queues.peek().is_some();
    let token = last
        .filter(|_| more)
        .map(|name| data_encoding::BASE64URL.encode(name.as_bytes()));
    Ok((urls, token))
}

fn after(call: &Call) -> Result<Option<String>, ApiError> {
    let Some(token) = call.text("NextToken") else {
        return Ok(None);
    };
    data_encoding::BASE64URL
        .decode(token.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Some)
        .ok_or_else(|| error::invalid(token, "NextToken", "Invalid or expired next token."))
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let arn = |name: &str| format!("arn:aws:sqs:{}:{}:{name}", call.cx.region, call.cx.account);
    call.cx.authorize("sqs:ListQueues", &arn(""), &[])?;
    let prefix = arn(call.text("QueueNamePrefix").unwrap_or_default());
    let start = match after(call)? {
        Some(name) => Bound::Excluded(arn(&name)),
        None => Bound::Included(prefix.clone()),
    };
    let state = call.cx.cloud.sqs.lock();
    let queues = state
        .queues
        .range((start, Bound::Unbounded))
        .take_while(|(arn, _)| arn.starts_with(&prefix))
        .map(|(_, queue)| queue);
    let (urls, token) = page(call, queues)?;
    let mut output = Map::new();
    if !urls.is_empty() {
        output.insert("QueueUrls".to_owned(), urls.into());
    }
    if let Some(token) = token {
        output.insert("NextToken".to_owned(), token.into());
    }
    Ok(Answer::json(Value::Object(output)))
}

/// The queues whose dead letters come to the call's queue.
pub(super) fn sources(call: &Call) -> Result<Answer, ApiError> {
    on_queue(call, "sqs:ListDeadLetterSourceQueues", |_, _| Ok(()))?;
    let arn = queue_arn(call)?;
    let after = after(call)?;
    let state = call.cx.cloud.sqs.lock();
    let queues = state.queues.values().filter(|queue| {
        queue.redrive().is_some_and(|redrive| redrive.target == arn)
            && after.as_ref().is_none_or(|after| queue.name > *after)
    });
    let (urls, token) = page(call, queues)?;
    let mut output = json!({ "queueUrls": urls });
    if let Some(token) = token {
        output["NextToken"] = token.into();
    }
    Ok(Answer::json(output))
}

pub(super) fn attributes(call: &Call) -> Result<Answer, ApiError> {
    let asked = call.get("AttributeNames").and_then(Value::as_array);
    on_queue(call, "sqs:GetQueueAttributes", |queue, now| {
        let mut names: Vec<&str> = Vec::new();
        for name in asked.into_iter().flatten().filter_map(Value::as_str) {
            match name {
                "All" => {
                    names.extend(COMPUTED);
                    names.extend(attributes::names(&queue.attributes, queue.is_fifo()));
                }
                name if is_attribute(name) => names.push(name),
                name => return Err(error::attribute_name(name)),
            }
        }
        let mut output = Map::new();
        for name in names {
            if let Some(value) = attribute(queue, name, now) {
                output.insert(name.to_owned(), value.into());
            }
        }
        Ok(if output.is_empty() {
            Answer::empty()
        } else {
            Answer::json(json!({ "Attributes": output }))
        })
    })
}

/// Attributes that have no default and are not computed.
const OPTIONAL: [&str; 9] = [
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

fn is_attribute(name: &str) -> bool {
    COMPUTED.contains(&name)
        || OPTIONAL.contains(&name)
        || attributes::get(&Attributes::new(), true, name).is_some()
}

fn attribute(queue: &Queue, name: &str, now: u64) -> Option<String> {
    let seconds = |millis: u64| (millis / 1000).to_string();
    Some(match name {
        "QueueArn" => queue.arn(),
        "CreatedTimestamp" => seconds(queue.created),
        "LastModifiedTimestamp" => seconds(queue.modified),
        "ApproximateNumberOfMessages" => queue.counts(now).visible.to_string(),
        "ApproximateNumberOfMessagesDelayed" => queue.counts(now).delayed.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => queue.counts(now).in_flight.to_string(),
        name => attributes::get(&queue.attributes, queue.is_fifo(), name)?.to_owned(),
    })
}

pub(super) fn set_attributes(call: &Call) -> Result<Answer, ApiError> {
    let arn = queue_arn(call)?;
    let fifo = is_fifo(&arn);
    let given = call.get("Attributes").and_then(Value::as_object);
    let given = attributes::read(given, fifo, false)?;
    on_queue(call, "sqs:SetQueueAttributes", |_, _| Ok(()))?;
    let now = call.cx.cloud.clock.epoch_millis();
    let mut state = call.cx.cloud.sqs.lock();
    check_redrive(&state, &arn, fifo, &given)?;
    let queue = state.queues.get_mut(&arn).ok_or_else(error::no_queue)?;
    for (name, value) in given {
        if value.is_empty() {
            queue.attributes.remove(&name);
        } else {
            queue.attributes.insert(name, value);
        }
    }
    queue.modified = now;
    Ok(Answer::empty())
}

pub(super) fn purge(call: &Call) -> Result<Answer, ApiError> {
    on_queue(call, "sqs:PurgeQueue", |queue, now| {
        if queue.purged.is_some_and(|at| at + PURGE > now) {
            return Err(error::purge_in_progress(&queue.name));
        }
        queue.purged = Some(now);
        queue.clear();
        Ok(Answer::empty())
    })
}

pub(super) fn tag(call: &Call) -> Result<Answer, ApiError> {
    let tags = text_map(call.get("Tags"));
    on_queue(call, "sqs:TagQueue", |queue, _| {
        let fresh = tags
            .keys()
            .filter(|key| !queue.tags.contains_key(*key))
            .count();
        if queue.tags.len() + fresh > TAGS {
            return Err(error::invalid_value(format!(
                "Too many tags added. Maximum: {TAGS}"
            )));
        }
        queue.tags.extend(tags);
        Ok(Answer::empty())
    })
}

pub(super) fn untag(call: &Call) -> Result<Answer, ApiError> {
    let keys = call.get("TagKeys").and_then(Value::as_array);
    on_queue(call, "sqs:UntagQueue", |queue, _| {
        for key in keys.into_iter().flatten().filter_map(Value::as_str) {
            queue.tags.remove(key);
        }
        Ok(Answer::empty())
    })
}

pub(super) fn tags(call: &Call) -> Result<Answer, ApiError> {
    on_queue(call, "sqs:ListQueueTags", |queue, _| {
        Ok(if queue.tags.is_empty() {
            Answer::empty()
        } else {
            Answer::json(json!({ "Tags": queue.tags }))
        })
    })
}
