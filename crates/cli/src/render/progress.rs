//! What happens to plans while they are applied: a line that changes on a terminal, plain lines in a pipe.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyport::plan::Plan;
use anyport::{Event, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Output, words};

/// Shows the steps of plans.
pub(crate) struct Reporter {
    output: Output,
    bar: Option<Mutex<ProgressBar>>,
}

impl Reporter {
    pub(crate) fn new(output: &Output) -> Self {
        let drawn = output.stderr_is_terminal && !output.quiet && !output.json;
        Self {
            output: output.clone(),
            bar: drawn.then(|| Mutex::new(ProgressBar::hidden())),
        }
    }

    fn say(&self, text: String) {
        match &self.bar {
            None => self.output.note(&text),
            Some(bar) => {
                let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
                if bar.is_hidden() {
                    *bar = spinner();
                }
                bar.set_message(text);
            }
        }
    }

    /// Takes the changing line away, so that other lines can be printed.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
            bar.finish_and_clear();
            *bar = ProgressBar::hidden();
        }
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn place(plan: &Plan, number: u32) -> String {
    format!("{} [{number}/{}]", plan.desired.name, plan.steps.len())
}

impl Progress for Reporter {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Started(plan, step) if self.bar.is_some() => {
                self.say(format!("{}: {step}", place(plan, step.number)));
            }
            Event::Finished {
                plan, step, took, ..
            } if self.bar.is_none() => {
                self.say(format!(
                    "{}: {step}: {}",
                    place(plan, step.number),
                    words::duration(*took)
                ));
            }
            Event::Failed { plan, step, .. } => {
                self.clear();
                self.output
                    .note(&format!("{}: {step}: failed", place(plan, step.number)));
            }
            Event::Abandoned { plan, state } => {
                self.clear();
                self.output
                    .warn(&format!("{} was left half-way; {state}", plan.desired.name));
            }
            _ => {}
        }
    }
}
