//! The vendor's own clients and tools against the embedded AWS, and the vendor's models over each of its answers.

mod cargo_lambda;
mod cli;
mod cloud;
mod coverage;
mod drive;
mod install;

use std::time::Instant;

use super::Cache;
use super::report::Report;
use cloud::Clouds;

/// Runs all parts. With `write`, the table of coverage is written instead of compared.
pub(crate) async fn check(cache: &Cache, write: bool, report: &mut Report) {
    let began = Instant::now();
    let clouds = match Clouds::start().await {
        Ok(clouds) => clouds,
        Err(why) => return report.line("aws", "the embedded AWS", began, Err(why)),
    };
    let clients = install::clients(cache);
    let clients = clients.as_deref().map_err(ToString::to_string);
    let seen = drive::check(cache, clients.clone(), &clouds, report);
    let began = Instant::now();
    let outcome = seen.and_then(|seen| coverage::check(&seen, write));
    report.line("aws", "the table of coverage", began, outcome);
    cli::check(clients, &clouds, report);
    cargo_lambda::check(cache, &clouds, report);
    clouds.stop().await;
}
