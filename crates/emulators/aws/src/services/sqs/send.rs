//! Sending messages.
//!
//! Source: SQS API reference, `SendMessage`; SQS developer guide, "Message metadata" and "Exactly-once processing".

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::digest::{self, Attribute, AttributeValue};
use super::queue::{Message, Queue, Sent};
use super::{error, on_queue};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::services::lambda::ids::uuid;

/// Attributes of a message.
const MOST_ATTRIBUTES: usize = 10;

/// A message that is to be sent.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) body: String,
    pub(super) attributes: BTreeMap<String, Attribute>,
    trace: Option<Attribute>,
    delay: Option<u64>,
    group: Option<String>,
    deduplication: Option<String>,
    sender: String,
}

/// What was sent.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) id: String,
    md5: String,
    md5_of_attributes: Option<String>,
    md5_of_system: Option<String>,
    sequence: Option<String>,
}

impl Draft {
    /// Reads the members of a message, of a call or of an entry of a batch.
    ///
    /// # Errors
    /// What may not be sent.
    pub(super) fn read(call: &Call, input: &Map<String, Value>) -> Result<Self, ApiError> {
        let text = |name: &str| input.get(name).and_then(Value::as_str).map(str::to_owned);
        let body = text("MessageBody")
            .filter(|body| !body.is_empty())
            .ok_or_else(|| error::missing("MessageBody"))?;
        if !body.chars().all(is_allowed) {
            return Err(error::bad_contents());
        }
        let delay = match input.get("DelaySeconds").and_then(Value::as_i64) {
            None => None,
            Some(delay) => Some(
                u64::try_from(delay)
                    .ok()
                    .filter(|delay| *delay <= 900)
                    .ok_or_else(|| {
                        error::invalid(
                            &delay.to_string(),
                            "DelaySeconds",
                            "DelaySeconds must be >= 0 and <= 900.",
                        )
                    })?,
            ),
        };
        let attributes = attributes(input.get("MessageAttributes"))?;
        let mut system = attributes_of_system(input.get("MessageSystemAttributes"))?;
        for name in ["MessageGroupId", "MessageDeduplicationId"] {
            if let Some(id) = text(name) {
                check_id(name, &id)?;
            }
        }
        Ok(Self {
            body,
            attributes,
            trace: system.remove("AWSTraceHeader"),
            delay,
            group: text("MessageGroupId"),
            deduplication: text("MessageDeduplicationId"),
            sender: call.cx.caller.user_id.clone(),
        })
    }

    /// Bytes that count against limits.
    pub(super) fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        self.body.len()
            + attributes
                .map(|(name, value)| name.len() + value.size())
                .sum::<usize>()
    }
}

/// Characters of a message.
fn is_allowed(one: char) -> bool {
    matches!(one, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn check_id(name: &str, id: &str) -> Result<(), ApiError> {
    let fine = (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fine {
        return Ok(());
    }
    Err(error::invalid(
        id,
        name,
        &format!(
            "{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        ),
    ))
}

fn attributes(given: Option<&Value>) -> Result<BTreeMap<String, Attribute>, ApiError> {
    let given = given.and_then(Value::as_object);
    let count = given.map_or(0, Map::len);
    if count > MOST_ATTRIBUTES {
        return Err(error::invalid_value(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        )));
    }
    let mut attributes = BTreeMap::new();
    for (name, value) in given.into_iter().flatten() {
        check_attribute_name(name)?;
        attributes.insert(name.clone(), attribute(name, value)?);
    }
    Ok(attributes)
}

fn attributes_of_system(given: Option<&Value>) -> Result<BTreeMap<String, Attribute>, ApiError> {
    let mut attributes = BTreeMap::new();
    for (name, value) in given.and_then(Value::as_object).into_iter().flatten() {
        if name != "AWSTraceHeader" {
            return Err(error::invalid_value(format!(
                "Message system attribute name '{name}' is invalid."
            )));
        }
        attributes.insert(name.clone(), attribute(name, value)?);
    }
    Ok(attributes)
}

fn check_attribute_name(name: &str) -> Result<(), ApiError> {
    let lower = name.to_ascii_lowercase();
    let fine = (1..=256).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    if fine {
        return Ok(());
    }
    Err(error::invalid_value(format!(
        "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, \
         underscore (_), hyphen (-), and period (.) characters."
    )))
}

fn attribute(name: &str, value: &Value) -> Result<Attribute, ApiError> {
    let text = |member: &str| value.get(member).and_then(Value::as_str);
    if value.get("StringListValues").is_some() || value.get("BinaryListValues").is_some() {
        return Err(ApiError::new(
            "UnsupportedOperation",
            "Message attribute list values in SendMessage operation are not supported.",
        ));
    }
    let data_type = text("DataType").unwrap_or_default();
    let kind = data_type.split('.').next().unwrap_or_default();
    if !["String", "Number", "Binary"].contains(&kind) || data_type.len() > 256 {
        return Err(error::invalid_value(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported \
             type prefixes is Binary, Number, and String."
        )));
    }
    let found = match kind {
        "Binary" => text("BinaryValue").map(|text| AttributeValue::Binary(text.to_owned())),
        _ => text("StringValue").map(|text| AttributeValue::Text(text.to_owned())),
    };
    let empty = match &found {
        None => true,
        Some(AttributeValue::Text(text) | AttributeValue::Binary(text)) => text.is_empty(),
    };
    let Some(found) = found.filter(|_| !empty) else {
        return Err(error::invalid_value(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message \
             attribute type '{data_type}'."
        )));
    };
    if let (AttributeValue::Text(text), "Number") = (&found, kind)
        && text.trim().parse::<f64>().is_err()
    {
        return Err(error::invalid_value(format!(
            "Can't cast the value of message attribute '{name}' to a number."
        )));
    }
    if let AttributeValue::Text(text) = &found
        && !text.chars().all(is_allowed)
    {
        return Err(error::bad_contents());
    }
    Ok(Attribute {
        data_type: data_type.to_owned(),
        value: found,
    })
}

/// Puts a message into a queue, for which there are `room` bytes.
///
/// # Errors
/// What this queue does not take.
pub(super) fn send(
    queue: &mut Queue,
    draft: Draft,
    room: usize,
    now: u64,
) -> Result<Receipt, ApiError> {
    let size = draft.size();
    let most = queue.number("MaximumMessageSize");
    if size as u64 > most {
        return Err(error::invalid_value(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        )));
    }
    if size > room {
        return Err(error::over_limit(
            "The embedded AWS keeps no more messages: its memory is bounded. Receive and delete some.",
        ));
    }
    let deduplication = if queue.is_fifo() {
        Some(of_fifo(queue, &draft)?)
    } else {
        if draft.deduplication.is_some() {
            return Err(error::invalid_value(
                "The request include parameter that is not valid for this queue type. Reason: \
                 MessageDeduplicationId is only supported for FIFO queues.",
            ));
        }
        None
    };
    let mut receipt = Receipt {
        id: uuid(),
        md5: digest::of_body(&draft.body),
        md5_of_attributes: digest::of_attributes(&draft.attributes),
        md5_of_system: draft
            .trace
            .as_ref()
            .and_then(|trace| digest::of_attributes([(&"AWSTraceHeader".to_owned(), trace)])),
        sequence: None,
    };
    let known = deduplication
        .as_ref()
        .and_then(|(known_as, _)| queue.sent_lately(known_as, now));
    if let Some(sent) = known {
        receipt.id = sent.id.clone();
        receipt.sequence = sent.sequence.clone();
        return Ok(receipt);
    }
    let delay = draft.delay.unwrap_or_else(|| queue.number("DelaySeconds"));
    let message = queue.add(Message {
        id: receipt.id.clone(),
        body: draft.body,
        attributes: draft.attributes,
        trace: draft.trace.and_then(|trace| match trace.value {
            AttributeValue::Text(text) => Some(text),
            AttributeValue::Binary(_) => None,
        }),
        group: draft.group,
        deduplication: deduplication.as_ref().map(|(_, id)| id.clone()),
        sequence: None,
        sender: draft.sender,
        sent: now,
        visible: now + delay * 1000,
        received: 0,
        first_received: None,
        source: None,
    });
    receipt.sequence = message.sequence.clone();
    if let Some((known_as, _)) = deduplication {
        let sent = Sent {
            at: now,
            id: receipt.id.clone(),
            sequence: receipt.sequence.clone(),
        };
        queue.remember(known_as, sent);
    }
    Ok(receipt)
}

/// What a message to a FIFO queue is known as, and its deduplication id.
fn of_fifo(queue: &Queue, draft: &Draft) -> Result<(String, String), ApiError> {
    let group = draft
        .group
        .as_deref()
        .ok_or_else(|| error::missing("MessageGroupId"))?;
    if draft.delay.is_some_and(|delay| delay > 0) {
        return Err(error::invalid(
            &draft.delay.unwrap_or_default().to_string(),
            "DelaySeconds",
            "The request include parameter that is not valid for this queue type.",
        ));
    }
    let setting = |name: &str| super::attributes::get(&queue.attributes, true, name);
    let id = match &draft.deduplication {
        Some(id) => id.clone(),
        None if setting("ContentBasedDeduplication") == Some("true") => {
            data_encoding::HEXLOWER.encode(&Sha256::digest(&draft.body))
        }
        None => {
            return Err(error::invalid_value(
                "The queue should either have ContentBasedDeduplication enabled or \
                 MessageDeduplicationId provided explicitly",
            ));
        }
    };
    let known_as = match setting("DeduplicationScope") {
        Some("messageGroup") => format!("{group} {id}"),
        _ => id.clone(),
    };
    Ok((known_as, id))
}

impl Receipt {
    /// The members of the answer.
    pub(super) fn answer(self) -> Value {
        let mut output = json!({ "MessageId": self.id, "MD5OfMessageBody": self.md5 });
        for (name, value) in [
            ("MD5OfMessageAttributes", self.md5_of_attributes),
            ("MD5OfMessageSystemAttributes", self.md5_of_system),
            ("SequenceNumber", self.sequence),
        ] {
            if let Some(value) = value {
                output[name] = value.into();
            }
        }
        output
    }
}

pub(super) fn one(call: &Call) -> Result<Answer, ApiError> {
    let draft = Draft::read(call, &call.input)?;
    let room = call.cx.cloud.sqs.lock().room();
    let receipt = on_queue(call, "sqs:SendMessage", |queue, now| {
        send(queue, draft, room, now)
    })?;
    call.cx.cloud.sqs.arrived.notify_waiters();
    Ok(Answer::json(receipt.answer()))
}
