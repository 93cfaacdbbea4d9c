//! Serves an embedded AWS until it is interrupted, for any client that takes an endpoint URL.
//!
//! `cargo run -p anyport-emulator-aws --example serve -- [PORT [STATE-FOLDER]]`

use std::error::Error;

use anyport_emulator_aws::{Config, Emulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut config = Config::new();
    if let Some(port) = args.next() {
        config = config.port(port.parse()?);
    }
    if let Some(folder) = args.next() {
        config = config.state(folder);
    }
    let aws = Emulator::start(config).await?;
    println!("export AWS_ENDPOINT_URL={}", aws.endpoint());
    println!("export AWS_ACCESS_KEY_ID={}", aws.credentials().access_key);
    println!(
        "export AWS_SECRET_ACCESS_KEY={}",
        aws.credentials().secret_key
    );
    println!("export AWS_REGION=us-east-1");
    interrupted().await?;
    aws.shutdown().await;
    Ok(())
}

#[cfg(unix)]
async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

#[cfg(not(unix))]
async fn interrupted() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
