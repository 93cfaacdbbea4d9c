//! `anyport status`

use anyport::plan::{Health, Observed};
use anyport::spec::Name;
use anyport::{ErrorKind, Target};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{view, words};
use crate::session::{self, Session};

/// Show how deployed functions are. Reads only.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The functions; all of the manifest when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let names: Vec<Name> = if args.names.is_empty() {
        let functions = &session.project()?.application.functions;
        functions
            .iter()
            .map(|function| function.name.clone())
            .collect()
    } else {
        args.names
            .iter()
            .map(|name| session::name(name))
            .collect::<Result<_, _>>()?
    };
    let asked_by_name = !args.names.is_empty();
    let mut objects = Vec::new();
    for name in names {
        let target = session.target(&session.url_of(&name)?).await?;
        let seen = match target.status(&name).await {
            Ok(seen) => Some(seen),
            // The manifest may be ahead of what is deployed; a name that was typed should be there.
            Err(error) if !asked_by_name && *error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        match (context.output.json, seen) {
            (true, Some(seen)) => objects.push(view::observed(target.id().as_str(), &seen)),
            (true, None) => {
                objects.push(json!({ "function": name, "target": target.id(), "health": "absent" }))
            }
            (false, Some(seen)) => context.output.line(&lines(context, &target, &seen))?,
            (false, None) => {
                let text = format!("{name} on {}: not deployed", target.id());
                context.output.line(&text)?;
            }
        }
    }
    if context.output.json {
        context
            .output
            .object("status", json!({ "functions": objects }))?;
    }
    Ok(Exit::Clean)
}

fn lines(context: &Context, target: &Target, seen: &Observed) -> String {
    let style = context.output.style();
    let health = view::health(&seen.health);
    let health = match &seen.health {
        Health::Ready => style.good(health),
        Health::Failed(why) => format!("{}: {why}", style.error(health)),
        _ => style.warning(health),
    };
    let mut out = format!("{} on {}: {health}", style.strong(&seen.name), target.id());
    if !seen.owned.is_by(target.owner()) {
        out.push_str(&format!(
            "\n  not yours: it belongs to {}",
            seen.owned.words()
        ));
    }
    if let Some(split) = &seen.split {
        match split.only() {
            Some(version) => out.push_str(&format!("\n  version {version}")),
            None => out.push_str(&format!("\n  traffic: {split}")),
        }
    }
    if let Some(endpoint) = &seen.endpoint {
        out.push_str(&format!("\n  endpoint: {endpoint}"));
    }
    if seen.is_protected() {
        out.push_str("\n  protected");
    }
    for what in &seen.residue {
        out.push_str(&format!("\n  an earlier run left: {what}"));
    }
    let events = seen.events;
    if events.waiting + events.dead > 0 {
        let count =
            |number: u64| words::count(usize::try_from(number).unwrap_or(usize::MAX), "event");
        out.push_str(&format!(
            "\n  {} waiting, {} given up",
            count(events.waiting),
            count(events.dead)
        ));
    }
    out
}
