//! Reading events.

use serde_json::{Map, Value, json};

use super::group::{EVENT_OVERHEAD, Event, Key};
use super::pattern::Pattern;
use super::{
    authorize, bad_token, flag, group_name, invalid, limit, no_stream, number, place_of, token_of,
};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Bytes of events in one answer. Source: CloudWatch Logs API reference, `GetLogEvents`.
const PAGE_BYTES: usize = 1 << 20;
const PAGE_EVENTS: usize = 10_000;

/// `GetLogEvents`: a stream, from its end or from its head, with a token each way. A token stays valid,
/// and is the one that was given where there is nothing more that way.
pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let name = group_name(call)?;
    let stream = call.text("logStreamName").unwrap_or_default();
    authorize(call, "logs:GetLogEvents", &name, stream)?;
    let token = call.text("nextToken").map(Token::read).transpose()?;
    let from_head = flag(call, "startFromHead");
    let (start, end) = (number(call, "startTime"), number(call, "endTime"));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(invalid("Start time is after end time."));
    }
    let limit = limit(call, PAGE_EVENTS);
    let (events, first, last) = call.cx.cloud.logs.with_group(&call.cx, &name, |group| {
        if !group.has_stream(stream) {
            return Err(no_stream());
        }
        let all = group.sorted(|event| {
            &*event.stream == stream
                && start.is_none_or(|start| event.at >= start)
                && end.is_none_or(|end| event.at < end)
        });
        let page = match token {
            Some(Token::Forward(key)) => head(all.iter().filter(|event| event.key() > key), limit),
            Some(Token::Backward(key)) => tail(all.iter().filter(|event| event.key() < key), limit),
            None if from_head => head(all.iter(), limit),
            None => tail(all.iter(), limit),
        };
        let keys = (page.first().map(|e| e.key()), page.last().map(|e| e.key()));
        let page: Vec<Value> = page.into_iter().map(told).collect();
        Ok((page, keys.0, keys.1))
    })?;
    let (forward, backward) = match (first, last, token) {
        (Some(first), Some(last), _) => (last, first),
        // Nothing: what was behind this place stays behind it.
        (_, _, Some(Token::Forward(key))) => (key, (key.0, key.1 + 1)),
        (_, _, Some(Token::Backward(key))) => ((key.0, key.1.saturating_sub(1)), key),
        _ => ((0, 0), (0, 0)),
    };
    Ok(Answer::json(json!({
        "events": events,
        "nextForwardToken": Token::Forward(forward).write(),
        "nextBackwardToken": Token::Backward(backward).write(),
    })))
}

/// `FilterLogEvents`: a group, by streams, times and a pattern, oldest first.
pub(super) fn filter(call: &Call) -> Result<Answer, ApiError> {
    let name = group_name(call)?;
    authorize(call, "logs:FilterLogEvents", &name, "")?;
    let names: Option<Vec<&str>> = call
        .get("logStreamNames")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let prefix = call.text("logStreamNamePrefix");
    if names.is_some() && prefix.is_some() {
        return Err(invalid(
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
        ));
    }
    let pattern = Pattern::parse(call.text("filterPattern").unwrap_or_default())
        .ok_or_else(|| invalid("Invalid filter pattern"))?;
    let after = match call.text("nextToken").map(place_of).transpose()? {
        Some(place) => Some(read_key(&place).ok_or_else(bad_token)?),
        None => None,
    };
    let (start, end) = (number(call, "startTime"), number(call, "endTime"));
    let limit = limit(call, PAGE_EVENTS);
    let (events, next) = call.cx.cloud.logs.with_group(&call.cx, &name, |group| {
        if let Some(names) = &names
            && names.iter().any(|name| !group.has_stream(name))
        {
            return Err(no_stream());
        }
        let all = group.sorted(|event| {
            start.is_none_or(|start| event.at >= start)
                && end.is_none_or(|end| event.at <= end)
                && after.is_none_or(|after| event.key() > after)
                && prefix.is_none_or(|prefix| event.stream.starts_with(prefix))
                && names
                    .as_ref()
                    .is_none_or(|names| names.contains(&&*event.stream))
                && pattern.matches(&event.message)
        });
        let page = head(all.iter(), limit);
        let more = page.len() < all.len();
        let next = page.last().filter(|_| more).map(|event| event.key());
        let page: Vec<Value> = page
            .into_iter()
            .map(|event| {
                let mut event_told = told(event);
                event_told["logStreamName"] = (*event.stream).into();
                event_told["eventId"] = write_key(event.key()).into();
                event_told
            })
            .collect();
        Ok((page, next))
    })?;
    let mut output = Map::new();
    output.insert("events".to_owned(), events.into());
    output.insert("searchedLogStreams".to_owned(), Value::Array(Vec::new()));
    if let Some(next) = next {
        output.insert("nextToken".to_owned(), token_of(&write_key(next)).into());
    }
    Ok(Answer::json(output.into()))
}

fn told(event: &Event) -> Value {
    json!({ "timestamp": event.at, "message": &*event.message, "ingestionTime": event.ingested })
}

/// The first events that fit into a page.
fn head<'a>(events: impl Iterator<Item = &'a &'a Event>, limit: usize) -> Vec<&'a Event> {
    let mut bytes = 0;
    events
        .take(limit)
        .take_while(|event| {
            bytes += event.message.len() + EVENT_OVERHEAD;
            bytes <= PAGE_BYTES || bytes == event.message.len() + EVENT_OVERHEAD
        })
        .copied()
        .collect()
}

/// The last events that fit into a page, in their order.
fn tail<'a>(
    events: impl DoubleEndedIterator<Item = &'a &'a Event>,
    limit: usize,
) -> Vec<&'a Event> {
    let mut page = head(events.rev(), limit);
    page.reverse();
    page
}

/// A place in a stream, and which way to go on from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Events after this one.
    Forward(Key),
    /// Events before this one.
    Backward(Key),
}

impl Token {
    fn write(self) -> String {
        match self {
            Self::Forward(key) => format!("f/{}", write_key(key)),
            Self::Backward(key) => format!("b/{}", write_key(key)),
        }
    }

    fn read(text: &str) -> Result<Self, ApiError> {
        let token = match text.split_at_checked(2) {
            Some(("f/", key)) => read_key(key).map(Self::Forward),
            Some(("b/", key)) => read_key(key).map(Self::Backward),
            _ => None,
        };
        token.ok_or_else(bad_token)
    }
}

/// A key as AWS's event ids and tokens look: 56 digits.
fn write_key((at, number): Key) -> String {
    format!("{at:020}{number:036}")
}

fn read_key(text: &str) -> Option<Key> {
    if text.len() != 56 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((text[..20].parse().ok()?, text[20..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_others_are_refused() {
        for token in [Token::Forward((17, 3)), Token::Backward((0, u64::MAX))] {
            assert_eq!(Token::read(&token.write()).unwrap(), token);
        }
        for bad in [
            "",
            "f/",
            "x/1",
            "f/12",
            "é",
            &format!("f/{}", "9".repeat(56)),
        ] {
            assert!(Token::read(bad).is_err(), "{bad}");
        }
    }
}
