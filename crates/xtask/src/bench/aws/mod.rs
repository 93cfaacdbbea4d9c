//! What is measured of the embedded AWS and of the adapter on it.
//!
//! Peers do the same work in the same run, in turns.

mod calls;
mod cold;
mod functions;
mod many;
mod overhead;
mod peers;
mod ready;
mod served;
mod stage;
mod warm;
mod wire;

use super::{Settings, Table};
use crate::commands::Failure;

/// Makes one of the measurements that begin with `aws-`.
///
/// # Errors
/// When it cannot be made.
pub(super) async fn measure(
    name: &str,
    settings: &Settings,
    table: &mut Table,
) -> Result<(), Failure> {
    match name {
        "aws-warm" => warm::measure(settings, table).await,
        "aws-cold" => cold::measure(table).await,
        "aws-ready" => ready::measure(table).await,
        "aws-overhead" => overhead::measure(settings, table).await,
        "aws-calls" => calls::measure(table).await,
        "aws-many" => many::measure(table).await,
        _ => Err(format!("there is no measurement {name}").into()),
    }
}

/// What every function that is measured is asked.
const EVENT: &str = r#"{"name":"Ada"}"#;

/// Whether it answered.
///
/// # Errors
/// When it said anything else.
fn greeted(status: u16, body: &[u8]) -> Result<(), Failure> {
    // Read as JSON: not everybody hands on the bytes that the function sent.
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if status == 200 && answer["message"] == "good day, Ada" {
        return Ok(());
    }
    let said = String::from_utf8_lossy(body);
    Err(format!("the function answered {status}: {said}").into())
}
