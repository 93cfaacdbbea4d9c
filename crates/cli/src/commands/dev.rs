//! `anyport dev`

use std::collections::BTreeSet;
use std::time::Duration;

use anyport::Target;
use anyport::call::{LogLine, LogQuery};
use anyport::provider::{Entry, Scope};
use anyport::spec::Name;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, SelectAll};

use super::logs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::words;
use crate::session::Session;

/// How often functions that were deployed meanwhile are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Hold the manifest's targets open until Ctrl-C: waiting events are delivered, and what functions write is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

type Lines = BoxStream<'static, (Name, anyport::Result<LogLine>)>;

pub(crate) async fn run(_: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let scope = match session.project_if_any() {
        Some(_) => Scope::Owned(session.owner()),
        None => Scope::Everything,
    };
    let mut targets = Vec::new();
    for url in session.urls()? {
        let target = session.target(&url).await?;
        session.introduce(&target).await?;
        targets.push(target);
    }
    let mut followed = BTreeSet::new();
    let mut lines: SelectAll<Lines> = SelectAll::new();
    let mut look = tokio::time::interval(LOOK);
    context.output.note("holding it open; stop with Ctrl-C");
    loop {
        tokio::select! {
            () = context.cancel.cancelled() => return Ok(Exit::Clean),
            _ = look.tick() => {
                for target in &targets {
                    follow(context, target, &scope, &mut followed, &mut lines).await?;
                }
            }
            Some((name, line)) = lines.next(), if !lines.is_empty() => {
                if let Ok(line) = line {
                    if !context.output.json {
                        context.output.bytes(format!("{} ", context.output.style().strong(&name)).as_bytes())?;
                    }
                    logs::show(context, &line)?;
                }
            }
        }
        followed.retain(|(_, name): &(String, Name)| !name.as_str().is_empty());
    }
}

/// Follows every function that is not followed yet, from now on.
async fn follow(
    context: &Context,
    target: &Target,
    scope: &Scope,
    followed: &mut BTreeSet<(String, Name)>,
    lines: &mut SelectAll<Lines>,
) -> Result<(), Failure> {
    let mut entries = target.list(scope.clone());
    while let Some(entry) = entries.next().await {
        let Entry::Function(function) = entry? else {
            continue;
        };
        let Ok(name) = function.name.parse::<Name>() else {
            continue;
        };
        if !followed.insert((target.id().to_string(), name.clone())) {
            continue;
        }
        let mut query = LogQuery::new(name.clone());
        query.follow = true;
        query.since = Some(std::time::SystemTime::now());
        let stream = target.logs(query).await?;
        let label = name.clone();
        lines.push(stream.map(move |line| (label.clone(), line)).boxed());
        let events = target.status(&name).await?.events;
        if events.waiting > 0 {
            let waiting = words::count(
                usize::try_from(events.waiting).unwrap_or(usize::MAX),
                "event",
            );
            context
                .output
                .note(&format!("{name}: {waiting} to deliver"));
        }
    }
    Ok(())
}
