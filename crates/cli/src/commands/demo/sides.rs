//! The two targets of the demo: processes on this machine, and an AWS that is embedded in this process.

use std::path::Path;
use std::sync::Arc;

use anyport::embedded::aws::{Clock, Emulator};
use anyport::mark::Owner;
use anyport::{Connect, Target};

use crate::context::Context;
use crate::failure::Failure;

/// A target under a short name.
pub(super) struct Side {
    pub label: &'static str,
    pub target: Target,
}

/// Opens both. The embedded AWS keeps its state beside that of the other.
pub(super) async fn open(context: &Context, state: &Path) -> Result<[Side; 2], Failure> {
    let connect = |url: String| {
        Connect::new(url)
            .owner(Owner::new("demo", "demo"))
            .cancel(context.cancel.clone())
    };
    let local = connect(format!("local://{}", state.display()))
        .connect()
        .await?;
    // Nobody wants to wait for the minutes that AWS lets pass between attempts.
    let config = anyport::embedded::aws::config()
        .state(state.with_file_name("aws"))
        .clock(Clock::eager());
    let aws = Emulator::start(config).await.map_err(|error| {
        Failure::new("embedded", "the embedded AWS did not start").with_source(error)
    })?;
    let settings = anyport::embedded::aws::behind(Arc::new(aws)).await;
    let lambda = connect("lambda://embedded".to_owned())
        .lambda(settings)
        .connect()
        .await?;
    Ok([
        Side {
            label: "local",
            target: local,
        },
        Side {
            label: "lambda",
            target: lambda,
        },
    ])
}
