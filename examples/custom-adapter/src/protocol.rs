//! What the adapter and a daemon say to each other.
//!
//! One connection carries one exchange. The daemon greets with one byte, so that a connection that
//! ends before the greeting is known to have done nothing: that is what makes a switch from one
//! daemon to the next safe to retry. Then one frame goes each way. A frame is two big-endian `u32`
//! lengths, a JSON head, and raw bytes.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The greeting.
pub const HELLO: u8 = b'!';

/// The largest payload in bytes, each way.
pub const MAX_BODY: u32 = 6 << 20;

/// The largest head in bytes: the last log lines of a failure are the bulk of it.
const MAX_HEAD: u32 = 1 << 20;

/// The file in a release's directory that tells its daemon what to run.
pub const LAUNCH_FILE: &str = "launch.json";

/// The directory in a release's directory that holds the unpacked artifact.
pub const CODE_DIR: &str = "code";

/// The socket in a release's directory. It is there while the daemon takes calls.
pub const SOCKET: &str = "socket";

/// What a daemon runs, and how.
#[derive(Serialize, Deserialize)]
pub struct Launch {
    /// The function's name.
    pub function: String,
    /// The release's name, as the function sees it.
    pub version: String,
    /// Whether `bootstrap` is an HTTP server; otherwise it pulls from the Runtime API.
    pub http: bool,
    /// Memory in MB.
    pub memory_mb: u32,
    /// The time limit of a call in milliseconds.
    pub timeout_ms: u64,
    /// Most calls at a time.
    pub max_instances: u32,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
}

/// What is asked of a daemon.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Call the function; the payload is the frame's body.
    Call(Call),
    /// Take no new calls, then end. The end of the connection says that it is done.
    Leave {
        /// Let running calls end first.
        drain: bool,
    },
}

/// A call without its payload.
#[derive(Serialize, Deserialize)]
pub struct Call {
    /// Its id.
    pub request_id: String,
    /// The payload's media type.
    pub content_type: String,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
    /// The caller's key for making a repetition recognisable.
    pub idempotency_key: Option<String>,
}

/// What a daemon says: once about its start, on its standard output, and to every call.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It takes calls.
    Ready,
    /// The function answered; the answer is the frame's body.
    Reply {
        /// The answer's media type.
        content_type: Option<String>,
        /// The status of an HTTP function.
        status: Option<u16>,
        /// Whether an instance was started for it.
        cold: bool,
        /// How long it ran, in microseconds.
        micros: u64,
    },
    /// It did not work.
    Failed(Failure),
}

/// The ways in which a daemon fails.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The function failed.
    Function {
        /// Whether it said so itself.
        handled: bool,
        /// The error's type.
        error_type: String,
        /// The error's message.
        message: String,
        /// The stack, where there is one.
        stack: Vec<String>,
        /// The last log lines.
        logs: Vec<String>,
    },
    /// It ran into its time limit and was stopped.
    TimedOut {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// As many calls run as may.
    Busy,
    /// The answer is too large.
    TooLarge,
    /// The function cannot start.
    NotStarted {
        /// Why, in a word.
        reason: String,
        /// Why, in words.
        message: String,
        /// The last log lines.
        logs: Vec<String>,
    },
    /// The daemon ended meanwhile.
    Ended {
        /// Whether the function may have run.
        may_have_run: bool,
    },
}

/// Writes one frame.
///
/// # Errors
/// What the connection fails with.
pub async fn write<H: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    head: &H,
    body: &[u8],
) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let length = |part: &[u8]| u32::try_from(part.len()).map_err(io::Error::other);
    to.write_u32(length(&head)?).await?;
    to.write_u32(length(body)?).await?;
    to.write_all(&head).await?;
    to.write_all(body).await?;
    to.flush().await
}

/// Reads one frame.
///
/// # Errors
/// What the connection fails with; `InvalidData` for a frame that is too large or makes no sense.
pub async fn read<H: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<(H, Bytes)> {
    let (head, body) = (from.read_u32().await?, from.read_u32().await?);
    if head > MAX_HEAD || body > MAX_BODY {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the frame is too large",
        ));
    }
    let mut part = vec![0; head as usize];
    from.read_exact(&mut part).await?;
    let head = serde_json::from_slice(&part)?;
    let mut part = vec![0; body as usize];
    from.read_exact(&mut part).await?;
    Ok((head, part.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_arrives_as_it_was_sent_and_a_bad_one_is_refused() {
        let (mut here, mut there) = tokio::io::duplex(64);
        let sending = async {
            write(&mut here, &Ask::Leave { drain: true }, &[0, 1, 255])
                .await
                .unwrap();
            here.write_u64(u64::MAX).await.unwrap();
        };
        let receiving = async {
            let (ask, body) = read::<Ask>(&mut there).await.unwrap();
            assert!(matches!(ask, Ask::Leave { drain: true }));
            assert_eq!(body, [0, 1, 255].as_slice());
            let refused = read::<Ask>(&mut there).await.err().unwrap();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        };
        tokio::join!(sending, receiving);
    }
}
