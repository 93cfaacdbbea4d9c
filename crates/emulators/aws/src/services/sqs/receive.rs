//! Receiving messages.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::digest::{self, Attribute, AttributeValue};
use super::handle::Handle;
use super::queue::{IN_FLIGHT, Message, Queue};
use super::{State, error, on_queue, queue_arn};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// System attributes that can be asked for.
const SYSTEM: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// What a receiver asks.
struct Wish {
    most: usize,
    /// Milliseconds; the queue's where it asks none.
    visibility: Option<u64>,
    wait: u64,
    system: Vec<String>,
    attributes: Vec<String>,
}

fn number(
    call: &Call,
    name: &str,
    least: i64,
    most: i64,
    reason: &str,
) -> Result<Option<u64>, ApiError> {
    match call.get(name).and_then(Value::as_i64) {
        None => Ok(None),
        Some(number) if (least..=most).contains(&number) => Ok(u64::try_from(number).ok()),
        Some(number) => Err(error::invalid(&number.to_string(), name, reason)),
    }
}

impl Wish {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let most = number(
            call,
            "MaxNumberOfMessages",
            1,
            10,
            "Must be between 1 and 10, if provided.",
        )?;
        let visibility = number(
            call,
            "VisibilityTimeout",
            0,
            43_200,
            "Must be >= 0 and <= 43200, if provided.",
        )?;
        let wait = number(
            call,
            "WaitTimeSeconds",
            0,
            20,
            "Must be >= 0 and <= 20, if provided.",
        )?;
        let names = |member: &str| -> Vec<String> {
            let names = call.get(member).and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        };
        let mut system = names("AttributeNames");
        system.extend(names("MessageSystemAttributeNames"));
        if let Some(unknown) = system
            .iter()
            .find(|name| *name != "All" && !SYSTEM.contains(&name.as_str()))
        {
            return Err(error::attribute_name(unknown));
        }
        let wait = match wait {
            Some(wait) => wait,
            None => on_queue(call, "sqs:ReceiveMessage", |queue, _| {
                Ok(queue.number("ReceiveMessageWaitTimeSeconds"))
            })?,
        };
        Ok(Self {
            most: usize::try_from(most.unwrap_or(1)).unwrap_or(1),
            visibility: visibility.map(|seconds| seconds * 1000),
            wait: wait * 1000,
            system,
            attributes: names("MessageAttributeNames"),
        })
    }

    fn wants_system(&self, name: &str) -> bool {
        self.system.iter().any(|one| one == "All" || one == name)
    }

    fn wants(&self, name: &str) -> bool {
        self.attributes.iter().any(|one| match one.as_str() {
            "All" | ".*" => true,
            one => match one.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => one == name,
            },
        })
    }
}

pub(super) async fn receive(call: &Call) -> Result<Answer, ApiError> {
    let wish = Wish::of(call)?;
    let arn = queue_arn(call)?;
    // Once: long waits end as they began, whatever policies say meanwhile.
    on_queue(call, "sqs:ReceiveMessage", |_, _| Ok(()))?;
    let sqs = &call.cx.cloud.sqs;
    let deadline = sqs.clock.epoch_millis() + wish.wait;
    loop {
        let mut arrived = std::pin::pin!(sqs.arrived.notified());
        // What arrives from here on is heard of.
        arrived.as_mut().enable();
        let now = sqs.clock.epoch_millis();
        let next = {
            let mut state = sqs.lock();
            let messages = take(&mut state, &arn, &wish, now)?;
            if !messages.is_empty() {
                drop(state);
                call.cx.cloud.changed();
                return Ok(Answer::json(json!({ "Messages": messages })));
            }
            if now >= deadline {
                return Ok(Answer::empty());
            }
            let queue = state.queues.get(&arn).ok_or_else(error::no_queue)?;
            queue
                .next_ready(now)
                .map_or(deadline, |at| at.min(deadline))
        };
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(next);
        tokio::select! {
            () = arrived => {}
            () = sqs.clock.sleep_until(moment) => {}
        }
    }
}

/// Receives what can be received now. What was received too often goes to the dead-letter queue.
fn take(state: &mut State, arn: &str, wish: &Wish, now: u64) -> Result<Vec<Value>, ApiError> {
    let queue = state.queues.get_mut(arn).ok_or_else(error::no_queue)?;
    queue.expire(now);
    if queue.len() >= IN_FLIGHT && queue.counts(now).in_flight >= IN_FLIGHT {
        return Err(error::over_limit(format!(
            "Too many messages in flight: {IN_FLIGHT} at most."
        )));
    }
    let timeout = wish
        .visibility
        .unwrap_or_else(|| queue.number("VisibilityTimeout") * 1000);
    let redrive = queue.redrive();
    let (mut messages, mut dead) = (Vec::new(), Vec::new());
    // With a timeout of zero a message is visible again at once; it is received once per call.
    let mut taken = Vec::new();
    while messages.len() < wish.most {
        let Some(at) = queue.next_visible(now, &taken) else {
            break;
        };
        let too_often = redrive.as_ref().filter(|redrive| {
            queue
                .message(at)
                .is_some_and(|message| message.received >= redrive.most)
        });
        if too_often.is_some() {
            dead.extend(queue.remove(at));
            continue;
        }
        taken.push(at);
        let Some(message) = queue.hide(at, now + timeout) else {
            break;
        };
        message.received += 1;
        message.first_received.get_or_insert(now);
        let message = message.clone();
        messages.push(shown(queue, at, &message, wish));
    }
    if let Some(redrive) = redrive {
        bury(state, arn, &redrive.target, dead, now);
    }
    Ok(messages)
}

/// Moves messages to the dead-letter queue, or back where there is none.
/// Source: SQS developer guide, "Using dead-letter queues": they keep the time at which they were sent.
fn bury(state: &mut State, source: &str, target: &str, dead: Vec<Message>, now: u64) {
    let (target, is_dead) = match state.queues.contains_key(target) {
        true => (target, true),
        false => (source, false),
    };
    let Some(queue) = state.queues.get_mut(target) else {
        return;
    };
    for mut message in dead {
        message.visible = now;
        if is_dead {
            message.source = Some(source.to_owned());
        }
        queue.add(message);
    }
}

/// A message as it is received.
fn shown(queue: &Queue, at: u64, message: &Message, wish: &Wish) -> Value {
    let handle = Handle {
        at,
        id: message.id.clone(),
        received: message.received,
    };
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": handle.write(&queue.arn()),
        "MD5OfBody": digest::of_body(&message.body),
        "Body": message.body,
    });
    let first = message.first_received.unwrap_or_default().to_string();
    let system: Map<String, Value> = [
        ("SenderId", Some(message.sender.clone())),
        ("SentTimestamp", Some(message.sent.to_string())),
        (
            "ApproximateReceiveCount",
            Some(message.received.to_string()),
        ),
        ("ApproximateFirstReceiveTimestamp", Some(first)),
        ("SequenceNumber", message.sequence.clone()),
        ("MessageDeduplicationId", message.deduplication.clone()),
        ("MessageGroupId", message.group.clone()),
        ("AWSTraceHeader", message.trace.clone()),
        ("DeadLetterQueueSourceArn", message.source.clone()),
    ]
    .into_iter()
    .filter(|(name, _)| wish.wants_system(name))
    .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
    .collect();
    if !system.is_empty() {
        shown["Attributes"] = system.into();
    }
    let attributes = message.attributes.iter();
    let attributes: Vec<_> = attributes.filter(|(name, _)| wish.wants(name)).collect();
    if let Some(md5) = digest::of_attributes(attributes.iter().copied()) {
        shown["MD5OfMessageAttributes"] = md5.into();
        let values = attributes
            .iter()
            .map(|(name, one)| ((*name).clone(), value(one)));
        shown["MessageAttributes"] = values.collect::<Map<_, _>>().into();
    }
    shown
}

fn value(attribute: &Attribute) -> Value {
    let (member, text) = match &attribute.value {
        AttributeValue::Text(text) => ("StringValue", text),
        AttributeValue::Binary(text) => ("BinaryValue", text),
    };
    json!({ member: text, "DataType": attribute.data_type })
}
