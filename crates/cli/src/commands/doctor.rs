//! `anyport doctor`

mod machine;

use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use machine::{Finding, Verdict};

/// Say what this machine has, what is missing, and what that means. Ends with 1 when functions cannot run here.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let containment = anyport::local::containment()
        .await
        .map_err(|error| error.to_string());
    let looked = tokio::task::spawn_blocking(move || machine::look(&containment))
        .await
        .map_err(|error| Failure::new("internal", "looking around broke off").with_source(error))?;
    let output = &context.output;
    if output.json {
        output.object("doctor", json!({ "findings": looked }))?;
    } else {
        let width = looked
            .iter()
            .map(|one| one.what.chars().count())
            .max()
            .unwrap_or_default();
        for one in &looked {
            output.line(&line(context, one, width))?;
        }
    }
    let broken = looked.iter().any(|one| one.verdict == Verdict::Needed);
    if broken {
        output.note("functions cannot run on this machine until that is mended");
    }
    Ok(if broken { Exit::Error } else { Exit::Clean })
}

fn line(context: &Context, one: &Finding, width: usize) -> String {
    let style = context.output.style();
    let word = match one.verdict {
        Verdict::Good => style.good("ok     "),
        Verdict::Missing => style.warning("missing"),
        Verdict::Needed => style.error("needed "),
    };
    let mut out = format!("{word}  {:width$}  {}", one.what, one.found);
    if let Some(means) = &one.means {
        out.push_str(&format!("\n         {:width$}  {means}", ""));
    }
    out
}
