//! Operations on streams, and writing to them.

use serde_json::{Map, Value, json};

use super::group::EVENT_OVERHEAD;
use super::{
    authorize, flag, group_arn, group_name, invalid, limit, no_stream, place_of, token_of,
};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Source: CloudWatch Logs API reference, `PutLogEvents`.
const BATCH_BYTES: usize = 1_048_576;
const HOUR_MS: u64 = 3_600_000;
const OLDEST_MS: u64 = 14 * 24 * HOUR_MS;
const NEWEST_MS: u64 = 2 * HOUR_MS;
const SPAN_MS: u64 = 24 * HOUR_MS;

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let group = call.text("logGroupName").unwrap_or_default();
    let stream = call.text("logStreamName").unwrap_or_default();
    authorize(call, "logs:CreateLogStream", group, stream)?;
    let now = call.cx.cloud.clock.epoch_millis();
    call.cx.cloud.logs.with_group(&call.cx, group, |group| {
        if group.has_stream(stream) {
            return Err(ApiError::new(
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        group.add_stream(stream, now);
        Ok(())
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let group = call.text("logGroupName").unwrap_or_default();
    let stream = call.text("logStreamName").unwrap_or_default();
    authorize(call, "logs:DeleteLogStream", group, stream)?;
    call.cx.cloud.logs.with_group(&call.cx, group, |group| {
        if group.remove_stream(stream) {
            Ok(())
        } else {
            Err(no_stream())
        }
    })?;
    call.cx.cloud.changed();
    Ok(Answer::empty())
}

pub(super) fn describe(call: &Call) -> Result<Answer, ApiError> {
    let name = group_name(call)?;
    authorize(call, "logs:DescribeLogStreams", &name, "")?;
    let by_time = call.text("orderBy") == Some("LastEventTime");
    let prefix = call.text("logStreamNamePrefix");
    if by_time && prefix.is_some() {
        return Err(invalid(
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ));
    }
    let descending = flag(call, "descending");
    let skip = match call.text("nextToken").map(place_of).transpose()? {
        Some(place) => place.parse().map_err(|_| super::bad_token())?,
        None => 0_usize,
    };
    let limit = limit(call, 50);
    let cx = &call.cx;
    let arn = group_arn(&cx.region, &cx.account, &name);
    let (found, more) = cx.cloud.logs.with_group(cx, &name, |group| {
        let mut streams: Vec<_> = group
            .streams
            .iter()
            .filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix)))
            .collect();
        if by_time {
            streams.sort_by_key(|(_, stream)| stream.last);
        }
        if descending {
            streams.reverse();
        }
        let more = streams.len() > skip.saturating_add(limit);
        let found: Vec<Value> = streams
            .into_iter()
            .skip(skip)
            .take(limit)
            .map(|(name, stream)| {
                let mut told = json!({
                    "logStreamName": &**name,
                    "creationTime": stream.created,
                    "arn": format!("{arn}:log-stream:{name}"),
                    // Deprecated, and always nought. Source: CloudWatch Logs API reference.
                    "storedBytes": 0,
                });
                let times = [
                    ("firstEventTimestamp", stream.first),
                    ("lastEventTimestamp", stream.last),
                    ("lastIngestionTime", stream.ingested),
                ];
                for (member, time) in times {
                    if let Some(time) = time {
                        told[member] = time.into();
                    }
                }
                told
            })
            .collect();
        Ok((found, more))
    })?;
    let mut output = Map::new();
    if more {
        let place = (skip + found.len()).to_string();
        output.insert("nextToken".to_owned(), token_of(&place).into());
    }
    output.insert("logStreams".to_owned(), found.into());
    Ok(Answer::json(output.into()))
}

/// `PutLogEvents`. Sequence tokens are taken and not looked at, as AWS does since 2023.
pub(super) fn put(call: &Call) -> Result<Answer, ApiError> {
    let group = call.text("logGroupName").unwrap_or_default();
    let stream = call.text("logStreamName").unwrap_or_default();
    authorize(call, "logs:PutLogEvents", group, stream)?;
    let now = call.cx.cloud.clock.epoch_millis();
    let events: Vec<(u64, &str)> = call
        .get("logEvents")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|event| {
            let at = event["timestamp"].as_u64().unwrap_or(0);
            (at, event["message"].as_str().unwrap_or_default())
        })
        .collect();
    check_batch(&events)?;
    let old = events
        .iter()
        .take_while(|(at, _)| at.saturating_add(OLDEST_MS) < now)
        .count();
    let new = events
        .iter()
        .take_while(|(at, _)| *at <= now.saturating_add(NEWEST_MS))
        .count();
    call.cx.cloud.logs.with_group(&call.cx, group, |group| {
        if !group.has_stream(stream) {
            return Err(no_stream());
        }
        for (at, message) in events.get(old..new.max(old)).unwrap_or_default() {
            group.append(stream, *at, now, message);
        }
        Ok(())
    })?;
    call.cx.cloud.changed();
    let mut rejected = Map::new();
    if old > 0 {
        rejected.insert("tooOldLogEventEndIndex".to_owned(), old.into());
    }
    if new < events.len() {
        rejected.insert("tooNewLogEventStartIndex".to_owned(), new.into());
    }
    let mut output = Map::new();
    output.insert("nextSequenceToken".to_owned(), format!("{now:056}").into());
    if !rejected.is_empty() {
        output.insert("rejectedLogEventsInfo".to_owned(), rejected.into());
    }
    Ok(Answer::json(output.into()))
}

fn check_batch(events: &[(u64, &str)]) -> Result<(), ApiError> {
    let size: usize = events
        .iter()
        .map(|(_, message)| message.len() + EVENT_OVERHEAD)
        .sum();
    if size > BATCH_BYTES {
        return Err(invalid(format!(
            "Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}"
        )));
    }
    if !events.is_sorted_by_key(|(at, _)| *at) {
        return Err(invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    let (first, last) = (events.first(), events.last());
    if let (Some((first, _)), Some((last, _))) = (first, last)
        && last - first > SPAN_MS
    {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_in_order_small_and_short() {
        assert!(check_batch(&[(1, "a"), (1, "b"), (2, "c")]).is_ok());
        let message = |result: Result<(), ApiError>| result.unwrap_err().message;
        assert!(message(check_batch(&[(2, "a"), (1, "b")])).contains("chronological"));
        assert!(message(check_batch(&[(0, "a"), (SPAN_MS + 1, "b")])).contains("24 hours"));
        let large = "x".repeat(BATCH_BYTES);
        assert!(message(check_batch(&[(0, &large)])).contains("too large"));
    }
}
