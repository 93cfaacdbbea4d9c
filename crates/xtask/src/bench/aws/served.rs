//! The embedded AWS in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::wire::{Keys, Place};
use crate::commands::Failure;

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running one. Ends with the value.
pub(super) struct Served {
    process: Child,
    pub(super) place: Place,
}

impl Served {
    /// Starts one, and comes back when it listens.
    pub(super) fn start() -> Result<Self, Failure> {
        // Built together with this program.
        let program = std::env::current_exe()?.with_file_name("bench-aws");
        let mut process = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let told: Vec<&str> = line.split_whitespace().collect();
        let &[endpoint, account, access_key, secret_key] = &told[..] else {
            let _ = process.kill();
            let _ = process.wait();
            return Err("the embedded AWS did not start".into());
        };
        Ok(Self {
            process,
            place: Place {
                endpoint: endpoint.to_owned(),
                account: account.to_owned(),
                keys: Keys::new(access_key, secret_key),
            },
        })
    }

    /// Its process.
    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends its functions when its input ends, so it is asked before it is made to.
        drop(self.process.stdin.take());
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
