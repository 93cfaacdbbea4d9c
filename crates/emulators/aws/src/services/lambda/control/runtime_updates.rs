//! When runtimes are updated, and what becomes of recursive loops. Both are kept and shown.

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::function::{Function, RuntimeUpdates};
use super::super::names::Target;
use super::op::Op;
use super::read::exists;
use super::show::runtime_version_arn;

fn shown(function: &Function, target: &Target) -> Value {
    let key = target.or_latest();
    let updates = function.runtime_updates.get(key);
    let mut shown = json!({
        "UpdateRuntimeOn": updates.map_or("Auto", |updates| updates.on.as_str()),
        "FunctionArn": function.qualified_arn(key),
    });
    if let Some(arn) = updates.and_then(|updates| updates.version_arn.as_ref()) {
        shown["RuntimeVersionArn"] = json!(arn);
    }
    shown
}

/// `PutRuntimeManagementConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn put(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let input = op.input();
    let updates = RuntimeUpdates {
        on: input.string("UpdateRuntimeOn"),
        version_arn: input.text("RuntimeVersionArn").map(str::to_owned),
    };
    // *Guessed*: the words.
    if (updates.on == "Manual") != updates.version_arn.is_some() {
        return Err(errors::invalid(
            "A RuntimeVersionArn goes with UpdateRuntimeOn Manual, and with it alone.",
        ));
    }
    op.change(&target, |function| {
        exists(function, &target)?;
        if let (Some(arn), Some(version)) =
            (&updates.version_arn, function.qualified(target.or_latest()))
            && *arn != runtime_version_arn(&target.region, &version.config.settings)
        {
            return Err(errors::invalid(format!(
                "Runtime version {arn} is not found or can't be used by the function."
            )));
        }
        let key = target.or_latest().to_owned();
        function.runtime_updates.insert(key, updates);
        Ok(Answer::json(shown(function, &target)))
    })
}

/// `GetRuntimeManagementConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    op.read(&target, |function| {
        exists(function, &target)?;
        Ok(Answer::json(shown(function, &target)))
    })
}

/// `PutFunctionRecursionConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn put_recursion(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.whole()?;
    op.change(&target, |function| {
        function.recursive_loop = op.input().string("RecursiveLoop");
        Ok(recursion(function))
    })
}

/// `GetFunctionRecursionConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn get_recursion(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.whole()?;
    op.read(&target, |function| Ok(recursion(function)))
}

fn recursion(function: &Function) -> Answer {
    Answer::json(json!({ "RecursiveLoop": function.recursive_loop }))
}
