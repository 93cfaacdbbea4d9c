//! The platform: one daemon for each release of a function, behind a Unix socket.
//!
//! `unixd RELEASE_DIR` starts a daemon in the background, prints one line of JSON when it takes calls
//! or has failed, and ends. The daemon runs the function through `anyport-engine` until it is told
//! to leave. It is what a cloud is to other adapters: the adapter knows its protocol, nothing else.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyport_engine::{
    Engine, EngineConfig, InvokeError, Launch as How, Pool, PoolSpec, Request, StartFailure,
};
use bytes::Bytes;
use custom_adapter::protocol::{
    self, Answer, Ask, CODE_DIR, Call, Failure, HELLO, LAUNCH_FILE, Launch, MAX_BODY, SOCKET,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let done = match (arguments.next(), arguments.next()) {
        (Some(flag), Some(dir)) if flag == "--serve" => serve(Path::new(&dir)),
        (Some(dir), None) => launch(Path::new(&dir)),
        _ => Err("usage: unixd RELEASE_DIR".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("unixd: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the daemon in a process group of its own and passes its first line on.
#[allow(
    clippy::zombie_processes,
    reason = "the daemon outlives this process, and init collects it"
)]
fn launch(dir: &Path) -> Result<()> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("daemon.log"))?;
    let mut daemon = Command::new(std::env::current_exe()?)
        .arg("--serve")
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let mut line = String::new();
    if let Some(output) = daemon.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    if line.is_empty() {
        return Err(fs::read_to_string(dir.join("daemon.log"))?.into());
    }
    print!("{line}");
    Ok(())
}

fn serve(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(daemon(dir));
    // The thread that watches standard input would hold an orderly end up.
    runtime.shutdown_background();
    served
}

async fn daemon(dir: &Path) -> Result<()> {
    let launch: Launch = serde_json::from_slice(&fs::read(dir.join(LAUNCH_FILE))?)?;
    let engine = Engine::start(EngineConfig::default()).await?;
    let pool = engine.pool(pool_spec(&launch, dir))?;
    let started = tokio::select! {
        started = pool.probe() => started,
        () = launcher_gone() => Err("whoever started this daemon is gone")?,
    };
    if let Err(failure) = started {
        engine.shutdown().await;
        return announce(&Answer::Failed(not_started(&failure)));
    }
    let socket = dir.join(SOCKET);
    let listener = UnixListener::bind(&socket)?;
    // When nobody reads this any more, nobody knows of this daemon, and it ends.
    if let Err(why) = announce(&Answer::Ready) {
        let _ = fs::remove_file(&socket);
        return Err(why);
    }

    let mut calls = JoinSet::new();
    let (leave, mut leaving) = mpsc::channel(1);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let (drain, waiting) = loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                calls.spawn(converse(stream, pool.clone(), leave.clone()));
            }
            Some(_) = calls.join_next() => {}
            Some((drain, stream)) = leaving.recv() => break (drain, Some(stream)),
            // Whoever removed the directory by hand wants the daemon to go as well.
            _ = tick.tick() => if !socket.exists() { break (false, None) },
        }
    };
    // First nobody can come any more; who came and was not greeted will try the next daemon.
    let _ = fs::remove_file(&socket);
    drop(listener);
    if drain {
        while calls.join_next().await.is_some() {}
    }
    calls.shutdown().await;
    engine.shutdown().await;
    drop(waiting);
    Ok(())
}

fn announce(answer: &Answer) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(answer)?)?;
    Ok(out.flush()?)
}

/// Resolves when the other end of standard input is closed: the launcher was killed.
async fn launcher_gone() {
    let read = tokio::task::spawn_blocking(|| io::stdin().read(&mut [0]));
    let _ = read.await;
}

/// One exchange. Errors end it: there is nobody left to tell.
async fn converse(
    mut stream: UnixStream,
    pool: Pool,
    leave: mpsc::Sender<(bool, UnixStream)>,
) -> io::Result<()> {
    stream.write_u8(HELLO).await?;
    let (ask, body) = protocol::read(&mut stream).await?;
    match ask {
        Ask::Leave { drain } => {
            let _ = leave.send((drain, stream)).await;
            Ok(())
        }
        Ask::Call(call) => {
            let (answer, body) = match invoke(&pool, call, body).await {
                Ok(answered) => answered,
                Err(why) => (Answer::Failed(failure(why)), Bytes::new()),
            };
            protocol::write(&mut stream, &answer, &body).await?;
            stream.shutdown().await
        }
    }
}

async fn invoke(
    pool: &Pool,
    call: Call,
    body: Bytes,
) -> std::result::Result<(Answer, Bytes), InvokeError> {
    let mut request = Request::new(call.request_id, body);
    request.content_type = Some(call.content_type);
    request.traceparent = call.traceparent;
    request.idempotency_key = call.idempotency_key;
    let response = pool.invoke(request).await?;
    let answer = Answer::Reply {
        content_type: response.content_type,
        status: pool
            .spec()
            .launch
            .eq(&How::HttpBootstrap)
            .then_some(response.status),
        cold: response.cold,
        micros: u64::try_from(response.metrics.duration.as_micros()).unwrap_or(u64::MAX),
    };
    Ok((answer, response.body.collect(MAX_BODY.into()).await?))
}

fn pool_spec(launch: &Launch, dir: &Path) -> PoolSpec {
    let how = if launch.http {
        How::HttpBootstrap
    } else {
        How::Bootstrap
    };
    let mut spec = PoolSpec::new(&launch.function, &launch.version, dir.join(CODE_DIR), how);
    spec.env.clone_from(&launch.env);
    spec.memory_mb = launch.memory_mb;
    spec.timeout = Duration::from_millis(launch.timeout_ms);
    spec.max_instances = launch.max_instances as usize;
    spec.media_any = true;
    spec.max_response_bytes = MAX_BODY.into();
    spec
}

fn not_started(failure: &StartFailure) -> Failure {
    Failure::NotStarted {
        reason: "start".to_owned(),
        message: failure.kind.to_string(),
        logs: failure.log_tail.clone(),
    }
}

fn failure(why: InvokeError) -> Failure {
    let may_have_run = why.may_have_run();
    match why {
        InvokeError::Function(error) => Failure::Function {
            stack: stack(&error.payload),
            handled: error.handled,
            error_type: error.error_type,
            message: error.message,
            logs: error.log_tail,
        },
        InvokeError::OutOfMemory { limit_mb, log_tail } => Failure::Function {
            handled: false,
            error_type: "OutOfMemory".to_owned(),
            message: format!("it used more than {limit_mb} MB and was stopped"),
            stack: Vec::new(),
            logs: log_tail,
        },
        InvokeError::Timeout { limit, .. } => Failure::TimedOut {
            limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        },
        InvokeError::Overloaded { .. } => Failure::Busy,
        InvokeError::TooLarge { .. } => Failure::TooLarge,
        InvokeError::StartFailed(failure) => not_started(&failure),
        _ => Failure::Ended { may_have_run },
    }
}

/// The stack in a Runtime API error, where the function sent one.
fn stack(payload: &[u8]) -> Vec<String> {
    let error: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    ["stackTrace", "trace"]
        .iter()
        .find_map(|key| serde_json::from_value(error.get(key)?.clone()).ok())
        .unwrap_or_default()
}
