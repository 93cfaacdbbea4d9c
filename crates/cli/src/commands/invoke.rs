//! `anyport invoke`

use std::path::PathBuf;
use std::time::Duration;

use anyport::call::{Body, Call, Qualifier, Reply};
use anyport::capability::{Capabilities, DeliveredBy};
use anyport::plan::VersionId;
use anyport::spec::Name;
use anyport::{InvokeOptions, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::payload::{self, From};
use crate::render::{view, words};
use crate::session::Session;

/// Call a function and print its answer. Without --data and --file the payload is what is piped to standard input, or else `{}`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The function
    name: String,
    /// The payload
    #[arg(short, long, value_name = "TEXT", conflicts_with = "file")]
    data: Option<String>,
    /// A file that holds the payload, `-` for standard input
    #[arg(short, long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// The payload's media type; JSON unless the file's name says otherwise
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Do not wait for the answer: print the id under which it was accepted
    #[arg(long = "async", conflicts_with_all = ["version_id", "timeout"])]
    queued: bool,
    /// Call this version, whatever traffic it has
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
    /// Makes a repetition recognisable to the function
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// How long to wait, such as 10s
    #[arg(long, value_name = "TIME", value_parser = anyport::manifest::parse_duration)]
    timeout: Option<Duration>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let (name, target) = session.target_of(&args.name).await?;
    let capabilities = target.capabilities().await?;
    let call = call(context, &args, name, &capabilities).await?;
    if args.queued {
        return enqueue(context, &target, call, &capabilities).await;
    }
    let mut options = InvokeOptions::default();
    if let Some(limit) = args.timeout {
        options = options.timeout(limit);
    }
    let reply = target.invoke_with(call, options).await?;
    print(context, reply, capabilities.invoke.max_reply).await
}

async fn call(
    context: &Context,
    args: &Args,
    name: Name,
    capabilities: &Capabilities,
) -> Result<Call, Failure> {
    let from = match (&args.data, &args.file) {
        (Some(text), _) => From::Text(text),
        (None, Some(path)) => From::File(path),
        (None, None) => From::Unnamed,
    };
    let most = match capabilities.enqueue.get() {
        Some(enqueue) if args.queued => enqueue.max_payload,
        _ => capabilities.invoke.max_request,
    };
    let waiting = || {
        context
            .output
            .note("waiting for the payload on standard input; name another with --data or --file");
    };
    // Reading must not outlive Ctrl-C: who sends may never end.
    let payload = tokio::select! {
        payload = payload::read(from, args.content_type.as_deref(), most, waiting) => payload?,
        () = context.cancel.cancelled() => {
            return Err(Failure::new("cancelled", "stopped before anything was sent"));
        }
    };
    let mut call = Call::new(name, payload.bytes);
    call.content_type = payload.content_type;
    call.idempotency_key.clone_from(&args.idempotency_key);
    if let Some(version) = &args.version_id {
        call.qualifier = Qualifier::Version(VersionId::new(version));
    }
    Ok(call)
}

async fn enqueue(
    context: &Context,
    target: &Target,
    call: Call,
    capabilities: &Capabilities,
) -> Result<Exit, Failure> {
    let accepted = target.enqueue(call).await?;
    let output = &context.output;
    if output.json {
        output.object("invoke", json!({ "accepted": accepted }))?;
    } else {
        output.line(&accepted.id)?;
    }
    output.detail(&format!(
        "if every attempt fails it is kept at {}",
        accepted.dead_letter
    ));
    if capabilities
        .enqueue
        .get()
        .is_some_and(|queue| queue.delivered_by == DeliveredBy::HoldingProcess)
    {
        output
            .note("it waits on disk until a process holds the target open, such as `anyport dev`");
    }
    Ok(Exit::Clean)
}

async fn print(context: &Context, reply: Reply, most: u64) -> Result<Exit, Failure> {
    let output = &context.output;
    output.detail(&summary(&reply));
    // An HTTP function's own refusal is an answer, and still not what was hoped for.
    let exit = if reply.status.is_some_and(|status| status >= 400) {
        Exit::Error
    } else {
        Exit::Clean
    };
    if output.json {
        let mut fields = json!({
            "request_id": reply.request_id,
            "version": reply.version,
            "status": reply.status,
            "content_type": reply.content_type,
            "duration_ms": reply.duration.map(view::millis),
            "cold": reply.cold,
        });
        let content_type = reply.content_type.clone();
        let bytes = reply.body.collect(most.max(1 << 20)).await?;
        if let Some(fields) = fields.as_object_mut() {
            let (key, value) = body(&content_type, &bytes);
            fields.insert(key.to_owned(), value);
        }
        output.object("invoke", fields)?;
        return Ok(exit);
    }
    if let Some(status) = reply.status.filter(|_| exit != Exit::Clean) {
        output.warn(&format!("the function answered with status {status}"));
    }
    let mut ends_line = true;
    let mut stream = match reply.body {
        Body::Bytes(bytes) => Body::Bytes(bytes).into_stream(),
        Body::Stream(stream) => stream,
    };
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        ends_line = piece.last().map_or(ends_line, |byte| *byte == b'\n');
        output.bytes(&piece)?;
    }
    if output.stdout_is_terminal && !ends_line {
        output.line("")?;
    }
    Ok(exit)
}

/// The body in the most readable form that JSON can carry exactly.
fn body(content_type: &str, bytes: &[u8]) -> (&'static str, Value) {
    if content_type.contains("json")
        && let Ok(value) = serde_json::from_slice(bytes)
    {
        return ("body", value);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => ("body_text", json!(text)),
        Err(_) => ("body_base64", json!(STANDARD.encode(bytes))),
    }
}

fn summary(reply: &Reply) -> String {
    let mut parts = vec![format!("request {}", reply.request_id)];
    if let Some(version) = &reply.version {
        parts.push(format!("version {version}"));
    }
    if let Some(time) = reply.duration {
        parts.push(words::duration(time));
    }
    if reply.cold == Some(true) {
        parts.push("cold start".to_owned());
    }
    parts.push(reply.content_type.clone());
    parts.join(", ")
}
