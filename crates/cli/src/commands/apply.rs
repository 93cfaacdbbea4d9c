//! `anyport apply`

use std::path::PathBuf;

use super::{many, plan_file};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Make the changes of a plan that `anyport plan -o FILE` saved. Nothing is done where something else has changed since.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The saved plan
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let plans = plan_file::read(&args.file)?;
    let session = Session::start(context)?;
    let mut results = Vec::with_capacity(plans.len());
    for plan in plans {
        let url = plan
            .target
            .parse()
            .map_err(|error: anyport::target::InvalidTarget| {
                Failure::new("plan_file", format!("the plan names no target: {error}"))
            })?;
        let target = session.target_for(&url, plan.desired.owner.clone()).await?;
        session.introduce(&target).await?;
        results.push(target.apply(plan).await.map_err(Failure::from));
        if context.cancel.is_cancelled() {
            break;
        }
    }
    session.reporter().clear();
    many::finish(context, "apply", results)
}
