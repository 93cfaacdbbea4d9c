//! The events of one invocation, without reading those of all others: its beginnings are searched for, and read on from there.

use anyport_core::error::Result;

use super::Source;
use super::platform::{self, Own};
use crate::wire::logs::{Event, FilterLogEvents};

/// The events around the invocation `id`, attempt after attempt: an event that is tried again keeps its id.
pub(super) async fn events(source: &Source, id: &str, since: Option<u64>) -> Result<Vec<Event>> {
    // Lambda's ids are UUIDs: nothing else can be an invocation, and nothing else may get into a filter pattern.
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    for start in starts(source, id, since).await? {
        attempt(source, id, start, &mut events).await?;
    }
    Ok(events)
}

/// The lines with which its attempts begin.
async fn starts(source: &Source, id: &str, since: Option<u64>) -> Result<Vec<Event>> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = FilterLogEvents {
            start_time: since,
            filter_pattern: Some(format!("\"{id}\"")),
            next_token: token,
            ..FilterLogEvents::default()
        };
        let Some(page) = source.page(request).await? else {
            return Ok(found);
        };
        found.extend(page.events.into_iter().filter(|it| starts_with(it, id)));
        token = page.next_token;
        if token.is_none() {
            return Ok(found);
        }
    }
}

fn starts_with(event: &Event, id: &str) -> bool {
    matches!(platform::own(&event.message), Some(Own::Start { request_id, .. }) if request_id == id)
}

/// What its instance wrote from there on, until the figures of the invocation, or the beginning of another one.
async fn attempt(source: &Source, id: &str, start: Event, events: &mut Vec<Event>) -> Result<()> {
    let mut begun = false;
    let mut token = None;
    loop {
        let request = FilterLogEvents {
            log_stream_names: Some([&start.log_stream_name]),
            start_time: Some(start.timestamp),
            next_token: token,
            ..FilterLogEvents::default()
        };
        let Some(page) = source.page(request).await? else {
            return Ok(());
        };
        for event in page.events {
            let own = platform::own(&event.message);
            let (ends, begins) = match own {
                Some(Own::Report) => (true, false),
                Some(Own::Start { request_id, .. }) => (request_id != id, request_id == id),
                _ => (false, false),
            };
            begun |= begins;
            if !begun {
                // Of the same millisecond, and of the invocation before.
                continue;
            }
            events.push(event);
            if ends {
                return Ok(());
            }
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}
