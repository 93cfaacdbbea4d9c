//! Copies all functions of one target to another: `copy-functions FROM TO [--dry-run]`.
//!
//! ```text
//! cargo run -p copy-functions -- local:// lambda://embedded --dry-run
//! ```
//! What is at the destination already and the same is left alone, so it can be run again after a failure. What somebody else owns there is
//! not touched. A function that cannot be copied does not stop the others; the exit code says whether there was one.

mod copy;

use std::process::ExitCode;

use copy::{Copied, copy_all};

#[tokio::main]
async fn main() -> ExitCode {
    let (flags, targets): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|it| it.starts_with('-'));
    let dry_run = flags == ["--dry-run"];
    let [from, to] = targets.as_slice() else {
        return usage();
    };
    if !flags.is_empty() && !dry_run {
        return usage();
    }
    match run(from, to, dry_run).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: copy-functions FROM TO [--dry-run]");
    ExitCode::from(2)
}

async fn run(from: &str, to: &str, dry_run: bool) -> anyport::Result<bool> {
    let from = anyport::connect(from).await?;
    let to = anyport::connect(to).await?;
    let me = to.identify().await?;
    println!("to {} as {} at {}", to.id(), me.principal, me.endpoint);
    let mut whole = true;
    for (name, result) in copy_all(&from, &to, dry_run).await? {
        match result {
            Ok(Copied::Would(steps)) => println!("{name}: {steps} steps"),
            Ok(Copied::Did(word)) => println!("{name}: {word}"),
            Err(error) => {
                whole = false;
                println!("{name}: not copied");
                complain(&error);
            }
        }
    }
    Ok(whole)
}

/// An error with its causes: none of them says what another one said.
fn complain(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because {error}");
        cause = error.source();
    }
}
