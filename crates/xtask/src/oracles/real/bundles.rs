//! Handlers in other languages, with what they import.

use anyport::spec::Packaging;
use serde_json::json;

use super::super::stage::{Stage, same};
use super::super::{Cache, peers};
use crate::commands::Failure;

fn bundle(runtime: &str, handler: &str) -> Result<Packaging, Failure> {
    Ok(Packaging::Bundle {
        runtime: runtime.parse()?,
        handler: handler.to_owned(),
    })
}

/// A Python handler.
pub(super) async fn python(cache: &Cache, stage: &Stage) -> Result<String, Failure> {
    let packed = stage.pack(&peers::python(cache)?)?;
    let packaging = bundle("python3", "app.handler")?;
    let function = stage.deploy("meetings", packaging, &packed).await?;
    let answer = function
        .json(&json!({"start": "2026-01-31T09:30", "count": 3}))
        .await?;
    let expected = json!({
        "fridays": ["2026-02-06", "2026-02-13", "2026-02-20"],
        "a_month_on": "2026-02-28",
        "unit": "test",
        "in_time": true,
        "memory": "256",
        "known_request": true,
        "warm": true,
    });
    same("the answer", answer, expected)?;
    let failure = function.failure("{}").await?;
    same("the error", failure.error_type.as_str(), "NoMeeting")?;
    same(
        "the message",
        failure.message.as_str(),
        "a meeting needs a start",
    )?;
    same(
        "has a stack",
        failure.stack.iter().any(|line| line.contains("app.py")),
        true,
    )?;
    let failure = function.failure(r#"{"start": "2026-01-31"}"#).await?;
    same(
        "the error of a missing key",
        failure.error_type.as_str(),
        "KeyError",
    )?;
    let failure = function.failure(r#"{"start": "soon", "count": 1}"#).await?;
    same(
        "the dependency's error",
        failure.error_type.as_str(),
        "ParserError",
    )?;
    function.logged("planning from 2026-01-31").await?;
    function.remove().await?;
    Ok(format!("{} files", packed.entries))
}

/// A Node handler, as an ES module.
pub(super) async fn node(cache: &Cache, stage: &Stage) -> Result<String, Failure> {
    let packed = stage.pack(&peers::node(cache)?)?;
    let packaging = bundle("nodejs", "index.handler")?;
    let function = stage.deploy("orders", packaging, &packed).await?;
    let orders = json!([
        {"customer": "ada", "amount": 3},
        {"customer": "bob", "amount": 4},
        {"customer": "ada", "amount": 5},
    ]);
    let batch = "https://example.com/batch/7";
    let answer = function
        .json(&json!({"orders": orders, "batch": batch}))
        .await?;
    let expected = json!({
        "totals": {"ada": 8, "bob": 4},
        "id": "246c14b4-3e4b-5064-85bc-e53e201d3889",
        "unit": "test",
        "inTime": true,
        "memory": "256",
    });
    same("the answer", answer, expected)?;
    let failure = function.failure(r#"{"orders": []}"#).await?;
    same("the error", failure.error_type.as_str(), "NoOrders")?;
    same(
        "the message",
        failure.message.as_str(),
        "there is nothing to group",
    )?;
    same(
        "has a stack",
        failure.stack.iter().any(|line| line.contains("index.js")),
        true,
    )?;
    function.logged("grouping 3 orders").await?;
    function.remove().await?;
    Ok(format!("{} files", packed.entries))
}
