//! Deleting messages, and changing when they can be received again.

use serde_json::Value;

use super::handle::Handle;
use super::queue::Queue;
use super::{error, on_queue};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Seconds at most.
const LONGEST: i64 = 43_200;

/// Deletes what the handle names. A message that is gone, or that was received again since, is not an
/// error. Source: SQS API reference, `DeleteMessage`.
pub(super) fn delete(queue: &mut Queue, text: &str, now: u64) -> Result<(), ApiError> {
    let handle = Handle::read(text, &queue.arn()).ok_or_else(|| error::bad_handle(text))?;
    let Some(message) = queue
        .message(handle.at)
        .filter(|message| message.id == handle.id)
    else {
        return Ok(());
    };
    let (latest, visible) = (message.received == handle.received, message.visible <= now);
    if queue.is_fifo() && visible {
        return Err(error::invalid(
            text,
            "ReceiptHandle",
            "The receipt handle has expired.",
        ));
    }
    if latest {
        queue.remove(handle.at);
    }
    Ok(())
}

/// Makes a message in flight visible after so many seconds.
pub(super) fn change(
    queue: &mut Queue,
    text: &str,
    seconds: Option<i64>,
    now: u64,
) -> Result<(), ApiError> {
    let seconds = seconds.ok_or_else(|| error::missing("VisibilityTimeout"))?;
    let timeout = u64::try_from(seconds)
        .ok()
        .filter(|_| seconds <= LONGEST)
        .ok_or_else(|| {
            error::invalid(
                &seconds.to_string(),
                "VisibilityTimeout",
                "Must be between 0 and 43200, if provided.",
            )
        })?;
    let handle = Handle::read(text, &queue.arn()).ok_or_else(|| error::bad_handle(text))?;
    let message = queue
        .message(handle.at)
        .filter(|message| message.id == handle.id)
        .ok_or_else(|| {
            error::invalid(
                text,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            )
        })?;
    if message.visible <= now || message.received != handle.received {
        return Err(error::not_in_flight(text));
    }
    queue.hide(handle.at, now + timeout * 1000);
    Ok(())
}

pub(super) fn delete_one(call: &Call) -> Result<Answer, ApiError> {
    let handle = call.text("ReceiptHandle").unwrap_or_default();
    on_queue(call, "sqs:DeleteMessage", |queue, now| {
        delete(queue, handle, now)
    })?;
    // The next of its group can come.
    call.cx.cloud.sqs.arrived.notify_waiters();
    Ok(Answer::empty())
}

pub(super) fn change_one(call: &Call) -> Result<Answer, ApiError> {
    let handle = call.text("ReceiptHandle").unwrap_or_default();
    let seconds = call.get("VisibilityTimeout").and_then(Value::as_i64);
    on_queue(call, "sqs:ChangeMessageVisibility", |queue, now| {
        change(queue, handle, seconds, now)
    })?;
    call.cx.cloud.sqs.arrived.notify_waiters();
    Ok(Answer::empty())
}
