//! Real input: functions as people have them, unmodified, deployed and called through the public interface.

mod bundles;
mod programs;
mod shell;
mod web;

use std::time::Instant;

use super::Cache;
use super::report::Report;
use super::stage::Stage;

/// Deploys, calls and removes each of them.
pub(crate) async fn check(cache: &Cache, report: &mut Report) {
    macro_rules! each {
        ($($what:literal => $case:path),* $(,)?) => {
            $(
                let began = Instant::now();
                let outcome = match Stage::open().await {
                    Ok(stage) => $case(cache, &stage).await,
                    Err(why) => Err(why),
                };
                report.line("real", $what, began, outcome);
            )*
        };
    }
    each! {
        "a Rust function on anyport-runtime" => programs::quickstart,
        "a Rust function on AWS's lambda_runtime" => programs::lambda_runtime,
        "a Python handler with dateutil" => bundles::python,
        "a Node handler with lodash and uuid" => bundles::node,
        "a shell bootstrap with curl" => shell::bootstrap,
        "a zip of 40 MB" => shell::large,
        "an HTTP server that knows nothing of us" => web::server,
    }
}
