//! Starts a daemon, talks to it, ends it.

use std::io;
use std::path::Path;
use std::process::Stdio;

use anyport_core::spec::Name;
use anyport_core::{Error, Result};
use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::error;
use crate::protocol::{self, Answer, Ask, Call, Failure, HELLO, SOCKET};

/// Starts the daemon of the release in `dir` and waits until it takes calls.
///
/// Dropping the future stops a daemon that was still on its way up.
///
/// # Errors
/// What the daemon says about why it did not start, or that it said nothing.
pub async fn start(program: &Path, dir: &Path) -> Result<(), Failure> {
    let not_started = |message: String| Failure::NotStarted {
        reason: "daemon".to_owned(),
        message,
        logs: Vec::new(),
    };
    let output = Command::new(program)
        .arg(dir)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|why| not_started(format!("{}: {why}", program.display())))?;
    match serde_json::from_slice(&output.stdout) {
        Ok(Answer::Ready) => Ok(()),
        Ok(Answer::Failed(failure)) => Err(failure),
        _ => Err(not_started(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// Calls a function.
///
/// # Errors
/// When the daemon cannot be reached or breaks off; what it answers is in the answer.
pub async fn call(name: &Name, socket: &Path, call: Call, body: &Bytes) -> Result<(Answer, Bytes)> {
    let lost = |greeted| move |why| -> Error { error::connection(name, greeted, why) };
    let mut stream = greeted(socket).await.map_err(lost(false))?;
    let exchange = async {
        protocol::write(&mut stream, &Ask::Call(call), body).await?;
        protocol::read(&mut stream).await
    };
    exchange.await.map_err(lost(true))
}

/// Whether a daemon takes calls there.
pub async fn answers(socket: &Path) -> bool {
    greeted(socket).await.is_ok()
}

/// Asks the daemon in `dir` to end and waits until it has. No daemon is as good as one that ended.
///
/// # Errors
/// When it is there and does not listen.
pub async fn end(dir: &Path, drain: bool) -> Result<()> {
    let Ok(mut stream) = greeted(&dir.join(SOCKET)).await else {
        return Ok(());
    };
    let leave = async {
        protocol::write(&mut stream, &Ask::Leave { drain }, &[]).await?;
        stream.read_u8().await
    };
    match leave.await {
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(why) => Err(error::io("stop the daemon of", dir)(why)),
        Ok(_) => Err(error::io("stop the daemon of", dir)(
            io::ErrorKind::InvalidData.into(),
        )),
    }
}

async fn greeted(socket: &Path) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket).await?;
    match stream.read_u8().await? {
        HELLO => Ok(stream),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
