//! Attributes of queues: which there are, and what they may be.
//!
//! Source: SQS service model, `CreateQueue` and `SetQueueAttributes`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error;
use crate::access::{Kind, Policy};
use crate::answer::ApiError;

/// Attributes that a client sets, with their defaults.
const DEFAULTS: [(&str, &str); 6] = [
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("VisibilityTimeout", "30"),
    ("SqsManagedSseEnabled", "true"),
];

/// Those of FIFO queues alone.
const FIFO_DEFAULTS: [(&str, &str); 4] = [
    ("FifoQueue", "true"),
    ("ContentBasedDeduplication", "false"),
    ("DeduplicationScope", "queue"),
    ("FifoThroughputLimit", "perQueue"),
];

/// Numbers and their ranges.
const NUMBERS: [(&str, u64, u64); 6] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
];

/// Those that SQS makes.
pub(super) const COMPUTED: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// What a client set.
pub(super) type Attributes = BTreeMap<String, String>;

/// The text of an attribute, given or by default.
pub(super) fn get<'a>(attributes: &'a Attributes, fifo: bool, name: &str) -> Option<&'a str> {
    let default = DEFAULTS
        .iter()
        .chain(FIFO_DEFAULTS.iter().filter(|_| fifo))
        .find(|(default, _)| *default == name)
        .map(|(_, value)| *value);
    attributes.get(name).map(String::as_str).or(default)
}

/// The names of all attributes that have a value.
pub(super) fn names(attributes: &Attributes, fifo: bool) -> Vec<&str> {
    let defaults = DEFAULTS
        .iter()
        .chain(FIFO_DEFAULTS.iter().filter(|_| fifo))
        .map(|(name, _)| *name);
    let mut names: Vec<&str> = attributes
        .keys()
        .map(String::as_str)
        .chain(defaults)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A number among the attributes.
pub(super) fn number(attributes: &Attributes, name: &str) -> u64 {
    get(attributes, false, name)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// Reads attributes that a client sets; an empty text takes one back.
///
/// # Errors
/// An attribute that there is not, or that may not be this.
pub(super) fn read(
    given: Option<&Map<String, Value>>,
    fifo: bool,
    creating: bool,
) -> Result<Attributes, ApiError> {
    let mut read = Attributes::new();
    for (name, value) in given.into_iter().flatten() {
        let value = value.as_str().ok_or_else(|| error::attribute_value(name))?;
        check(name, value, fifo, creating)?;
        read.insert(name.clone(), value.to_owned());
    }
    Ok(read)
}

fn check(name: &str, value: &str, fifo: bool, creating: bool) -> Result<(), ApiError> {
    let one_of = |values: &[&str]| {
        if values.contains(&value) {
            Ok(())
        } else {
            Err(error::attribute_value(name))
        }
    };
    if let Some((_, least, most)) = NUMBERS.iter().find(|(number, ..)| *number == name) {
        return match value.parse::<u64>() {
            Ok(number) if (*least..=*most).contains(&number) => Ok(()),
            _ => Err(error::attribute_value(name)),
        };
    }
    match name {
        "Policy" if value.is_empty() => Ok(()),
        "Policy" => Policy::parse(value, Kind::Resource)
            .map(drop)
            .map_err(|_| error::attribute_value(name)),
        "RedrivePolicy" if value.is_empty() => Ok(()),
        "RedrivePolicy" => Redrive::read(value).map(drop),
        "RedriveAllowPolicy" if value.is_empty() => Ok(()),
        "RedriveAllowPolicy" => RedriveAllow::read(value).map(drop),
        "KmsMasterKeyId" => Ok(()),
        "SqsManagedSseEnabled" => one_of(&["true", "false"]),
        // Only when a queue is made, and only what its name says.
        "FifoQueue" if creating && fifo => one_of(&["true"]),
        "FifoQueue" if creating => Err(error::attribute_name(name)),
        "ContentBasedDeduplication" if fifo => one_of(&["true", "false"]),
        "DeduplicationScope" if fifo => one_of(&["queue", "messageGroup"]),
        "FifoThroughputLimit" if fifo => one_of(&["perQueue", "perMessageGroupId"]),
        _ => Err(error::attribute_name(name)),
    }
}

/// Where messages go that are received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    /// The ARN of the dead-letter queue.
    pub(super) target: String,
    /// How often a message is received at most.
    pub(super) most: u64,
}

impl Redrive {
    /// Reads a `RedrivePolicy`.
    pub(super) fn read(text: &str) -> Result<Self, ApiError> {
        let invalid = |reason: &str| error::invalid(text, "RedrivePolicy", reason);
        let policy: Map<String, Value> = serde_json::from_str(text)
            .map_err(|_| invalid("Redrive policy is not a valid JSON map."))?;
        let mandatory = |name: &str| {
            let reason = format!("Redrive policy does not contain mandatory attribute: {name}.");
            policy.get(name).ok_or_else(|| invalid(&reason))
        };
        let target = mandatory("deadLetterTargetArn")?;
        let most = mandatory("maxReceiveCount")?;
        if let Some(other) = policy
            .keys()
            .find(|name| !["deadLetterTargetArn", "maxReceiveCount"].contains(&name.as_str()))
        {
            return Err(invalid(&format!("{other}: Unknown attribute.")));
        }
        let target = target
            .as_str()
            .filter(|arn| super::queue::Arn::parse(arn).is_some())
            .ok_or_else(|| invalid("Invalid value for deadLetterTargetArn."))?;
        // A number, or a text of one: clients send both.
        let number = match most {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        let most = number.filter(|most| (1..=1000).contains(most)).ok_or_else(|| {
            let shown = most.as_str().map_or_else(|| most.to_string(), str::to_owned);
            invalid(&format!(
                "Invalid value for maxReceiveCount: {shown}, valid values are from 1 to 1000 both inclusive."
            ))
        })?;
        Ok(Self {
            target: target.to_owned(),
            most,
        })
    }
}

/// Which queues may send their dead letters to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RedriveAllow {
    All,
    None,
    Queues(Vec<String>),
}

impl RedriveAllow {
    /// Reads a `RedriveAllowPolicy`.
    pub(super) fn read(text: &str) -> Result<Self, ApiError> {
        let invalid = |reason: &str| error::invalid(text, "RedriveAllowPolicy", reason);
        let policy: Map<String, Value> = serde_json::from_str(text)
            .map_err(|_| invalid("Redrive allow policy is not a valid JSON map."))?;
        let queues = policy.get("sourceQueueArns").and_then(Value::as_array);
        match (
            policy.get("redrivePermission").and_then(Value::as_str),
            queues,
        ) {
            (Some("allowAll"), None) => Ok(Self::All),
            (Some("denyAll"), None) => Ok(Self::None),
            (Some("byQueue"), Some(queues)) if (1..=10).contains(&queues.len()) => {
                Ok(Self::Queues(
                    queues
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                ))
            }
            _ => Err(invalid(
                "Amazon SQS can't create the redrive allow policy. Check redrivePermission and \
                 sourceQueueArns.",
            )),
        }
    }

    /// Whether this queue may.
    pub(super) fn allows(&self, queue: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Queues(queues) => queues.iter().any(|one| one == queue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, value: &str, fifo: bool) -> Option<&'static str> {
        check(name, value, fifo, true).err().map(|error| error.code)
    }

    #[test]
    fn attributes_are_held_against_their_ranges() {
        assert_eq!(code("DelaySeconds", "900", false), None);
        assert_eq!(
            code("DelaySeconds", "901", false),
            Some("InvalidAttributeValue")
        );
        assert_eq!(code("MaximumMessageSize", "1048576", false), None);
        assert_eq!(
            code("MaximumMessageSize", "1023", false),
            Some("InvalidAttributeValue")
        );
        assert_eq!(
            code("VisibilityTimeout", "-1", false),
            Some("InvalidAttributeValue")
        );
        assert_eq!(code("QueueArn", "x", false), Some("InvalidAttributeName"));
        assert_eq!(
            code("FifoQueue", "true", false),
            Some("InvalidAttributeName")
        );
        assert_eq!(code("FifoQueue", "true", true), None);
        assert_eq!(
            code("FifoQueue", "false", true),
            Some("InvalidAttributeValue")
        );
    }

    #[test]
    fn redrive_policies_are_read() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
        let read = |count: &str| {
            Redrive::read(&format!(
                r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{count}}}"#
            ))
        };
        assert_eq!(read("3").unwrap().most, 3);
        assert_eq!(read("\"3\"").unwrap().target, arn);
        for bad in ["0", "1001", "\"x\"", "null"] {
            let error = read(bad).unwrap_err();
            assert!(
                error.message.contains("valid values are from 1 to 1000"),
                "{bad}"
            );
        }
        for bad in ["", "[]", "{}", r#"{"maxReceiveCount":3}"#] {
            assert_eq!(
                Redrive::read(bad).unwrap_err().code,
                "InvalidParameterValueException"
            );
        }
    }

    #[test]
    fn queues_choose_whose_dead_letters_they_take() {
        let by_queue = r#"{"redrivePermission":"byQueue","sourceQueueArns":["a"]}"#;
        assert!(RedriveAllow::read(by_queue).unwrap().allows("a"));
        assert!(!RedriveAllow::read(by_queue).unwrap().allows("b"));
        let none = r#"{"redrivePermission":"denyAll"}"#;
        assert!(!RedriveAllow::read(none).unwrap().allows("a"));
        assert!(RedriveAllow::read("{}").is_err());
    }
}
