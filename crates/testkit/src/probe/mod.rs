//! The probe: a function that does what its payload says.

mod command;
mod fault;
mod run;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyport_runtime::{Context, Error, Request, Response, serve_with};

pub use command::Command;
pub use fault::{FAULT_FILE, Fault};

/// The environment variable that chooses how the probe starts: `exit` (prints a line and exits with code 7), `panic`, `hang`,
/// or `slow:MILLISECONDS`. Anything else, or nothing: at once.
pub const START: &str = "PROBE_START";

/// What the probe prints before it exits or panics at the start.
pub const LAST_WORDS: &str = "the probe cannot start, as asked";

/// The environment variable whose value the probe reports as its variant.
pub const VARIANT: &str = "PROBE_VARIANT";

/// Serves until the platform ends it.
#[must_use]
pub fn main() -> ExitCode {
    serve_with(start, handle)
}

async fn start() -> Result<Option<Fault>, Error> {
    let how = std::env::var(START).unwrap_or_default();
    match how.as_str() {
        "exit" => {
            eprintln!("{LAST_WORDS}");
            std::process::exit(7);
        }
        "panic" => {
            eprintln!("{LAST_WORDS}");
            panic!("{LAST_WORDS}");
        }
        "hang" => std::future::pending::<()>().await,
        other => {
            if let Some(Ok(ms)) = other.strip_prefix("slow:").map(str::parse) {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
        }
    }
    Ok(Fault::beside_this_program())
}

async fn handle(
    fault: Arc<Option<Fault>>,
    request: Request,
    context: Context,
) -> Result<Response, Error> {
    run::count();
    match Command::read(&request) {
        Some(command) => run::run(*fault, command, &context).await,
        None => Ok(run::echo(*fault, &request)),
    }
}
