//! `anyport demo`

mod build;
mod load;
mod sample;
mod sides;
mod story;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{view, words};
use crate::scratch::Scratch;

/// See what Anyport does: build a sample, deploy, call, change it under load, split traffic, roll back, remove. On two throw-away targets,
/// side by side: local processes and an embedded AWS Lambda. Needs cargo. Ends with 0 only if all went as said.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build the sample as it would be shipped: smaller, and slower to build
    #[arg(long)]
    release: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let started = Instant::now();
    let mut teller = Teller::new(context);
    // Everything that the demo makes is below this folder, and goes with it.
    let folder = Scratch::new()?;
    let sample = sample::find(folder.path())?;
    let state = folder.path().join("state");
    teller.say(&format!(
        "A function from source to production and back, twice, on this machine: on local:// and on lambda://embedded, an AWS in this process.\nEverything is kept in {} and gone at the end.\n",
        folder.path().display()
    ))?;
    let profile = if args.release { "release" } else { "dev" };
    story::tell(context, &mut teller, &sample, &state, profile).await?;
    let took = started.elapsed();
    teller.end(took)?;
    Ok(Exit::Clean)
}

/// Tells what happens, step by step.
struct Teller<'a> {
    context: &'a Context,
    steps: Vec<Value>,
    since: Instant,
}

impl<'a> Teller<'a> {
    fn new(context: &'a Context) -> Self {
        Self {
            context,
            steps: Vec::new(),
            since: Instant::now(),
        }
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        if self.context.output.json {
            return Ok(());
        }
        self.context.output.line(text)
    }

    /// A step is over; `lines` says what happened.
    fn step(&mut self, name: &str, lines: &[String]) -> Result<(), Failure> {
        let took = self.since.elapsed();
        self.steps
            .push(json!({ "step": name, "said": lines, "duration_ms": view::millis(took) }));
        let style = self.context.output.style();
        let number = self.steps.len();
        let mut text = format!(
            "{} {}  {}",
            style.good(format_args!("{number:>2}.")),
            style.strong(name),
            style.faint(format_args!("({})", words::duration(took)))
        );
        for line in lines {
            text.push_str("\n      ");
            text.push_str(line);
        }
        let result = self.say(&text);
        self.since = Instant::now();
        result
    }

    fn end(self, took: Duration) -> Result<(), Failure> {
        if self.context.output.json {
            let fields = json!({ "steps": self.steps, "duration_ms": view::millis(took) });
            return self.context.output.object("demo", fields);
        }
        self.say(&format!(
            "\nAll {} steps went as said, in {}.\nNow your own: anyport init rust my-function",
            self.steps.len(),
            words::duration(took)
        ))
    }
}

/// Something did not go as said.
fn unless(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(unsaid(&what())) }
}

fn unsaid(what: &str) -> Failure {
    Failure::new("demo", format!("the demo did not go as said: {what}"))
        .next("run it again with --verbose; if it fails again, please report it")
}
