//! Several at once. Each entry succeeds or fails by itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::send::Draft;
use super::{error, on_queue, settle};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Entries of a batch.
const MOST: usize = 10;

/// Bytes of all messages of a batch.
const LARGEST: usize = 1 << 20;

/// An entry and its id.
type Entry<'a> = (&'a str, &'a Map<String, Value>);

/// The entries of the call.
fn entries<'a>(call: &'a Call, kind: &str) -> Result<Vec<Entry<'a>>, ApiError> {
    let given = call.get("Entries").and_then(Value::as_array);
    let given = given.map(Vec::as_slice).unwrap_or_default();
    if given.is_empty() {
        return Err(error::batch(
            "EmptyBatchRequest",
            format!("There should be at least one {kind} in the request."),
        ));
    }
    if given.len() > MOST {
        return Err(error::batch(
            "TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are {MOST}. You have sent {}.",
                given.len()
            ),
        ));
    }
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for entry in given.iter().filter_map(Value::as_object) {
        let id = entry.get("Id").and_then(Value::as_str).unwrap_or_default();
        let fine = (1..=80).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !fine {
            return Err(error::batch(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It \
                 can be at most 80 letters long.",
            ));
        }
        if !seen.insert(id) {
            return Err(error::batch(
                "BatchEntryIdsNotDistinct",
                format!("Id {id} repeated."),
            ));
        }
        entries.push((id, entry));
    }
    Ok(entries)
}

/// The answer made of what became of each entry.
fn answer(results: Vec<(&str, Result<Value, ApiError>)>) -> Answer {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(mut value) => {
                value["Id"] = id.into();
                done.push(value);
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": true,
                // Without the suffix that the framework's errors have in JSON alone.
                "Code": error.code.strip_suffix("Exception").unwrap_or(error.code),
                "Message": error.message,
            })),
        }
    }
    Answer::json(json!({ "Successful": done, "Failed": failed }))
}

pub(super) fn send(call: &Call) -> Result<Answer, ApiError> {
    let entries = entries(call, "SendMessageBatchRequestEntry")?;
    let drafts: Vec<_> = entries
        .into_iter()
        .map(|(id, entry)| (id, Draft::read(call, entry)))
        .collect();
    let size: usize = drafts
        .iter()
        .flat_map(|(_, draft)| draft)
        .map(Draft::size)
        .sum();
    if size > LARGEST {
        return Err(error::batch(
            "BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {LARGEST} bytes. You have sent {size} bytes."
            ),
        ));
    }
    let room = call.cx.cloud.sqs.lock().room();
    let results = on_queue(call, "sqs:SendMessage", |queue, now| {
        let mut room = room;
        let results = drafts.into_iter().map(|(id, draft)| {
            let sent = draft.and_then(|draft| {
                let size = draft.size();
                let receipt = super::send::send(queue, draft, room, now)?;
                room = room.saturating_sub(size);
                Ok(receipt.answer())
            });
            (id, sent)
        });
        Ok(results.collect())
    })?;
    call.cx.cloud.sqs.arrived.notify_waiters();
    Ok(answer(results))
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let entries = entries(call, "DeleteMessageBatchRequestEntry")?;
    let results = on_queue(call, "sqs:DeleteMessage", |queue, now| {
        let results = entries.into_iter().map(|(id, entry)| {
            let handle = entry.get("ReceiptHandle").and_then(Value::as_str);
            let deleted = settle::delete(queue, handle.unwrap_or_default(), now);
            (id, deleted.map(|()| json!({})))
        });
        Ok(results.collect())
    })?;
    call.cx.cloud.sqs.arrived.notify_waiters();
    Ok(answer(results))
}

pub(super) fn change(call: &Call) -> Result<Answer, ApiError> {
    let entries = entries(call, "ChangeMessageVisibilityBatchRequestEntry")?;
    let results = on_queue(call, "sqs:ChangeMessageVisibility", |queue, now| {
        let results = entries.into_iter().map(|(id, entry)| {
            let handle = entry.get("ReceiptHandle").and_then(Value::as_str);
            let seconds = entry.get("VisibilityTimeout").and_then(Value::as_i64);
            let changed = settle::change(queue, handle.unwrap_or_default(), seconds, now);
            (id, changed.map(|()| json!({})))
        });
        Ok(results.collect())
    })?;
    call.cx.cloud.sqs.arrived.notify_waiters();
    Ok(answer(results))
}
