//! Another process over the same state folder: this test program once more, told by its environment what to do.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyport_client::{Observer, Options, Removal, Target};
use anyport_core::Error;
use anyport_core::context::Attempt;
use anyport_core::mark::Owner;
use anyport_local::Config;
use anyport_testkit::probe::Command;
use nix::sys::signal::{Signal, raise};

use crate::support::*;

const TASK: &str = "ANYPORT_LOCAL_TEST_TASK";
const STATE: &str = "ANYPORT_LOCAL_TEST_STATE";

/// A process that does `task` in the state folder; its answers come on standard output, each on a line of its own after `>>>`.
pub(crate) fn process(task: &str, state: &Path) -> Process {
    let mut process = Process::new(std::env::current_exe().unwrap());
    process
        .args(["--exact", "child::entry", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .env(STATE, state)
        .env(ARCHIVES, &*FOLDER)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    process
}

/// What a child said so far, or in all.
pub(crate) fn answers(text: &str) -> Vec<String> {
    let lines = text.lines();
    lines
        .filter_map(|line| line.split_once(">>>").map(|(_, it)| it.to_owned()))
        .collect()
}

/// Ends a child at once, as a machine that dies does.
pub(crate) fn kill(mut child: Child) -> String {
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn answer(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, ">>>{text}").unwrap();
    out.flush().unwrap();
}

/// Kills this process around one call.
struct Killer {
    left: AtomicU32,
    after: bool,
}

impl Killer {
    fn count(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            raise(Signal::SIGKILL).unwrap();
        }
    }
}

impl Observer for Killer {
    fn sent(&self, _: &Attempt<'_>) {
        if !self.after {
            self.count();
        }
    }

    fn answered(&self, _: &Attempt<'_>, _: Duration, _: Option<&Error>) {
        if self.after {
            self.count();
        }
    }
}

/// Where the children start. In the test program's own run there is no task, and nothing to do.
#[test]
fn entry() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let state = std::env::var(STATE).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(&task, Path::new(&state)));
}

async fn run(task: &str, state: &Path) {
    let mut words = task.split(' ');
    let verb = words.next().unwrap();
    let mut options = Options::new(Owner::new("app", "test"));
    if let (Some(when), Some(call)) = (words.next(), words.next()) {
        options = options.with_observer(Arc::new(Killer {
            left: AtomicU32::new(call.parse().unwrap()),
            after: when == "after",
        }));
    }
    let url = format!("local://{}", state.display()).parse().unwrap();
    let config = Config::new(state).deliver(verb != "enqueue");
    let target = Target::new(anyport_local::connect(&url, config).unwrap(), options);
    match verb {
        "deploy" => answer(outcome(deploy(&target, probe("hello", "child")).await)),
        "remove" => answer(outcome(
            target.remove(&name("hello"), Removal::default()).await,
        )),
        "enqueue" => loop {
            let fail = Command::Fail {
                kind: "Lost".to_owned(),
                message: "on purpose".to_owned(),
            };
            answer(target.enqueue(call("hello", &fail)).await.unwrap().id);
        },
        "deliver" => {
            answer("ready");
            std::future::pending::<()>().await;
        }
        "invoke" => loop {
            let sleep = Command::Sleep {
                ms: 60_000,
                mark: String::new(),
            };
            let calls = (0..20).map(|_| invoke(&target, "hello", &sleep));
            answer("calling");
            futures_util::future::join_all(calls).await;
        },
        other => panic!("no such task: {other}"),
    }
}

fn outcome<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}
