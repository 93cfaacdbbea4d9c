//! `anyport logs`

use std::time::{Duration, SystemTime};

use anyport::call::{LogLine, LogQuery};
use anyport::plan::VersionId;
use futures_util::StreamExt as _;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{JSON_SCHEMA, sorted, words};
use crate::session::Session;

/// Show what a function wrote, oldest first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The function
    name: String,
    /// Keep on showing new lines, until Ctrl-C
    #[arg(short = 'f', long)]
    follow: bool,
    /// Only lines this recent, such as 10m
    #[arg(long, value_name = "TIME", value_parser = anyport::manifest::parse_duration)]
    since: Option<Duration>,
    /// Only the last lines
    #[arg(short = 'n', long, value_name = "COUNT")]
    tail: Option<usize>,
    /// Only lines of this invocation
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Only lines of this version
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let (name, target) = session.target_of(&args.name).await?;
    let mut query = LogQuery::new(name);
    query.follow = args.follow;
    query.tail = args.tail;
    query.request_id = args.request_id;
    query.version = args.version_id.map(VersionId::new);
    query.since = args
        .since
        .and_then(|time| SystemTime::now().checked_sub(time));
    let mut lines = target.logs(query).await?;
    loop {
        let line = tokio::select! {
            // Ctrl-C is how following ends, not what the lines then say about it.
            biased;
            () = context.cancel.cancelled() => None,
            line = lines.next() => line,
        };
        match line {
            Some(line) => show(context, &line?)?,
            None => return Ok(Exit::Clean),
        }
    }
}

/// Before the further lines of an entry.
const INDENT: &str = "    ";

pub(super) fn show(context: &Context, line: &LogLine) -> Result<(), Failure> {
    let output = &context.output;
    if output.json {
        let object = json!({
            "schema": JSON_SCHEMA,
            "time": words::time(line.time),
            "text": line.text,
            "request_id": line.request_id,
            "version": line.version,
            "instance": line.instance,
        });
        return output.line(&sorted(object));
    }
    let style = output.style();
    let mut out = style.faint(words::time(line.time));
    if let Some(version) = &line.version {
        out.push_str(&style.faint(format_args!(" v{version}")));
    }
    out.push(' ');
    out.push_str(&words::printable_lines(&line.text, INDENT));
    output.line(&out)
}
