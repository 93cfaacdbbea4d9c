//! Answers that arrive while they are produced.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyport_core::spec::Name;
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;

use super::{Case, case};
use crate::scene::{Client, Scene};
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("invoke/streams", streams),
    case!("invoke/backpressure", backpressure),
];

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// What was read of a streamed answer.
struct Seen {
    bytes: Vec<u8>,
    first_at: Duration,
    resumed_at: Duration,
}

/// Reads a streamed answer, waiting for `pause` after its first piece.
async fn read(
    client: &Client,
    name: &Name,
    command: &Command,
    pause: Duration,
) -> Result<Seen, Stop> {
    let reply = client
        .invoke(client.call(name, command).streaming())
        .await?;
    let mut body = reply.body.into_stream();
    let mut bytes = Vec::new();
    let (mut first_at, mut resumed_at) = (Duration::ZERO, Duration::ZERO);
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if first_at.is_zero() {
            first_at = now();
            tokio::time::sleep(pause).await;
            resumed_at = now();
        }
    }
    Ok(Seen {
        bytes,
        first_at,
        resumed_at,
    })
}

/// When the piece that starts at `at` was made.
fn made(bytes: &[u8], at: usize) -> Option<Duration> {
    let text = bytes.get(at..)?.split(|b| *b == b'\n').next()?;
    let micros = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(Duration::from_micros(micros))
}

fn whole(seen: &Seen, pieces: usize, size: usize) -> Result<Duration, Stop> {
    ensure!(
        seen.bytes.len() == pieces * size,
        "{pieces} pieces of {size} bytes were made and {} bytes arrived",
        seen.bytes.len()
    );
    made(&seen.bytes, (pieces - 1) * size)
        .ok_or_else(|| Stop::Failed("the last piece arrived damaged".to_owned()))
}

/// The first piece arrives before the last is made.
async fn streams(scene: &Scene) -> Verdict {
    const PIECES: u32 = 3;
    const SIZE: usize = 512;
    let client = scene.client().await?;
    let name = scene.name("streams");
    client.deployed(&name, "a").await?;
    client.variant(&name).await?;
    let command = Command::Stream {
        pieces: PIECES,
        size: SIZE,
        pause_ms: 500,
    };
    let seen = read(&client, &name, &command, Duration::ZERO).await?;
    let last_made = whole(&seen, PIECES as usize, SIZE)?;
    if client.caps().invoke.streaming.is_supported() {
        ensure!(
            seen.first_at < last_made,
            "the first piece arrived {:?} after the last was made",
            seen.first_at.saturating_sub(last_made)
        );
    }
    Ok(Pass::Holds)
}

/// A reader that pauses makes the function pause.
async fn backpressure(scene: &Scene) -> Verdict {
    const PIECES: usize = 48;
    const SIZE: usize = 1 << 20;
    const PAUSE: Duration = Duration::from_millis(600);
    let client = scene.client().await?;
    let name = scene.name("pressure");
    client.deployed(&name, "a").await?;
    client.variant(&name).await?;
    let invoke = &client.caps().invoke;
    let most = invoke.streaming.get().copied().unwrap_or(invoke.max_reply);
    let pieces = PIECES.min(usize::try_from(most).unwrap_or(usize::MAX) / SIZE);
    let command = Command::Stream {
        pieces: u32::try_from(pieces).unwrap_or(u32::MAX),
        size: SIZE,
        pause_ms: 0,
    };
    let seen = read(&client, &name, &command, PAUSE).await?;
    let last_made = whole(&seen, pieces, SIZE)?;
    if client.caps().invoke.streaming.is_supported() {
        ensure!(
            last_made > seen.resumed_at,
            "the reader paused for {PAUSE:?} after the first piece, and all {pieces} pieces were made meanwhile"
        );
    }
    Ok(Pass::Holds)
}
