//! One short file per command.

pub(crate) mod adopt;
pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod conformance;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod invoke;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod package;
pub(crate) mod plan;
pub(crate) mod release;
pub(crate) mod remove;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod traffic;
pub(crate) mod versions;

mod many;
mod plan_file;

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Runs a command to its end.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Demo(args) => demo::run(args, context).await,
        Command::Init(args) => init::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Plan(args) => plan::run(args, context).await,
        Command::Apply(args) => apply::run(args, context).await,
        Command::Deploy(args) => deploy::run(args, context).await,
        Command::Invoke(args) => invoke::run(args, context).await,
        Command::Logs(args) => logs::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::List(args) => list::run(args, context).await,
        Command::Versions(args) => versions::run(args, context).await,
        Command::Traffic(args) => traffic::run(args, context).await,
        Command::Rollback(args) => rollback::run(args, context).await,
        Command::Remove(args) => remove::run(args, context).await,
        Command::Adopt(args) => adopt::run(args, context).await,
        Command::Release(args) => release::run(args, context).await,
        Command::Package(args) => package::run(args, context).await,
        Command::Conformance(args) => conformance::run(args, context).await,
        Command::Dev(args) => dev::run(args, context).await,
        Command::Doctor(args) => doctor::run(&args, context).await,
        Command::Completions(args) => completions::run(&args, context),
    }
}
