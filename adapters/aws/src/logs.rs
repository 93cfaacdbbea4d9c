//! Log lines, from CloudWatch Logs.
//!
//! Lambda writes an event for each line into the function's log group, one stream for each instance, and lines of its own around each
//! invocation, which say what the lines between belong to. Those are read, and not passed on.

mod invocation;
mod line;
mod newest;
pub(crate) mod platform;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyport_core::call::{LogLine, LogQuery};
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, Result};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::auth::Session;
use crate::error;
use crate::wire::logs::{self as wire, Event, FilterLogEvents};
use line::Reader;

const VERB: &str = "read the logs of";

/// How often a followed log is looked at: CloudWatch takes five such requests a second from a whole account in some regions.
const POLL: Duration = Duration::from_secs(1);
/// How late an event may show up: so far back a followed log is read again.
const LATE: Duration = Duration::from_secs(10);

/// The lines that `query` asks for, oldest first. Reads on as lines are taken; holds one page of events.
///
/// # Errors
/// `NotFound` when there is no such function.
pub(crate) async fn read(
    session: &Arc<Session>,
    cx: &Ctx,
    query: LogQuery,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    let group = group(session, cx, &query).await?;
    let following = Following {
        source: Source {
            session: Arc::clone(session),
            cx: cx.clone().without_deadline(),
            group,
        },
        reader: Reader::new(&query),
        stage: Stage::Begin,
        since: query.since.map(millis),
        token: None,
        newest: 0,
        seen: HashMap::new(),
        was_there: false,
        query,
    };
    let batches = stream::try_unfold(following, |mut following| async move {
        Ok::<_, Error>(following.batch().await?.map(|lines| (lines, following)))
    });
    Ok(batches
        .map_ok(|lines| stream::iter(lines.into_iter().map(Ok)))
        .try_flatten()
        .boxed())
}

/// Where the function writes to.
async fn group(session: &Session, cx: &Ctx, query: &LogQuery) -> Result<String> {
    let name = query.name.as_str();
    cx.call("GetFunction", Effect::Read, name, || async {
        let asked = session.raw.lambda.get_function();
        let found = asked.function_name(name).send().await;
        let found = found.map_err(|failed| error::sdk(VERB, Effect::Read, failed))?;
        let named = found
            .configuration
            .and_then(|it| it.logging_config)
            .and_then(|logging| logging.log_group)
            .filter(|group| !group.is_empty());
        Ok(named.unwrap_or_else(|| wire::group(name)))
    })
    .await
}

/// A log group, and the way to it.
struct Source {
    session: Arc<Session>,
    cx: Ctx,
    group: String,
}

impl Source {
    /// One page, `None` when there is no such group (yet, or any more).
    async fn page(&self, request: FilterLogEvents<'_>) -> Result<Option<wire::Events>> {
        let request = FilterLogEvents {
            log_group_name: &self.group,
            ..request
        };
        error::found(wire::events(&self.session.wire, &self.cx, &request).await)
    }
}

enum Stage {
    Begin,
    /// Pages follow, oldest first.
    Pages,
    /// All that is there was read; a follower looks again.
    CaughtUp,
    Ended,
}

/// Where reading stands.
struct Following {
    source: Source,
    query: LogQuery,
    reader: Reader,
    stage: Stage,
    /// From when on, in milliseconds since 1970.
    since: Option<u64>,
    token: Option<String>,
    /// The newest event so far.
    newest: u64,
    /// The events that a follower may be given again, with their times.
    seen: HashMap<String, u64>,
    was_there: bool,
}

impl Following {
    /// The next lines, perhaps none; `None` at the end.
    async fn batch(&mut self) -> Result<Option<Vec<LogLine>>> {
        match self.stage {
            Stage::Ended => Ok(None),
            Stage::Begin => self.begin().await.map(Some),
            Stage::Pages => self.pages().await,
            Stage::CaughtUp => {
                self.source.cx.pause(VERB, POLL).await?;
                self.since = self.since.max(self.look_back());
                let from = self.since.unwrap_or_default();
                self.seen.retain(|_, time| *time >= from);
                self.stage = Stage::Pages;
                Ok(Some(Vec::new()))
            }
        }
    }

    /// What is there already and has a shorter way than reading everything.
    async fn begin(&mut self) -> Result<Vec<LogLine>> {
        self.stage = Stage::Pages;
        if self.query.follow && self.query.tail.is_none() {
            return Ok(Vec::new());
        }
        let events = match (&self.query.request_id, self.query.tail) {
            (Some(id), _) => invocation::events(&self.source, id, self.since).await?,
            (None, Some(most)) => {
                newest::events(&self.source, most, self.since, &self.reader).await?
            }
            (None, None) => return Ok(Vec::new()),
        };
        self.stage = match self.query.follow {
            true => Stage::CaughtUp,
            false => Stage::Ended,
        };
        self.was_there = !events.is_empty();
        let mut lines: VecDeque<LogLine> = self.take(events).into();
        if let Some(most) = self.query.tail {
            lines.drain(..lines.len().saturating_sub(most));
        }
        if self.newest == 0 {
            self.newest = millis(SystemTime::now());
        }
        // What a follower gets begins here: not with what was left out just now.
        self.since = self.since.max(Some(self.newest));
        Ok(lines.into())
    }

    async fn pages(&mut self) -> Result<Option<Vec<LogLine>>> {
        let request = FilterLogEvents {
            start_time: self.since,
            next_token: self.token.take(),
            ..FilterLogEvents::default()
        };
        let Some(page) = self.source.page(request).await? else {
            // Before the first line there is no group; one that is gone again went with its function.
            let ended = self.was_there || !self.query.follow;
            self.stage = if ended { Stage::Ended } else { Stage::CaughtUp };
            return Ok((!ended).then(Vec::new));
        };
        self.was_there = true;
        self.token = page.next_token;
        if self.token.is_none() {
            self.stage = match self.query.follow {
                true => Stage::CaughtUp,
                false => Stage::Ended,
            };
        }
        Ok(Some(self.take(page.events)))
    }

    /// The lines in these events.
    fn take(&mut self, events: Vec<Event>) -> Vec<LogLine> {
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            self.newest = self.newest.max(event.timestamp);
            if self.query.follow {
                let known = self.seen.insert(event.event_id.clone(), event.timestamp);
                if known.is_some() && !event.event_id.is_empty() {
                    continue;
                }
            }
            lines.extend(self.reader.lift(event));
        }
        lines
    }

    fn look_back(&self) -> Option<u64> {
        let late = u64::try_from(LATE.as_millis()).unwrap_or_default();
        (self.newest > 0).then(|| self.newest.saturating_sub(late))
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
