//! The service's own words: what of them may be shown, and what they say.

use std::fmt::Write as _;

use super::failure::Failure;

/// Characters of a message that are shown.
const SHOWN: usize = 400;

/// Phrases after which messages quote what they were given. Source: observed in public reports of the messages; the list is not complete.
const QUOTES_FROM: [&str; 5] = [
    "String measured:",
    " at [Source:",
    "(Service: ",
    " with payload",
    "Unrecognized token",
];

/// The message as one clause that quotes no value, or nothing.
pub(super) fn shown(failure: &Failure<'_>) -> String {
    let Some(message) = failure.message.as_deref() else {
        return String::new();
    };
    let mut end = message.len();
    for phrase in QUOTES_FROM {
        end = end.min(message.find(phrase).unwrap_or(end));
    }
    let text = without_values(&message[..end]);
    let text = text.trim().trim_end_matches('.').trim_end();
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Validation messages quote values: `Value '...' at 'field' failed to satisfy`. The value goes, the field stays.
fn without_values(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, after)) = rest.split_once("Value '") {
        text.push_str(before);
        match after.find("' at '") {
            Some(end) => {
                // Writing to a string does not fail.
                let _ = write!(text, "the value");
                rest = &after[end + 1..];
            }
            None => {
                let _ = write!(text, "a value");
                rest = "";
            }
        }
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The field of the spec that a message is about, else `otherwise`.
pub(super) fn field<'a>(otherwise: &'a str, said: &str) -> &'a str {
    if otherwise != "request" {
        return otherwise;
    }
    let said = said.to_ascii_lowercase();
    let about = |words: &str| said.contains(words);
    if about("role") {
        "identity"
    } else if about("environment variable") || about("'environment") {
        "env"
    } else if about("kmskeyarn") || about("kms key") {
        "encryption_key"
    } else if about("'memorysize") {
        "memory_mb"
    } else if about("'timeout'") {
        "timeout_ms"
    } else if about("'runtime'") {
        "artifact.runtime"
    } else if about("unreservedconcurrentexecution") {
        "max_instances"
    } else if about("subnet") {
        "network.subnets"
    } else if about("security group") {
        "network.security_groups"
    } else if about("unzipped size") || about("could not unzip") {
        "artifact"
    } else {
        otherwise
    }
}

/// The action in `... is not authorized to perform: ACTION on resource: ...`.
pub(super) fn denied_action(said: &str) -> Option<&str> {
    let (_, after) = said.split_once("not authorized to perform: ")?;
    let action = after
        .split(|c: char| c.is_whitespace() || c == ',')
        .next()?
        .trim_end_matches('.');
    let (service, name) = action.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    (plain(service) && plain(name)).then_some(action)
}

/// The file of this adapter that lists what a verb needs.
pub(super) fn policy_file(action: &str) -> &'static str {
    match action.split_once(':') {
        Some(("lambda", "InvokeFunction" | "InvokeAsync")) => "policy/invoke.json",
        Some(("logs", "FilterLogEvents" | "GetLogEvents")) => "policy/logs.json",
        Some(("sqs", "ReceiveMessage" | "ChangeMessageVisibility")) => "policy/dead-letters.json",
        _ => "policy/deploy.json",
    }
}

/// Whether an answer about a signature is really about the time.
pub(super) fn is_about_time(said: &str) -> bool {
    [
        "Signature expired",
        "Signature not yet current",
        "too skewed",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// The limit in `Request must be smaller than 6291456 bytes`.
pub(super) fn limit(said: &str) -> Option<u64> {
    let (_, after) = said.split_once("smaller than ")?;
    after.split_whitespace().next()?.parse().ok()
}
