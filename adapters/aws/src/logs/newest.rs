//! The newest events, without reading those before: pages are asked for newest first.

use anyport_core::error::Result;

use super::Source;
use super::line::Reader;
use crate::wire::logs::{Event, FilterLogEvents};

/// 2024-01-01: asking for the newest first works from then on. Source: CloudWatch Logs service model, `startFromHead`.
const EARLIEST: u64 = 1_704_067_200_000;

/// The events that hold the newest `most` lines, oldest first; with Lambda's own lines between and just before them.
pub(super) async fn events(
    source: &Source,
    most: usize,
    since: Option<u64>,
    reader: &Reader,
) -> Result<Vec<Event>> {
    let mut events: Vec<Event> = Vec::new();
    let mut lines = 0;
    let mut token = None;
    loop {
        let request = FilterLogEvents {
            start_time: Some(since.unwrap_or_default().max(EARLIEST)),
            start_from_head: Some(false),
            next_token: token,
            ..FilterLogEvents::default()
        };
        let Some(page) = source.page(request).await? else {
            break;
        };
        lines += page.events.iter().filter(|it| reader.counts(it)).count();
        events.extend(page.events);
        token = page.next_token;
        // One who does not know the direction answers oldest first: then the newest come last, and everything has to be read.
        if token.is_none() || (lines >= most && !ascends(&events)) {
            break;
        }
    }
    if !ascends(&events) {
        events.reverse();
    }
    Ok(events)
}

fn ascends(events: &[Event]) -> bool {
    match (events.first(), events.last()) {
        (Some(first), Some(last)) => place(first) < place(last),
        _ => false,
    }
}

/// The place of an event: ids of events are numbers that grow.
fn place(event: &Event) -> (u64, usize, &str) {
    (event.timestamp, event.event_id.len(), &event.event_id)
}
