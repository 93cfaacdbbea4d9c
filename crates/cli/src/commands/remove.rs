//! `anyport remove`

use std::io::{BufRead as _, Write as _};

use anyport::Removal;

use super::many::{self, InsistOnProtected};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Remove functions, with everything that is their own. Events that wait or were given up stay, unless purging is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The functions
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Also discard events that wait or were given up
    #[arg(long)]
    purge: bool,
    /// Do not ask; needed with --json and where there is no terminal to ask on
    #[arg(short, long)]
    yes: bool,
    /// Go on although it is protected
    #[arg(long, value_name = "WHAT")]
    force: Vec<InsistOnProtected>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let mut targets = Vec::with_capacity(args.names.len());
    for name in &args.names {
        let (name, target) = session.target_of(name).await?;
        session.introduce(&target).await?;
        targets.push((name, target));
    }
    if !args.yes {
        confirm(context, &args).await?;
    }
    let removal = Removal::default()
        .purge(args.purge)
        .force(many::force_protected(&args.force).protected);
    let mut results = Vec::with_capacity(targets.len());
    for (name, target) in targets {
        results.push(
            target
                .remove(&name, removal)
                .await
                .map_err(many::with_insistence),
        );
        if context.cancel.is_cancelled() {
            break;
        }
    }
    session.reporter().clear();
    many::finish(context, "remove", results)
}

async fn confirm(context: &Context, args: &Args) -> Result<(), Failure> {
    let output = &context.output;
    if output.json || !(output.stdin_is_terminal && output.stderr_is_terminal) {
        return Err(Failure::new(
            "not_confirmed",
            "nothing was removed: there is nobody to ask",
        )
        .next("add --yes"));
    }
    let events = if args.purge {
        ", with the events that wait or were given up"
    } else {
        ""
    };
    let question = format!("Remove {}{events}? [y/N] ", args.names.join(", "));
    let asked = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        write!(std::io::stderr(), "{question}")
            .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
            .map(|_| answer)
    });
    let answer = tokio::select! {
        answer = asked => answer.ok().and_then(Result::ok).unwrap_or_default(),
        () = context.cancel.cancelled() => String::new(),
    };
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::new("not_confirmed", "nothing was removed"))
    }
}
