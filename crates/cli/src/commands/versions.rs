//! `anyport versions`

use anyport::plan::Version;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{table, view, words};
use crate::session::Session;

/// List the versions of a function, oldest first, with their traffic. Reads only.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The function
    name: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let (name, target) = session.target_of(&args.name).await?;
    let versions = target.versions(&name).await?;
    let output = &context.output;
    if output.json {
        let versions: Vec<Value> = versions.iter().map(view::version).collect();
        output.object(
            "versions",
            json!({ "function": name, "target": target.id(), "versions": versions }),
        )?;
    } else {
        let rows: Vec<Vec<String>> = versions.iter().map(row).collect();
        output.line(&table::render(
            &["VERSION", "TRAFFIC", "CREATED", "ARTIFACT"],
            &rows,
            output.style(),
        ))?;
    }
    Ok(Exit::Clean)
}

fn row(version: &Version) -> Vec<String> {
    vec![
        version.id.to_string(),
        match version.share {
            0 => "-".to_owned(),
            share => format!("{share}%"),
        },
        version.created.map(words::time).unwrap_or_default(),
        version
            .artifact
            .map(|digest| digest.short())
            .unwrap_or_default(),
    ]
}
