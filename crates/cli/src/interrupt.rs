//! Ctrl-C: stop, say in which state things are, and only then end.

use std::pin::pin;
use std::time::Duration;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What stops this fast needs no word.
const PROMPT: Duration = Duration::from_millis(300);

/// How long work may take to stop once it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a command; on Ctrl-C or a request to terminate it is cancelled, and its own error names what is done and what is left.
pub(crate) async fn guard(
    context: &Context,
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let mut command = pin!(command);
    tokio::select! {
        result = &mut command => return result,
        () = signal() => {}
    }
    context.cancel.cancel();
    let slow = async {
        tokio::time::sleep(PROMPT).await;
        context
            .output
            .note("stopping; press Ctrl-C again to end at once");
        tokio::time::sleep(GRACE).await;
    };
    let ended = tokio::select! {
        result = &mut command => Some(result),
        () = signal() => None,
        () = slow => None,
    };
    let mut failure = match ended {
        Some(Ok(_)) => return Ok(Exit::Interrupted),
        Some(Err(failure)) => failure,
        None => Failure::new("interrupted", "ended before the work under way was over")
            .next("run `anyport status` to see what is there, or the same command again to finish"),
    };
    failure.exit = Exit::Interrupted;
    Err(failure)
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt().await;
    };
    tokio::select! {
        () = interrupt() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    interrupt().await;
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the process by itself.
        std::future::pending::<()>().await;
    }
}
