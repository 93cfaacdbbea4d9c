//! The same functions under AWS's Runtime Interface Emulator and on our local target: the same answers and errors.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyport::ErrorKind;
use serde_json::{Value, json};

use super::report::Report;
use super::run;
use super::stage::{Function, Stage, same, zip};
use super::{Cache, peers};
use crate::commands::Failure;

/// How long the emulator may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Compares each function on each payload.
pub(crate) async fn check(cache: &Cache, report: &mut Report) {
    let greetings: &[&str] = &[
        r#"{"name":"Ada"}"#,
        r#"{"name":"Zoë \u00e9 \"x\""}"#,
        r#"{"name":""}"#,
        r#"{"name":7}"#,
        "{}",
        "no json",
    ];
    let counts: &[&str] = &["{}", r#"{"please":"fail"}"#, "[1,2,3]"];
    let functions = [
        ("anyport-runtime", peers::ours("quickstart"), greetings),
        (
            "lambda_runtime",
            peers::cargo(cache, "lambda-runtime-fn"),
            greetings,
        ),
        (
            "a shell bootstrap",
            Ok(peers::source("shell").join("bootstrap")),
            counts,
        ),
    ];
    for (what, program, payloads) in functions {
        let began = Instant::now();
        let outcome = match program {
            Ok(program) => compare(cache, &program, payloads).await,
            Err(why) => Err(why),
        };
        report.line("rie", what, began, outcome);
    }
}

async fn compare(cache: &Cache, program: &Path, payloads: &[&str]) -> Result<String, Failure> {
    let stage = Stage::open().await?;
    let packed = stage.pack_program(program)?;
    let function = stage.deploy("compared", zip(), &packed).await?;
    let emulator = Emulator::start(&peers::emulator(cache)?, program, &function.version)?;
    for payload in payloads {
        let theirs = emulator.call(payload)?;
        let ours = call(&function, payload).await?;
        same(payload, ours, theirs)?;
    }
    drop(emulator);
    function.remove().await?;
    Ok(format!("{} payloads alike", payloads.len()))
}

/// Our answer, or our error as the emulator shows one.
async fn call(function: &Function<'_>, payload: &str) -> Result<Value, Failure> {
    let answered = function.try_json(payload).await;
    let answer = match answered {
        Ok(answer) => answer,
        Err(error) => match error.kind() {
            ErrorKind::Function(failure) => {
                json!({"errorType": failure.error_type, "errorMessage": failure.message})
            }
            _ => return Err(super::stage::told(error)),
        },
    };
    Ok(answer)
}

/// A running emulator with one function. Ends with the value.
struct Emulator {
    process: Child,
    url: String,
    _scratch: tempfile::TempDir,
}

impl Emulator {
    fn start(emulator: &Path, program: &Path, version: &str) -> Result<Self, Failure> {
        let scratch = tempfile::Builder::new().prefix("anyport-rie-").tempdir()?;
        let log: PathBuf = scratch.path().join("log");
        let (front, back) = (free_port()?, free_port()?);
        let process = Command::new(emulator)
            .args(["--runtime-interface-emulator-address", &front.to_string()])
            .args(["--runtime-api-address", &back.to_string()])
            .arg(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_LAMBDA_FUNCTION_NAME", "compared")
            .env("AWS_LAMBDA_FUNCTION_VERSION", version)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "5")
            .env("LAMBDA_TASK_ROOT", scratch.path())
            .env("UNIT", "test")
            .env("GREETING", "good day")
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&log)?)
            .stderr(Stdio::null())
            .spawn()?;
        let mut emulator = Self {
            process,
            url: format!("http://{front}/2015-03-31/functions/function/invocations"),
            _scratch: scratch,
        };
        let began = Instant::now();
        while TcpStream::connect(front).is_err() {
            if let Some(status) = emulator.process.try_wait()? {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("the emulator ended with {status}:\n{said}").into());
            }
            if began.elapsed() > PATIENCE {
                return Err("the emulator does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(emulator)
    }

    /// Its answer. For errors, type and message alone: it shows no more than the function sent.
    fn call(&self, payload: &str) -> Result<Value, Failure> {
        let answer = run(Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "20"])
            .args(["--data-binary", payload, &self.url]))?;
        let mut answer: Value = serde_json::from_str(&answer)
            .map_err(|_| format!("the emulator answered {payload} with {answer:?}"))?;
        if let Some(error) = answer
            .as_object_mut()
            .filter(|all| all.contains_key("errorType"))
        {
            error.retain(|key, _| key == "errorType" || key == "errorMessage");
        }
        Ok(answer)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It ends its function when it is asked to, so it is asked before it is made to.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").arg(id).status();
        for _ in 0..100 {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A loopback address that nobody listens on now.
fn free_port() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
