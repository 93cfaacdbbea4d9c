//! `anyport release`

use super::many;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Leave functions running that are not yours any more.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The functions
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let mut results = Vec::with_capacity(args.names.len());
    for name in &args.names {
        let (name, target) = session.target_of(name).await?;
        session.introduce(&target).await?;
        results.push(target.release(&name).await.map_err(Failure::from));
    }
    session.reporter().clear();
    many::finish(context, "release", results)
}
