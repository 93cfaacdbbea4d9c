//! The embedded AWS in a process of its own: what it needs until it answers, and what it holds, is measured from outside.
//!
//! Prints `ENDPOINT ACCOUNT ACCESS-KEY SECRET-KEY` in one line as soon as it listens, and ends with its standard input. Nothing takes time on
//! purpose, and nobody is throttled: what is left is what it needs itself.

use std::error::Error;
use std::io::{Read as _, Write as _};

use anyport::embedded::aws::{Delays, Emulator, Limits, config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = config().delays(Delays::zero()).limits(Limits::off());
    let aws = Emulator::start(config).await?;
    let credentials = aws.credentials();
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{} {} {} {}",
        aws.endpoint(),
        aws.account(),
        credentials.access_key,
        credentials.secret_key
    )?;
    out.flush()?;
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    ended.await??;
    aws.shutdown().await;
    Ok(())
}
