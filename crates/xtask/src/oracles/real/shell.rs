//! A `bootstrap` in shell, small and large.

use std::fs;
use std::io::Write as _;

use anyport::Digest;
use serde_json::json;

use super::super::stage::{Function, Stage, same, zip};
use super::super::{Cache, peers};
use crate::commands::Failure;

/// The script alone.
pub(super) async fn bootstrap(_: &Cache, stage: &Stage) -> Result<String, Failure> {
    let packed = stage.pack(&peers::source("shell"))?;
    let function = stage.deploy("counter", zip(), &packed).await?;
    counts(&function, "none").await?;
    let failure = function.failure(r#"{"please": "fail"}"#).await?;
    same("the error", failure.error_type.as_str(), "Shell.Asked")?;
    same("the message", failure.message.as_str(), "as asked")?;
    counts(&function, "none").await?;
    function.logged("counting event").await?;
    function.remove().await?;
    Ok(format!("{} bytes", packed.size))
}

/// The script with 40 MB that do not compress; it reads them back.
pub(super) async fn large(_: &Cache, stage: &Stage) -> Result<String, Failure> {
    let folder = stage.folder("large")?;
    fs::copy(
        peers::source("shell").join("bootstrap"),
        folder.join("bootstrap"),
    )?;
    let filler = noise(40_000_000);
    fs::File::create(folder.join("filler"))?.write_all(&filler)?;
    let packed = stage.pack(&folder)?;
    same("the zip is large", packed.size > 40_000_000, true)?;
    let function = stage.deploy("counter", zip(), &packed).await?;
    let digest = Digest::of(&filler).to_string();
    counts(&function, digest.trim_start_matches("sha256:")).await?;
    function.remove().await?;
    Ok(format!("{} MB zip", packed.size / 1_000_000))
}

async fn counts(function: &Function<'_>, filler: &str) -> Result<(), Failure> {
    let payload = json!({"some": "event", "with": [1, 2, 3]});
    let answer = function.json(&payload).await?;
    let bytes = payload.to_string().len();
    let expected = json!({"bytes": bytes, "filler": filler, "unit": "test"});
    same("the answer", answer, expected)
}

/// Bytes that no compressor makes smaller, always the same (xorshift).
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut filler = Vec::with_capacity(bytes + 8);
    while filler.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        filler.extend_from_slice(&state.to_le_bytes());
    }
    filler.truncate(bytes);
    filler
}
