//! `anyport conformance`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport::target::TargetUrl;
use anyport_conformance::{CaseReport, Harness, Options, Report, SuiteError, find_probe};
use anyport_conformance_runner::{Lambda, Local};

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
    /// Do the same on this target too, instead of the cases, and show what differs. Ends with 0 only if what the targets declare explains it
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["rule", "junit", "markdown"])]
    against: Option<TargetUrl>,
    /// Make the cases' seeds from another number
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let harness = harness(&chosen(context)?)?;
    let other = args.against.as_ref().map(self::harness).transpose()?;
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
    if let Some(other) = other {
        let running = move || anyport_conformance::differential(harness, other, &options);
        let report = to_its_end(context, running).await?;
        if context.output.json {
            context.output.line(&report.to_json())?;
        } else {
            context.output.line(&report.to_string())?;
        }
        return Ok(exit(report.is_clean()));
    }
    let running = move || anyport_conformance::run(harness, &options);
    let report = to_its_end(context, running).await?;
    write(args.junit.as_deref(), || report.to_junit())?;
    write(args.markdown.as_deref(), || report.to_markdown())?;
    show(context, &report)?;
    Ok(exit(report.summary().is_clean()))
}

const fn exit(is_clean: bool) -> Exit {
    if is_clean { Exit::Clean } else { Exit::Error }
}

/// Runs what blocks, unless the user stops it.
async fn to_its_end<T: Send + 'static>(
    context: &Context,
    run: impl FnOnce() -> Result<T, SuiteError> + Send + 'static,
) -> Result<T, Failure> {
    tokio::select! {
        report = tokio::task::spawn_blocking(run) => report
            .map_err(|error| Failure::new("internal", "the suite broke off").with_source(error))?
            .map_err(|error| Failure::new("suite", error.to_string())),
        () = context.cancel.cancelled() => {
            Err(Failure::new("interrupted", "the suite was stopped; there is no report"))
        }
    }
}

/// The one target that is named.
fn chosen(context: &Context) -> Result<TargetUrl, Failure> {
    let session = Session::start(context)?;
    let urls = session.urls()?;
    match urls.as_slice() {
        [url] => Ok(url.clone()),
        _ => Err(
            Failure::new("no_target", "the suite runs over one target at a time")
                .next("name it with --on, such as --on local://"),
        ),
    }
}

/// The harness of the target's adapter: it opens places of its own, never the target itself.
fn harness(url: &TargetUrl) -> Result<Arc<dyn Harness>, Failure> {
    match (url.scheme(), url.place()) {
        ("local", _) => Local::new()
            .map(|local| Arc::new(local) as Arc<dyn Harness>)
            .map_err(|error| {
                Failure::new("file", "cannot make a temporary folder").with_source(error)
            }),
        ("lambda", "embedded") => Ok(Arc::new(Lambda::new())),
        _ => Err(
            Failure::new("no_harness", format!("there is no harness for {url}")).next(
                "the suite runs over local:// and lambda://embedded; other adapters run it from their own tests",
            ),
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
