//! `anyport traffic`

use anyport::plan::{Split, VersionId};

use super::many::{self, InsistOnProtected};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Split traffic over versions, such as `anyport traffic hello 1=90 2=10`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The function
    name: String,
    /// Versions with their shares in percent, 100 together; what is not named gets none
    #[arg(value_name = "VERSION=PERCENT", required = true, value_parser = share)]
    shares: Vec<(VersionId, u8)>,
    /// Go on although it is protected
    #[arg(long, value_name = "WHAT")]
    force: Vec<InsistOnProtected>,
}

fn share(text: &str) -> Result<(VersionId, u8), String> {
    let wrong = || "write VERSION=PERCENT, such as 2=10".to_owned();
    let (version, percent) = text.rsplit_once('=').ok_or_else(wrong)?;
    let percent: u8 = percent.trim_end_matches('%').parse().map_err(|_| wrong())?;
    if version.is_empty() || percent > 100 {
        return Err(wrong());
    }
    Ok((VersionId::new(version), percent))
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let split = Split::new(args.shares).map_err(|error| {
        Failure::new("invalid_split", error.to_string())
            .next("name every version that is to get traffic")
    })?;
    let session = Session::start(context)?;
    let (name, target) = session.target_of(&args.name).await?;
    session.introduce(&target).await?;
    let outcome = target
        .traffic_with(&name, split, many::force_protected(&args.force))
        .await;
    session.reporter().clear();
    many::finish(
        context,
        "traffic",
        vec![outcome.map_err(many::with_insistence)],
    )
}
