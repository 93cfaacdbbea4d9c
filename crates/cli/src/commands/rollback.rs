//! `anyport rollback`

use anyport::plan::VersionId;

use super::many::{self, InsistOnProtected};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Send all traffic to an earlier version. No artifact is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The function
    name: String,
    /// The version; the newest before the live one when none is named
    #[arg(value_name = "VERSION")]
    to: Option<String>,
    /// Go on although it is protected
    #[arg(long, value_name = "WHAT")]
    force: Vec<InsistOnProtected>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let (name, target) = session.target_of(&args.name).await?;
    session.introduce(&target).await?;
    let to = args.to.map(VersionId::new);
    let outcome = target
        .rollback_with(&name, to, many::force_protected(&args.force))
        .await;
    session.reporter().clear();
    many::finish(
        context,
        "rollback",
        vec![outcome.map_err(many::with_insistence)],
    )
}
