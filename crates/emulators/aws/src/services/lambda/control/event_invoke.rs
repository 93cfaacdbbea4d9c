//! How asynchronous invocations are handled.

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::function::{EventInvoke, Function};
use super::super::names::Target;
use super::input::Input;
use super::op::Op;
use super::page::page;
use super::role;
use super::show::seconds;

fn shown(arn: String, config: &EventInvoke) -> Value {
    let destination = |arn: &Option<String>| match arn {
        Some(arn) => json!({ "Destination": arn }),
        None => json!({}),
    };
    let mut shown = json!({
        "LastModified": config.modified,
        "FunctionArn": arn,
        "DestinationConfig": {
            "OnSuccess": destination(&config.on_success),
            "OnFailure": destination(&config.on_failure),
        },
    });
    if let Some(retries) = config.retries {
        shown["MaximumRetryAttempts"] = json!(retries);
    }
    if let Some(age) = config.max_age {
        shown["MaximumEventAgeInSeconds"] = json!(age);
    }
    shown
}

/// `PutFunctionEventInvokeConfig`: what the input does not say is unset.
///
/// # Errors
/// The operation's.
pub(super) fn put(op: &Op) -> Result<Answer, ApiError> {
    set(op, false)
}

/// `UpdateFunctionEventInvokeConfig`: what the input does not say stays.
///
/// # Errors
/// The operation's.
pub(super) fn update(op: &Op) -> Result<Answer, ApiError> {
    set(op, true)
}

fn set(op: &Op, update: bool) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let input = op.input();
    let members = [
        "MaximumRetryAttempts",
        "MaximumEventAgeInSeconds",
        "DestinationConfig",
    ];
    if !members.iter().any(|member| input.has(member)) {
        return Err(errors::invalid(
            "You must specify at least one of error handling or destination setting.",
        ));
    }
    let execution_role = find(op, &target, |function| {
        if update && !function.event_invoke.contains_key(target.or_latest()) {
            return Err(missing(&target));
        }
        Ok(function.latest.config.settings.role.clone())
    })?;
    let destinations = input.part("DestinationConfig");
    let [on_success, on_failure] =
        ["OnSuccess", "OnFailure"].map(|member| destination(destinations, member));
    for arn in [on_success, on_failure].into_iter().flatten() {
        check_destination(op, &target, &execution_role, arn, destinations)?;
    }
    let modified = seconds(op.now());
    let config = op.change(&target, |function| {
        let key = target.or_latest().to_owned();
        let mut config = match function.event_invoke.get(&key) {
            Some(old) if update => old.clone(),
            _ => EventInvoke::default(),
        };
        config.modified = modified;
        if let Some(retries) = input.number("MaximumRetryAttempts") {
            config.retries = Some(retries);
        }
        if let Some(age) = input.number("MaximumEventAgeInSeconds") {
            config.max_age = Some(age);
        }
        if destinations.is_some() {
            config.on_success = on_success.map(str::to_owned);
            config.on_failure = on_failure.map(str::to_owned);
        }
        function.event_invoke.insert(key, config.clone());
        Ok(config)
    })?;
    Ok(Answer::json(shown(qualified(&target), &config)))
}

fn destination<'a>(config: Option<Input<'a>>, member: &str) -> Option<&'a str> {
    config?
        .part(member)?
        .text("Destination")
        .filter(|arn| !arn.is_empty())
}

/// Lets a destination be one that records can be sent to with the function's role.
fn check_destination(
    op: &Op,
    target: &Target,
    execution_role: &str,
    arn: &str,
    config: Option<Input<'_>>,
) -> Result<(), ApiError> {
    let service = arn.split(':').nth(2);
    let (action, name) = match service {
        Some("sqs") => ("sqs:SendMessage", "SendMessage"),
        Some("lambda") => {
            let other = Target::of_arn(arn);
            if other.as_ref().is_some_and(|other| {
                (&other.account, &other.region, &other.name)
                    == (&target.account, &target.region, &target.name)
            }) {
                return Err(errors::invalid(
                    "You can't specify the function as a destination for itself.",
                ));
            }
            if other.is_none_or(|other| op.functions().resolve(&other).is_err()) {
                return Err(errors::invalid(format!(
                    "The destination ARN {arn} is invalid."
                )));
            }
            ("lambda:InvokeFunction", "InvokeFunction")
        }
        Some("sns" | "events" | "s3") => {
            return Err(errors::not_emulated(
                "A destination other than an SQS queue or a Lambda function",
            ));
        }
        _ => return Err(invalid_config(config)),
    };
    if role::may(op.cx(), execution_role, action, arn) {
        Ok(())
    } else {
        // *Guessed*: the exact words.
        Err(errors::invalid(format!(
            "The function's execution role does not have permissions to call {name} on {arn}"
        )))
    }
}

fn invalid_config(config: Option<Input<'_>>) -> ApiError {
    let part = |member: &str| match destination(config, member) {
        Some(arn) => format!("{member}(destination={arn})"),
        None => "null".to_owned(),
    };
    errors::invalid(format!(
        "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
        part("OnSuccess"),
        part("OnFailure")
    ))
}

/// `GetFunctionEventInvokeConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let config = op
        .functions()
        .with(&target, |function| {
            function.event_invoke.get(target.or_latest()).cloned()
        })
        .flatten()
        .ok_or_else(|| missing(&target))?;
    Ok(Answer::json(shown(qualified(&target), &config)))
}

/// `DeleteFunctionEventInvokeConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn delete(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let removed = op
        .functions()
        .with(&target, |function| {
            function.event_invoke.remove(target.or_latest())
        })
        .flatten();
    removed.ok_or_else(|| missing(&target))?;
    op.changed();
    Ok(Answer::empty())
}

/// `ListFunctionEventInvokeConfigs`.
///
/// # Errors
/// The operation's.
pub(super) fn list(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let items = find(op, &target, |function| {
        Ok(function
            .event_invoke
            .iter()
            .map(|(key, config)| (key.clone(), shown(function.qualified_arn(key), config)))
            .collect::<Vec<_>>())
    })?;
    page(op, "FunctionEventInvokeConfigs", items)
}

/// A function with what the qualifier means.
fn find<T>(
    op: &Op,
    target: &Target,
    read: impl FnOnce(&mut Function) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let missing = || errors::not_found("The function doesn't exist.");
    op.functions()
        .with(target, |function| {
            if function.has(target.or_latest()) {
                read(function)
            } else {
                Err(missing())
            }
        })
        .ok_or_else(missing)?
}

fn qualified(target: &Target) -> String {
    target.qualified(target.or_latest()).arn()
}

fn missing(target: &Target) -> ApiError {
    errors::not_found(format!(
        "The function {} doesn't have an EventInvokeConfig",
        qualified(target)
    ))
}
