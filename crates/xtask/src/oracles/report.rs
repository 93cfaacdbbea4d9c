//! One line for each thing that was compared.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::commands::Failure;

/// What was found so far. Lines are printed as they come.
#[derive(Default)]
pub(crate) struct Report {
    passed: usize,
    failed: Vec<String>,
}

impl Report {
    /// Takes the outcome of one comparison that began at `began`; `Ok` says what was seen.
    pub(crate) fn line(
        &mut self,
        oracle: &str,
        what: &str,
        began: Instant,
        outcome: Result<String, Failure>,
    ) {
        let took = seconds(began.elapsed());
        match outcome {
            Ok(seen) => {
                self.passed += 1;
                println!("{oracle:<5} {what:<44} passed {took:>8}  {seen}");
            }
            Err(why) => {
                println!("{oracle:<5} {what:<44} FAILED {took:>8}");
                for line in why.to_string().lines() {
                    println!("      {line}");
                }
                self.failed.push(format!("{oracle}: {what}"));
            }
        }
    }

    /// Prints the sum and says how to exit. A run that compared nothing has failed.
    pub(crate) fn end(self) -> ExitCode {
        println!(
            "oracles: {} passed, {} failed",
            self.passed,
            self.failed.len()
        );
        for line in &self.failed {
            println!("    {line}");
        }
        if self.failed.is_empty() && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
