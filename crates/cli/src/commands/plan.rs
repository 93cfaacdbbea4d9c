//! `anyport plan`

use std::path::PathBuf;

use anyport::plan::{Plan, State};
use serde_json::json;

use super::many::{self, Insist};
use super::{deploy, plan_file};
use crate::artifact;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{view, words};
use crate::scratch::Scratch;
use crate::session::Session;

/// Show what `deploy` would change. Ends with 2 when there is something to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The functions; all of the manifest when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Save the plan for `anyport apply`, with the artifacts in FILE.d beside it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Plan although: it is protected; its traffic is split
    #[arg(long, value_name = "WHAT")]
    force: Vec<Insist>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let project = session.project()?;
    let functions = project.functions(&args.names)?;
    for function in &functions {
        session.url_of(&function.name)?;
    }
    let folder = Scratch::new()?;
    let ready = artifact::prepare(context, project, &functions, folder.path()).await?;
    let force = many::force(&args.force);
    let mut plans = Vec::with_capacity(ready.len());
    let mut failed = Vec::new();
    for one in ready {
        let name = one.spec.name.clone();
        let target = session.target(&session.url_of(&name)?).await?;
        session.introduce(&target).await?;
        let content = one.content();
        let desired = target
            .desired(name.clone(), State::Present(Box::new(one.spec)))
            .with_content(content)
            .with_force(force);
        match target.plan(desired).await {
            Ok(plan) => plans.push((plan, one.archive)),
            Err(error) => failed.push(deploy::located(&session, &name, error)),
        }
    }
    show(context, &plans)?;
    match failed.len() {
        0 => {}
        1 => return Err(failed.remove(0)),
        _ => return Err(Failure::several(0, failed)),
    }
    let pending = plans.iter().any(|(plan, _)| !plan.is_empty());
    if let Some(path) = &args.output {
        plan_file::write(path, &plans)?;
        context.output.note(&if pending {
            format!("saved; make it so with: anyport apply {}", path.display())
        } else {
            format!(
                "saved as {}, although there is nothing to do",
                path.display()
            )
        });
    }
    Ok(if pending { Exit::Pending } else { Exit::Clean })
}

fn show<T>(context: &Context, plans: &[(Plan, T)]) -> Result<(), Failure> {
    let output = &context.output;
    if output.json {
        let plans: Vec<_> = plans.iter().map(|(plan, _)| view::plan(plan)).collect();
        return output.object("plan", json!({ "plans": plans }));
    }
    for (plan, _) in plans {
        output.line(&view::plan_lines(plan, output.style()))?;
    }
    let changes = plans.iter().filter(|(plan, _)| !plan.is_empty()).count();
    output.line(&match changes {
        0 => "nothing to do".to_owned(),
        _ => format!(
            "{} to change, nothing was written",
            words::count(changes, "function")
        ),
    })
}
