//! Bringing an instance up, and saying why it did not come.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::env::{self, Endpoint, Place};
use super::scratch::Scratch;
use super::{Instance, Life, Server};
use crate::engine::Shared;
use crate::error::{StartFailure, StartFailureKind};
use crate::logs::{InstanceLog, LogOrigin, LogStream};
use crate::pool::PoolInner;
use crate::process::artifact;
use crate::process::cgroup::Group;
use crate::process::family::Family;
use crate::process::interpreter::look_up;
use crate::process::pipe::LogPipe;
use crate::process::spawner::Start;
use crate::process::watch::Memory;
use crate::spec::{Interpreter, Language, Launch, PoolSpec};
use crate::wire::{Http, RuntimeApi, Wire};

/// What to run.
struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    interpreter: String,
}

/// How often a listening function is started when somebody else gets to its port first.
const PORT_TRIES: u32 = 4;

/// How an instance came up.
enum Came {
    /// Ready, failed or ended.
    Settled(Life),
    /// Another process listens on the port that it was given.
    PortTaken,
    /// Not in time.
    Late,
}

/// Starts an instance of the pool and waits until it is ready. What was started and did not get ready
/// is killed before the failure is returned.
pub(crate) async fn launch(pool: &Arc<PoolInner>) -> Result<Arc<Instance>, StartFailure> {
    let spec = &pool.spec;
    let failed = |kind, log_tail| StartFailure {
        function: spec.function.clone(),
        version: spec.version.clone(),
        kind,
        log_tail,
        retry_in: None,
    };
    let program = program(&pool.engine, spec)
        .await
        .map_err(|kind| failed(kind, Vec::new()))?;
    let mut tries = 1;
    loop {
        let began = Instant::now();
        let instance = spawn(pool, &program)
            .await
            .map_err(|kind| failed(kind, Vec::new()))?;
        let came = timeout(spec.init_timeout, come_up(&instance))
            .await
            .unwrap_or(Came::Late);
        if let Came::Settled(Life::Ready) = came {
            let took = began.elapsed();
            instance.set_init(took);
            spec.observer.ready(&instance.id, took);
            instance.memory.sample_leader();
            instance.memory.set_working(false);
            return Ok(instance);
        }
        instance.drain_logs();
        instance.discard();
        instance.ended().await;
        // A port is free when it is chosen and has to be free still when the function binds it.
        let lost_port = match came {
            Came::PortTaken => true,
            Came::Settled(Life::Ended(_)) => port_is_taken(&instance),
            _ => false,
        };
        if lost_port && tries < PORT_TRIES {
            tries += 1;
            continue;
        }
        return Err(failed(why(&instance, &came), instance.log.tail(None)));
    }
}

/// Waits until it is ready or surely won't be.
async fn come_up(instance: &Arc<Instance>) -> Came {
    if let Wire::Http(http) = &instance.wire {
        tokio::select! {
            () = http.answers() => {
                let asked = Arc::clone(instance);
                let port = http.port();
                let own = tokio::task::spawn_blocking(move || asked.family.listens_on(port)).await;
                // Where it can't be told, an answer has to do.
                if let Ok(Some(false)) = own {
                    return Came::PortTaken;
                }
                instance.ready();
            }
            _ = instance.settled() => {}
        }
    }
    Came::Settled(instance.settled().await)
}

/// Whether somebody listens on the port of a listening function, which has ended.
fn port_is_taken(instance: &Instance) -> bool {
    let Wire::Http(http) = &instance.wire else {
        return false;
    };
    let bound = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, http.port()));
    bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Why it did not come up.
fn why(instance: &Instance, came: &Came) -> StartFailureKind {
    // Most functions end right after their report: what they said counts, not how they went.
    if let Some(kind) = instance.init_error() {
        return kind;
    }
    match came {
        Came::Settled(Life::Ended(_)) if instance.ran_out_of_memory() => {
            StartFailureKind::OutOfMemory {
                limit_mb: instance.spec.memory_mb,
            }
        }
        Came::Settled(Life::Ended(exit)) => StartFailureKind::Crash { exit: *exit },
        Came::PortTaken => StartFailureKind::Machine {
            reason: format!(
                "other processes took the port that it was given, {PORT_TRIES} times in a row"
            ),
        },
        _ => StartFailureKind::Timeout {
            limit: instance.spec.init_timeout,
        },
    }
}

async fn program(engine: &Shared, spec: &PoolSpec) -> Result<Program, StartFailureKind> {
    let bundle = |interpreter: Interpreter, options: &[&str], client: &str| Program {
        path: interpreter.program,
        args: options
            .iter()
            .map(OsString::from)
            .chain([
                engine.runtime_dir.join(client).into(),
                spec.launch.handler().into(),
            ])
            .collect(),
        interpreter: interpreter.version,
    };
    let file = |path: PathBuf, args: &[String]| {
        artifact::check(&path)?;
        Ok(Program {
            path,
            args: args.iter().map(OsString::from).collect(),
            interpreter: String::new(),
        })
    };
    if !spec.code_dir.is_dir() {
        return Err(StartFailureKind::Missing {
            path: spec.code_dir.clone(),
        });
    }
    let name = spec.interpreter.as_deref();
    match &spec.launch {
        Launch::Bootstrap | Launch::HttpBootstrap => file(spec.code_dir.join("bootstrap"), &[]),
        Launch::Python { .. } => {
            let python = engine.interpreter(Language::Python, name).await?;
            // Unbuffered: what a crash leaves in a buffer is lost.
            Ok(bundle(python, &["-u"], "python.py"))
        }
        Launch::Node { .. } => {
            let node = engine.interpreter(Language::Node, name).await?;
            Ok(bundle(node, &[], "node.mjs"))
        }
        Launch::Http { command } => {
            let (name, args) = command.split_first().ok_or(StartFailureKind::Missing {
                path: spec.code_dir.clone(),
            })?;
            let own = spec.code_dir.join(name);
            if own.is_file() || name.contains('/') {
                return file(own, args);
            }
            let found = look_up(name.as_ref(), &engine.path).ok_or_else(|| {
                StartFailureKind::MissingInterpreter {
                    name: name.clone(),
                    searched: format!("looked in the artifact and on the PATH {}", engine.path),
                }
            })?;
            file(found, args)
        }
    }
}

async fn spawn(
    pool: &Arc<PoolInner>,
    program: &Program,
) -> Result<Arc<Instance>, StartFailureKind> {
    let machine = |what: &str, error: io::Error| StartFailureKind::Machine {
        reason: format!("{what}: {error}"),
    };
    let (engine, spec) = (&pool.engine, &pool.spec);
    let number = engine.next_number();
    let mark = format!("{}-{number}", engine.mark);
    let id: Arc<str> = format!("{}-{number}", &engine.mark[..8]).into();
    let scratch = Scratch::make(engine.scratch.join(format!("i{number}")))
        .map_err(|error| machine("its scratch directory could not be made", error))?;

    let mut listener = None;
    let (wire, address) = if spec.launch.is_http() {
        let port = engine
            .free_port()
            .map_err(|error| machine("no port is free", error))?;
        (Wire::Http(Http::new(port)), port.to_string())
    } else {
        let bound = bind()
            .await
            .map_err(|error| machine("its Runtime API has no port", error))?;
        (
            Wire::Runtime(RuntimeApi::default()),
            listener.insert(bound).1.to_string(),
        )
    };
    let place = Place {
        mark: &mark,
        instance: &id,
        path: &engine.path,
        tmp: &scratch.tmp(),
        home: &scratch.home(),
        runtime_dir: &engine.runtime_dir,
        interpreter: &program.interpreter,
        endpoint: match &wire {
            Wire::Http(http) => Endpoint::Port(http.port()),
            Wire::Runtime(_) => Endpoint::RuntimeApi(&address),
        },
    };
    let env = env::build(spec, &place);
    let (out_reader, stdout) = io::pipe().map_err(|error| machine("no pipe", error))?;
    let (err_reader, stderr) = io::pipe().map_err(|error| machine("no pipe", error))?;
    let log = Arc::new(InstanceLog::new(
        LogOrigin {
            function: spec.function.as_str().into(),
            version: spec.version.as_str().into(),
            instance: Arc::clone(&id),
        },
        Arc::clone(&spec.logs),
    ));
    let pipes = [
        LogPipe::new(out_reader, LogStream::Stdout, Arc::clone(&log)),
        LogPipe::new(err_reader, LogStream::Stderr, Arc::clone(&log)),
    ];
    let [Ok(out_pipe), Ok(err_pipe)] = pipes else {
        return Err(StartFailureKind::Machine {
            reason: "its output can't be read: no descriptors left".to_owned(),
        });
    };
    let no_group = |error| machine("it can't be put into a control group", error);
    let group = match &engine.groups {
        Ok(groups) => groups
            .for_instance(number, spec.memory_bytes())
            .map_err(no_group)?,
        Err(_) => None,
    };
    let entry = group.as_ref().map(Group::entry).transpose();
    let child = engine
        .spawner
        .spawn(Start {
            program: program.path.clone(),
            args: program.args.clone(),
            env,
            dir: spec.code_dir.clone(),
            stdout,
            stderr,
            group: entry.map_err(no_group)?,
        })
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound => {
                StartFailureKind::NotExecutable {
                    path: program.path.clone(),
                    reason: error.to_string(),
                }
            }
            _ if error.raw_os_error() == Some(libc::ENOEXEC) => StartFailureKind::NotExecutable {
                path: program.path.clone(),
                reason: "the system does not know its format".to_owned(),
            },
            _ => machine("the process could not be started", error),
        })?;
    let leader = child.pid().ok_or_else(|| StartFailureKind::Machine {
        reason: "the process has no number".to_owned(),
    })?;
    let family = Family::new(leader, mark, group, Arc::clone(&engine.guardian));
    let guarded = engine.guardian.register(leader);
    let memory = Memory::new(Arc::clone(&family), spec.memory_bytes());
    let instance = Arc::new(Instance {
        number,
        id,
        spec: Arc::clone(spec),
        pool: Arc::downgrade(pool),
        log,
        memory,
        wire,
        engine: Arc::clone(engine),
        family,
        pipes: [out_pipe, err_pipe],
        life: watch::Sender::new(Life::Starting),
        stopping: AtomicBool::new(false),
        init_error: Mutex::new(None),
        fresh: Mutex::new(None),
    });
    engine.watch.add(&instance.memory);
    let server = listener.map(|(listener, _)| {
        let (ended, hear) = oneshot::channel();
        let task = tokio::spawn(crate::wire::serve(Arc::clone(&instance), listener, hear));
        Server { task, ended }
    });
    tokio::spawn(Arc::clone(&instance).supervise(child, server, scratch));
    // From here on the supervisor cleans up, whatever happens.
    if !engine.remember(&instance) {
        instance.discard();
        return Err(StartFailureKind::Closed);
    }
    if let Err(error) = guarded {
        instance.discard();
        return Err(machine("the guardian could not be started", error));
    }
    Ok(instance)
}

async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The shortest and longest pause between two looks at whether a server listens.
pub(crate) const LOOK: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(25));
