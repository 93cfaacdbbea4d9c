//! Does what the payload says.

use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyport_runtime::{Context, Error, Request, Response};
use serde_json::{Map, Value, json};

use super::{Command, Fault, VARIANT};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Counts a call of this instance.
pub(super) fn count() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// Sends the payload back as it came.
pub(super) fn echo(fault: Option<Fault>, request: &Request) -> Response {
    let mut body = request.body().clone();
    if fault == Some(Fault::WrongBytes) {
        body = [&body[..], b"\n"].concat().into();
    }
    let response = Response::new(body);
    match request.content_type() {
        Some(_) if fault == Some(Fault::WrongType) => response.with_content_type("text/x-other"),
        Some(content_type) => response.with_content_type(content_type),
        None => response,
    }
}

pub(super) async fn run(
    fault: Option<Fault>,
    command: Command,
    context: &Context,
) -> Result<Response, Error> {
    let words = |message: &str| {
        if fault != Some(Fault::DiesSilently) {
            eprintln!("{message}");
        }
    };
    match command {
        Command::Who => Ok(who(fault, context).into()),
        Command::Env { names } => Ok(env(fault, names).into()),
        Command::Context => Ok(about(fault, context).into()),
        Command::Count => Ok(json!({ "calls": CALLS.load(Ordering::Relaxed) }).into()),
        Command::Fail { kind, message } => Err(Error::new(kind, message)),
        Command::Stumble { mark } => {
            println!("{mark} {}", id(fault, context));
            Err(Error::new("Stumbled", "as asked"))
        }
        Command::Panic { message } => {
            words(&message);
            if fault == Some(Fault::TamesPanics) {
                return Err(Error::new("Tamed", message));
            }
            panic!("{message}")
        }
        Command::Exit { message } => {
            words(&message);
            std::process::exit(3)
        }
        Command::Sleep { ms, mark } => {
            sleep(Duration::from_millis(ms), &mark).await;
            Ok(json!({ "slept_ms": ms }).into())
        }
        Command::Log { text, lines } => {
            for number in 0..lines {
                println!("{text} {number}");
            }
            Ok(json!({ "lines": lines }).into())
        }
        Command::Stream {
            pieces,
            size,
            pause_ms,
        } => {
            let pause = Duration::from_millis(pause_ms);
            Ok(stream(fault, pieces, size.max(32), pause).await)
        }
        Command::Fill { bytes } => {
            Ok(Response::new(vec![b'x'; bytes]).with_content_type("application/octet-stream"))
        }
        Command::Spawn => spawn(),
    }
}

fn variable(fault: Option<Fault>, name: &str) -> Value {
    match std::env::var(name) {
        Ok(value) if fault != Some(Fault::LosesEnvironment) => value.into(),
        _ => Value::Null,
    }
}

fn who(fault: Option<Fault>, context: &Context) -> Value {
    json!({
        "variant": variable(fault, VARIANT),
        "function": context.function(),
        "version": context.version(),
        "memory_mb": context.memory_mb(),
    })
}

fn env(fault: Option<Fault>, names: Vec<String>) -> Value {
    let mut values = Map::new();
    for name in names {
        let value = variable(fault, &name);
        values.insert(name, value);
    }
    Value::Object(values)
}

fn id(fault: Option<Fault>, context: &Context) -> String {
    match fault {
        Some(Fault::RenamesCalls) => format!("call-{}", CALLS.load(Ordering::Relaxed)),
        _ => context.request_id().to_owned(),
    }
}

fn about(fault: Option<Fault>, context: &Context) -> Value {
    let trace = context
        .trace()
        .filter(|_| fault != Some(Fault::DropsTrace))
        .map(ToString::to_string);
    let span = trace.as_ref().map(|_| context.child_span().to_string());
    let key = context
        .idempotency_key()
        .filter(|_| fault != Some(Fault::DropsKey));
    let remaining = context
        .remaining()
        .filter(|_| fault != Some(Fault::IgnoresDeadline))
        .map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
    json!({
        "request_id": id(fault, context),
        "remaining_ms": remaining,
        "trace": trace,
        "span": span,
        "idempotency_key": key,
    })
}

async fn sleep(time: Duration, mark: &str) {
    const TICK: Duration = Duration::from_millis(20);
    if mark.is_empty() {
        return tokio::time::sleep(time).await;
    }
    let ticks = time.as_millis() / TICK.as_millis();
    for number in 0..ticks {
        println!("{mark} {number}");
        tokio::time::sleep(TICK).await;
    }
}

fn piece(size: usize) -> Vec<u8> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut piece = format!("{}\n", now.as_micros()).into_bytes();
    piece.resize(size, b'.');
    piece
}

async fn stream(fault: Option<Fault>, pieces: u32, size: usize, pause: Duration) -> Response {
    const TYPE: &str = "application/octet-stream";
    if fault == Some(Fault::HoldsStream) {
        let mut all = Vec::new();
        for number in 0..pieces {
            if number > 0 {
                tokio::time::sleep(pause).await;
            }
            all.extend(piece(size));
        }
        return Response::new(all).with_content_type(TYPE);
    }
    Response::streaming(TYPE, move |mut out| async move {
        for number in 0..pieces {
            if number > 0 {
                tokio::time::sleep(pause).await;
            }
            out.send(piece(size)).await;
        }
        Ok(())
    })
}

fn spawn() -> Result<Response, Error> {
    let child = Process::new("sleep")
        .arg("600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(json!({ "pid": child.id() }).into())
}
