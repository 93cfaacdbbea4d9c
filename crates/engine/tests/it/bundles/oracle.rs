//! AWS's own runtime clients, run by the same engine on the same handlers.
//!
//! `ANYPORT_RIC_DIR` names a directory made with `pip install --target DIR awslambdaric` and
//! `npm install --prefix DIR aws-lambda-ric`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyport_engine::{InvokeError, Launch, LogStream, Pool, StartFailureKind};
use serde_json::{Value, json};

use crate::support::{Stage, request};

/// Where AWS's client is, or `None` after saying that the comparison is not run.
pub(crate) fn client(part: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("ANYPORT_RIC_DIR").map(PathBuf::from);
    match dir {
        Some(dir) => {
            assert!(dir.join(part).exists(), "ANYPORT_RIC_DIR holds no {part}");
            Some(dir)
        }
        None => {
            println!("not run: no ANYPORT_RIC_DIR, so no comparison with {part}");
            None
        }
    }
}

/// The interpreter itself behind a version manager's shim.
pub(crate) fn real(program: &str, query: [&str; 2]) -> String {
    let output = Command::new(program).args(query).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a `bootstrap` of a command, in a directory of its own beside a copy of the code.
pub(crate) fn wrap(stage: &Stage, command: &str) {
    use std::os::unix::fs::PermissionsExt;
    stage.file("bootstrap", &format!("#!/bin/sh\nexec {command}\n"));
    let path = stage.code().join("bootstrap");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What became of a call: the answer or error and what was logged, without what differs by nature
/// (ids, times, the paths of the clients themselves).
async fn outcome(stage: &Stage, pool: &Pool, event: &str) -> Value {
    let before = stage.logs.lines().len();
    let mut asked = request(event);
    let id = asked.request_id.clone();
    asked.client_context = Some(r#"{"custom":{"k":"ü"},"client":{"app_title":"t"}}"#.to_owned());
    asked.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let mut result = match pool.invoke(asked).await {
        Ok(reply) => {
            let (kind, streaming) = (reply.content_type.clone(), reply.streaming);
            match reply.body.collect(1 << 20).await {
                Ok(body) => json!({ "body": text(&body), "type": kind, "streaming": streaming }),
                Err(error) => describe(error),
            }
        }
        Err(error) => describe(error),
    };
    let lines = stage.logs.lines();
    // The two streams are two pipes: their order among each other is not known.
    for (name, stream) in [("out", LogStream::Stdout), ("err", LogStream::Stderr)] {
        let lines = lines[before..].iter().filter(|line| line.stream == stream);
        let logged: Vec<String> = lines.map(|line| plain(&line.text, &id)).collect();
        // This warning of Python's shows the client's line that it came to.
        if !logged.iter().any(|line| line.contains("was never awaited")) {
            result[name] = json!(logged);
        }
    }
    result
}

fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!(bytes),
    }
}

fn describe(error: InvokeError) -> Value {
    match error {
        InvokeError::Function(error) => {
            let payload = serde_json::from_slice(&error.payload).unwrap_or(Value::Null);
            json!({ "handled": error.handled, "type": error.error_type, "message": without_id(&error.message), "payload": report(payload) })
        }
        InvokeError::StartFailed(failure) => match failure.kind {
            StartFailureKind::InitError { payload, .. } => {
                json!({ "init": report(serde_json::from_slice(&payload).unwrap()) })
            }
            other => json!({ "start": other.to_string() }),
        },
        other => json!({ "other": other.to_string() }),
    }
}

/// An error report without its request id, and without stack frames of the clients' own.
fn report(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.remove("requestId");
        let message = fields
            .get("errorMessage")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // Node names the files that asked for a missing module: the client's own.
        let message = message.split("\nRequire stack").next().unwrap_or_default();
        let message = without_id(message);
        fields.insert("errorMessage".to_owned(), json!(message));
        if let Some(trace) = fields.get_mut("stackTrace").and_then(Value::as_array_mut) {
            trace.retain(|entry| !in_client(entry.as_str().unwrap_or_default()));
        }
        if let Some(trace) = fields.get_mut("trace").and_then(Value::as_array_mut) {
            let users = trace.iter().filter(|line| {
                let line = line.as_str().unwrap_or_default();
                !line.starts_with("    at ") || line.contains("/code/")
            });
            let users: Vec<Value> = users
                .filter(|line| !line.as_str().unwrap_or_default().starts_with("- "))
                .cloned()
                .collect();
            *trace = users;
        }
    }
    payload
}

fn without_id(message: &str) -> String {
    // simplejson's words for what the standard parser says more briefly.
    let message = message.replace("double quotes or '}'", "double quotes");
    match message
        .strip_prefix("RequestId: ")
        .and_then(|rest| rest.split_once(' '))
    {
        Some((_, rest)) => rest.to_owned(),
        None => message,
    }
}

/// Whether a line of a Python stack trace names the client's own file.
fn in_client(line: &str) -> bool {
    line.contains("/runtime/python.py\"") || line.contains("/awslambdaric/bootstrap.py\"")
}

/// A log line with its id and time replaced, and without the client's own frames.
fn plain(line: &str, id: &str) -> String {
    let line = without_id(&line.replace(id, "ID"));
    let fields = line.split('\t').map(|field| {
        let time = field.starts_with("20") && field.ends_with('Z');
        if time { "TIME" } else { field }
    });
    let line = fields.collect::<Vec<_>>().join("\t");
    let mut parts: Vec<&str> = line.split('\r').collect();
    if let Some(at) = parts.iter().position(|part| in_client(part)) {
        parts.drain(at..(at + 2).min(parts.len()));
    }
    let line = parts.join("\r");
    let cut = ["\\nRequire stack", ",\"stack\":["];
    let end = cut.iter().filter_map(|mark| line.find(mark)).min();
    line[..end.unwrap_or(line.len())].to_owned()
}

/// Outcomes beside each other; all differences are shown at once.
#[derive(Default)]
pub(crate) struct Comparison {
    same: usize,
    /// Calls that both clients answered.
    answers: usize,
    different: Vec<String>,
}

impl Comparison {
    pub(crate) fn add(&mut self, handler: &str, event: &str, ours: &Value, theirs: &Value) {
        if ours == theirs {
            self.same += 1;
            self.answers += usize::from(ours.get("body").is_some());
        } else {
            self.different.push(format!(
                "{handler} on {event}\n  ours   {ours}\n  theirs {theirs}"
            ));
        }
    }

    pub(crate) fn end(self, client: &str) {
        println!("{} outcomes are the same as {client}'s", self.same);
        assert!(
            self.different.is_empty(),
            "{} differ:\n{}",
            self.different.len(),
            self.different.join("\n")
        );
        assert!(
            self.answers > 20,
            "only {} calls were answered",
            self.answers
        );
    }
}

/// The variables by which the vendor's clients tell what they run on.
pub(crate) fn disguise(env: &mut BTreeMap<String, String>, handler: &str, execution: &str) {
    env.insert("_HANDLER".to_owned(), handler.to_owned());
    env.insert("AWS_EXECUTION_ENV".to_owned(), execution.to_owned());
}

/// Calls a handler through `launch` with one event after the other, as errors must leave it usable.
pub(crate) async fn try_all(
    stage: &Stage,
    launch: &Launch,
    events: &[&str],
    change: impl Fn(&mut anyport_engine::PoolSpec),
) -> Vec<Value> {
    let pool = stage.pool_with(launch.clone(), change);
    let mut outcomes = Vec::new();
    for event in events {
        outcomes.push(outcome(stage, &pool, event).await);
        // What can't be loaded fails whatever the event.
        if outcomes.iter().any(|outcome| outcome.get("init").is_some()) {
            break;
        }
    }
    pool.close().await;
    outcomes
}

/// Where a program's code lies, for stack traces that name files.
pub(crate) fn at(dir: &Path, file: &str) -> String {
    dir.join(file).display().to_string()
}
