//! `anyport list`

use anyport::provider::{Entry, Scope};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{table, view};
use crate::session::Session;

/// List what is deployed by this application in this environment. Reads only.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also what others deployed
    #[arg(short, long)]
    all: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let scope = match session.project_if_any() {
        // Without a manifest there is no owner whose functions could be meant.
        Some(_) if !args.all => Scope::Owned(session.owner()),
        _ => Scope::Everything,
    };
    let output = &context.output;
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    let mut unreadable = 0;
    for url in session.urls()? {
        let target = session.target(&url).await?;
        let mut entries = target.list(scope.clone());
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            if output.json {
                objects.push(object(url.as_str(), &entry));
            }
            if let Entry::Unreadable { name, why } = &entry {
                unreadable += 1;
                output.warn(&format!("{name} on {url} cannot be read: {why}"));
            }
            rows.extend(row(url.as_str(), &entry));
        }
    }
    if output.json {
        output.object("list", json!({ "functions": objects }))?;
    } else if rows.is_empty() {
        output.note(&match &scope {
            Scope::Owned(owner) => {
                format!("nothing of {owner} is deployed here; --all shows what others deployed")
            }
            _ => "nothing is deployed here".to_owned(),
        });
    } else {
        let heading = ["NAME", "VERSION", "HEALTH", "OWNER", "TARGET"];
        output.line(&table::render(&heading, &rows, output.style()))?;
    }
    Ok(if unreadable > 0 {
        Exit::Error
    } else {
        Exit::Clean
    })
}

fn row(url: &str, entry: &Entry) -> Option<Vec<String>> {
    let Entry::Function(function) = entry else {
        return None;
    };
    Some(vec![
        function.name.clone(),
        function
            .version
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        view::health(&function.health).to_owned(),
        function.owned.words().to_owned(),
        url.to_owned(),
    ])
}

fn object(url: &str, entry: &Entry) -> serde_json::Value {
    match entry {
        Entry::Function(function) => json!({
            "function": function.name,
            "target": url,
            "owner": function.owned.words(),
            "health": view::health(&function.health),
            "version": function.version,
        }),
        Entry::Unreadable { name, why } => {
            json!({ "function": name, "target": url, "unreadable": why })
        }
        _ => json!({ "target": url }),
    }
}
