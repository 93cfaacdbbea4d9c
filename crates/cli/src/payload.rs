//! What is sent to a function: from the command line, a file or standard input, never more than the target takes.

use std::path::Path;
use std::time::Duration;

use anyport::error::{Error, ErrorKind, Limit};
use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use crate::failure::Failure;

/// Where a payload comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From<'a> {
    /// The command line.
    Text(&'a str),
    /// A file, `-` for standard input.
    File(&'a Path),
    /// Nothing was named: standard input where something is sent there, else an empty JSON object.
    Unnamed,
}

/// A payload with its media type.
#[derive(Debug)]
pub(crate) struct Payload {
    pub bytes: Bytes,
    pub content_type: String,
}

const JSON: &str = "application/json";

/// How long standard input may bring nothing before that is said.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads at most `most` bytes; says with `waiting` that nothing comes from standard input although nobody asked for it. A payload that says it is JSON must be.
pub(crate) async fn read(
    from: From<'_>,
    content_type: Option<&str>,
    most: u64,
    waiting: impl Fn(),
) -> Result<Payload, Failure> {
    let (bytes, guess) = match from {
        From::Text(text) => (Bytes::copy_from_slice(text.as_bytes()), JSON),
        From::Unnamed => (piped(most, &waiting).await?, JSON),
        From::File(path) if path == Path::new("-") => (stdin(most).await?, JSON),
        From::File(path) => (file(path, most).await?, by_name(path)),
    };
    let content_type = content_type.unwrap_or(guess).to_owned();
    if content_type == JSON
        && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
    {
        return Err(
            Failure::new("payload", format!("the payload is not JSON: {error}")).next(
                "quote it as JSON, or say what it is with --content-type, such as text/plain",
            ),
        );
    }
    Ok(Payload {
        bytes,
        content_type,
    })
}

fn by_name(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => JSON,
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

async fn file(path: &Path, most: u64) -> Result<Bytes, Failure> {
    let owned = path.to_owned();
    let read = move || {
        use std::io::Read as _;
        let file = std::fs::File::open(owned)?;
        let size = file.metadata()?.len();
        let mut bytes = Vec::new();
        if size <= most {
            file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        }
        Ok((bytes, size))
    };
    let (bytes, size) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| Failure::new("internal", "reading broke off").with_source(error))?
        .map_err(|error| Failure::file("read", path, &error))?;
    if size > most {
        return Err(too_large(most, Some(size)));
    }
    within(bytes, most)
}

async fn stdin(most: u64) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    tokio::io::stdin()
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| Failure::new("file", "cannot read standard input").with_source(error))?;
    within(bytes, most)
}

/// What a pipe or a file that nobody named brings; nothing is an empty JSON object.
async fn piped(most: u64, waiting: &impl Fn()) -> Result<Bytes, Failure> {
    let mut bytes = Bytes::new();
    if stdin_brings_something() {
        let mut reading = std::pin::pin!(stdin(most));
        bytes = tokio::select! {
            read = &mut reading => read?,
            () = tokio::time::sleep(PATIENCE) => {
                waiting();
                reading.await?
            }
        };
    }
    Ok(if bytes.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        bytes
    })
}

/// Whether standard input is a pipe or a file: from a terminal or `/dev/null` nothing is to be expected.
#[cfg(unix)]
fn stdin_brings_something() -> bool {
    use nix::sys::stat::{SFlag, fstat};

    fstat(std::io::stdin()).is_ok_and(|found| {
        let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
        kind == SFlag::S_IFIFO || kind == SFlag::S_IFREG
    })
}

#[cfg(not(unix))]
fn stdin_brings_something() -> bool {
    use std::io::IsTerminal as _;

    !std::io::stdin().is_terminal()
}

fn within(bytes: Vec<u8>, most: u64) -> Result<Bytes, Failure> {
    if bytes.len() as u64 > most {
        return Err(too_large(most, None));
    }
    Ok(bytes.into())
}

fn too_large(max: u64, actual: Option<u64>) -> Failure {
    let limit = Limit {
        what: "request payload".to_owned(),
        max,
        actual,
    };
    Error::new(ErrorKind::PayloadTooLarge(limit), "send the payload").into()
}
