//! `anyport deploy`

use anyport::ErrorKind;
use anyport::outcome::Outcome;
use futures_util::StreamExt as _;

use super::many::{self, Insist};
use crate::artifact::{self, Ready};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::scratch::Scratch;
use crate::session::Session;

/// Functions that are deployed at the same time.
const AT_ONCE: usize = 4;

/// Bring functions to the state that the manifest asks for.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The functions; all of the manifest when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Go on although: it is protected; its traffic is split
    #[arg(long, value_name = "WHAT")]
    force: Vec<Insist>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let project = session.project()?;
    let functions = project.functions(&args.names)?;
    if functions.is_empty() {
        context
            .output
            .note(&format!("{} has no function", project.path.display()));
    }
    for function in &functions {
        session.url_of(&function.name)?;
    }
    let folder = Scratch::new()?;
    let ready = artifact::prepare(context, project, &functions, folder.path()).await?;
    for function in &functions {
        let target = session.target(&session.url_of(&function.name)?).await?;
        session.introduce(&target).await?;
    }
    let force = many::force(&args.force);
    let one = |ready: Ready| {
        let session = &session;
        async move { deploy(session, ready, force).await }
    };
    let results: Vec<_> = futures_util::stream::iter(ready.into_iter().map(one))
        .buffered(AT_ONCE)
        .collect()
        .await;
    session.reporter().clear();
    many::finish(context, "deploy", results)
}

async fn deploy(
    session: &Session<'_>,
    ready: Ready,
    force: anyport::plan::Force,
) -> Result<Outcome, Failure> {
    let name = ready.spec.name.clone();
    let target = session.target(&session.url_of(&name)?).await?;
    let content = ready.content();
    target
        .deploy_with(ready.spec, content, force)
        .await
        .map_err(|error| located(session, &name, error))
}

/// Points violations into the manifest.
pub(super) fn located(
    session: &Session<'_>,
    name: &anyport::spec::Name,
    error: anyport::Error,
) -> Failure {
    match (error.kind(), session.project_if_any()) {
        (ErrorKind::InvalidSpec(violations), Some(project)) => project.locate(name, violations),
        _ => many::with_insistence(error),
    }
}
