//! Conditions of requests: entity tags and dates.
//!
//! Source: S3 user guide, "Conditional requests"; RFC 9110, section 13.

use serde_json::Value;

use super::error;
use super::store::{Object, Version};
use crate::answer::ApiError;
use crate::call::Call;

/// What the conditions of a read say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// To be answered.
    Go,
    /// The client has it already.
    NotModified,
}

/// Names of the members that hold conditions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    if_match: &'static str,
    if_none_match: &'static str,
    if_modified_since: &'static str,
    if_unmodified_since: &'static str,
}

/// Of a read.
pub(super) const READ: Names = Names {
    if_match: "IfMatch",
    if_none_match: "IfNoneMatch",
    if_modified_since: "IfModifiedSince",
    if_unmodified_since: "IfUnmodifiedSince",
};

/// Of the source of a copy.
pub(super) const SOURCE: Names = Names {
    if_match: "CopySourceIfMatch",
    if_none_match: "CopySourceIfNoneMatch",
    if_modified_since: "CopySourceIfModifiedSince",
    if_unmodified_since: "CopySourceIfUnmodifiedSince",
};

/// Whether a list of entity tags has this one, or is `*`.
fn has(list: &str, etag: &str) -> bool {
    list.trim() == "*"
        || list.split(',').any(|one| {
            let one = one.trim();
            one.strip_prefix("W/").unwrap_or(one).trim_matches('"') == etag
        })
}

/// Seconds since 1970 of a date member.
fn date(call: &Call, member: &str) -> Option<i64> {
    match call.get(member)? {
        // HTTP dates have no fractions.
        Value::Number(number) => number.as_f64().map(|seconds| seconds as i64),
        Value::String(text) => text
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| {
                jiff::fmt::rfc2822::DateTimeParser::new()
                    .parse_timestamp(text)
                    .ok()
            })
            .map(jiff::Timestamp::as_second),
        _ => None,
    }
}

/// Holds a read against its conditions. An entity tag is stronger than a date.
///
/// # Errors
/// `PreconditionFailed`.
pub(super) fn read(
    call: &Call,
    names: Names,
    version: &Version,
    object: &Object,
) -> Result<Verdict, ApiError> {
    let modified = i64::try_from(version.modified / 1000).unwrap_or(i64::MAX);
    match call.text(names.if_match) {
        Some(list) if !has(list, &object.etag) => {
            return Err(error::precondition_failed("If-Match"));
        }
        Some(_) => {}
        None => {
            if date(call, names.if_unmodified_since).is_some_and(|date| modified > date) {
                return Err(error::precondition_failed("If-Unmodified-Since"));
            }
        }
    }
    let known = match call.text(names.if_none_match) {
        Some(list) => has(list, &object.etag),
        None => date(call, names.if_modified_since).is_some_and(|date| modified <= date),
    };
    Ok(if known {
        Verdict::NotModified
    } else {
        Verdict::Go
    })
}

/// Holds a write against its conditions; `current` is the entity tag of what is there.
///
/// # Errors
/// `PreconditionFailed`; `NoSuchKey` for a match with nothing.
pub(super) fn write(call: &Call, key: &str, current: Option<&str>) -> Result<(), ApiError> {
    if let Some(list) = call.text("IfMatch") {
        match current {
            None => return Err(error::no_such_key(key)),
            Some(current) if !has(list, current) => {
                return Err(error::precondition_failed("If-Match"));
            }
            Some(_) => {}
        }
    }
    match call.text("IfNoneMatch").map(str::trim) {
        Some("*") if current.is_some() => Err(error::precondition_failed("If-None-Match")),
        None | Some("*") => Ok(()),
        // Source: S3 API reference, `PutObject`: only `*` is taken.
        Some(_) => Err(ApiError::new(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        )
        .status(501)
        .with("Header", "If-None-Match")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_quoted_weak_and_listed() {
        for list in ["abc", "\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", " * "] {
            assert!(has(list, "abc"), "{list}");
        }
        assert!(!has("\"abd\"", "abc"));
        assert!(!has("", "abc"));
    }
}
