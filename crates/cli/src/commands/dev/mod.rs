//! `anyport dev`

mod aws;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use anyport::Target;
use anyport::call::{LogLine, LogQuery};
use anyport::provider::{Entry, Scope};
use anyport::spec::Name;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, SelectAll};

use serde_json::json;

use super::logs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::words;
use crate::session::Session;

/// How often functions that were deployed meanwhile are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Serve an embedded AWS and hold the manifest's targets open until Ctrl-C: clients of AWS reach it, waiting events are delivered, and what
/// functions write is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    aws: aws::Served,
}

/// The target that is the embedded AWS.
const EMBEDDED: &str = "lambda://embedded";

type Lines = BoxStream<'static, (Name, anyport::Result<LogLine>)>;

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    // What is delivered as soon as a target is open is shown too.
    let since = SystemTime::now();
    let session = Session::start(context)?;
    let scope = match session.project_if_any() {
        Some(_) => Scope::Owned(session.owner()),
        None => Scope::Everything,
    };
    let urls = match (session.project_if_any(), &context.settings.on) {
        // Without anything to hold open the embedded AWS is all there is.
        (None, None) => vec![
            EMBEDDED
                .parse()
                .map_err(|_| Failure::new("internal", EMBEDDED))?,
        ],
        _ => session.urls()?,
    };
    let aws = match urls.iter().any(|url| url.as_str() == EMBEDDED) {
        true => Some(aws::serve(&args.aws, context).await?),
        false => None,
    };
    if aws.is_none() {
        context.output.note(&format!(
            "no embedded AWS is served: nothing here is bound to {EMBEDDED}; serve one with: anyport dev --on {EMBEDDED}"
        ));
    }
    if context.output.json {
        let aws = aws.as_deref().map(aws::object);
        context.output.object("dev", json!({ "aws": aws }))?;
    }
    let mut targets = Vec::new();
    for url in urls {
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
            // Stopped is stopped, whatever the lines then say about it.
            biased;
            () = context.cancel.cancelled() => return Ok(Exit::Clean),
            _ = look.tick() => {
                for target in &targets {
                    let new = unfollowed(target, &scope, &mut followed).await?;
                    for name in new {
                        match follow(context, target, name, since).await {
                            Ok(more) => lines.push(more),
                            // It may have been removed since it was listed.
                            Err(failure) => context.output.detail(&failure.to_string()),
                        }
                    }
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
    }
}

/// Functions that are not followed yet; from now on they are.
async fn unfollowed(
    target: &Target,
    scope: &Scope,
    followed: &mut BTreeSet<(String, Name)>,
) -> Result<Vec<Name>, Failure> {
    let (mut new, mut there) = (Vec::new(), BTreeSet::new());
    let mut entries = target.list(scope.clone());
    while let Some(entry) = entries.next().await {
        let Entry::Function(function) = entry? else {
            continue;
        };
        let Ok(name) = function.name.parse::<Name>() else {
            continue;
        };
        let key = (target.id().to_string(), name);
        if followed.insert(key.clone()) {
            new.push(key.1.clone());
        }
        there.insert(key);
    }
    // What was removed is followed anew when it comes back.
    followed.retain(|key| key.0 != target.id().as_str() || there.contains(key));
    Ok(new)
}

/// What a function writes from `since` on.
async fn follow(
    context: &Context,
    target: &Target,
    name: Name,
    since: SystemTime,
) -> Result<Lines, Failure> {
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
    let mut query = LogQuery::new(name.clone());
    query.follow = true;
    query.since = Some(since);
    let lines = target.logs(query).await?;
    Ok(lines.map(move |line| (name.clone(), line)).boxed())
}
