//! Rust programs as `bootstrap`.

use serde_json::json;

use super::super::stage::{Stage, same, zip};
use super::super::{Cache, peers};
use crate::commands::Failure;

/// Our own sample function.
pub(super) async fn quickstart(_: &Cache, stage: &Stage) -> Result<String, Failure> {
    let packed = stage.pack_program(&peers::ours("quickstart")?)?;
    let function = stage.deploy("greeter", zip(), &packed).await?;
    let answer = function.json(&json!({"name": "Ada"})).await?;
    let expected = json!({"message": "good day, Ada", "version": function.version});
    same("the answer", answer, expected)?;
    let failure = function.failure(r#"{"name": " "}"#).await?;
    same("the error", failure.error_type.as_str(), "EmptyName")?;
    same("handled", failure.handled, true)?;
    function.logged("a name of 3 characters").await?;
    function.remove().await?;
    Ok(format!("{} KB zip", packed.size / 1000))
}

/// A function that was written for AWS's own crate.
pub(super) async fn lambda_runtime(cache: &Cache, stage: &Stage) -> Result<String, Failure> {
    let packed = stage.pack_program(&peers::cargo(cache, "lambda-runtime-fn")?)?;
    let function = stage.deploy("greeter", zip(), &packed).await?;
    let answer = function.json(&json!({"name": "Ada"})).await?;
    let expected = json!({
        "message": "good day, Ada",
        "version": function.version,
        "memory_mb": 256,
        "has_time": true,
    });
    same("the answer", answer, expected.clone())?;
    let failure = function.failure(r#"{"name": ""}"#).await?;
    same("the error", failure.error_type.as_str(), "EmptyName")?;
    let message = "there is nobody to greet: give a name";
    same("the message", failure.message.as_str(), message)?;
    // This crate catches panics and reports them as errors.
    let failure = function.failure(r#"{"name": "panic"}"#).await?;
    same("says why", failure.message.contains("asked to panic"), true)?;
    let answer = function.json(&json!({"name": "Ada"})).await?;
    same("the answer after a panic", answer, expected)?;
    function.logged("a name of 3 characters").await?;
    function.remove().await?;
    Ok(format!("{} KB zip", packed.size / 1000))
}
