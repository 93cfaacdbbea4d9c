//! `anyport conformance`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_conformance::{CaseReport, Harness, Options, Report, find_probe};
use anyport_conformance_runner::Local;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Run the conformance suite over a target's adapter, in places of its own. Ends with 0 only if nothing failed, nothing was left out and
/// nothing was over budget.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the cases of this rule (such as D4), or this case; may be repeated
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// The executable of the probe function; found beside this program or built by cargo unless named
    #[arg(long, value_name = "PATH")]
    probe: Option<PathBuf>,
    /// Also write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Also write the report as a Markdown table
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Make the cases' seeds from another number
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let harness = harness(context)?;
    let given = args.probe.clone();
    let probe = tokio::task::spawn_blocking(move || find_probe(given.as_deref()))
        .await
        .map_err(|error| {
            Failure::new("internal", "looking for the probe broke off").with_source(error)
        })?
        .map_err(|error| Failure::new("no_probe", error.to_string()))?;
    let output = context.output.clone();
    let told = move |case: &CaseReport| output.note(&case.to_string());
    let mut options = Options::new(probe).with_progress(Arc::new(told));
    if let Some(seed) = args.seed {
        options = options.with_seed(seed);
    }
    for rule in &args.rule {
        options = options.only(rule);
    }
    let running = tokio::task::spawn_blocking(move || anyport_conformance::run(harness, &options));
    let report = tokio::select! {
        report = running => report
            .map_err(|error| Failure::new("internal", "the suite broke off").with_source(error))?
            .map_err(|error| Failure::new("suite", error.to_string()))?,
        () = context.cancel.cancelled() => {
            return Err(Failure::new("interrupted", "the suite was stopped; there is no report"));
        }
    };
    write(args.junit.as_deref(), || report.to_junit())?;
    write(args.markdown.as_deref(), || report.to_markdown())?;
    show(context, &report)?;
    Ok(if report.summary().is_clean() {
        Exit::Clean
    } else {
        Exit::Error
    })
}

/// The harness of the target's adapter: it opens places of its own, never the target itself.
fn harness(context: &Context) -> Result<Arc<dyn Harness>, Failure> {
    let session = Session::start(context)?;
    let urls = session.urls()?;
    let [url] = urls.as_slice() else {
        return Err(
            Failure::new("no_target", "the suite runs over one target at a time")
                .next("name it with --on, such as --on local://"),
        );
    };
    match url.scheme() {
        "local" => Local::new()
            .map(|local| Arc::new(local) as Arc<dyn Harness>)
            .map_err(|error| {
                Failure::new("file", "cannot make a temporary folder").with_source(error)
            }),
        other => Err(
            Failure::new("no_harness", format!("there is no harness for {other}://"))
                .next("the suite runs over local://; other adapters run it from their own tests"),
        ),
    }
}

fn write(path: Option<&Path>, text: impl FnOnce() -> String) -> Result<(), Failure> {
    match path {
        Some(path) => {
            std::fs::write(path, text()).map_err(|error| Failure::file("write", path, &error))
        }
        None => Ok(()),
    }
}

fn show(context: &Context, report: &Report) -> Result<(), Failure> {
    if context.output.json {
        context.output.line(&report.to_json())
    } else {
        context.output.line(report.to_string().trim_end())
    }
}
