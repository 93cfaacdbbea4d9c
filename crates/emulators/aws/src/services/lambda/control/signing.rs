//! Code signing: configurations, and what they let be deployed. Nobody signs code here, so all code is
//! untrusted.

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::ids;
use super::super::signing::SigningConfig;
use super::super::state::arn_prefix;
use super::input::Input;
use super::op::{Op, request_tags};
use super::page::page;
use super::{show, tags};

fn shown(arn: &str, config: &SigningConfig) -> Value {
    json!({
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": arn,
        "Description": config.description,
        "AllowedPublishers": { "SigningProfileVersionArns": config.publishers },
        "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": config.untrusted },
        "LastModified": show::modified(config.modified),
    })
}

fn answer(arn: &str, config: &SigningConfig) -> Answer {
    Answer::json(json!({ "CodeSigningConfig": shown(arn, config) }))
}

fn missing(arn: &str) -> ApiError {
    errors::not_found(format!(
        "The Lambda code signing configuration {arn} can not be found."
    ))
}

/// As the operations on functions say it.
fn missing_for_function(arn: &str) -> ApiError {
    ApiError::new(
        "CodeSigningConfigNotFoundException",
        format!(
            "The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}."
        ),
    )
    .with("Type", "User")
}

/// Lets unsigned code be deployed to a function that this configuration is for.
///
/// # Errors
/// There is no such configuration, or it demands signatures.
pub(super) fn check(op: &Op, arn: &str, function: &str) -> Result<(), ApiError> {
    let untrusted = op.region(|region| Some(region.signing.get(arn)?.untrusted.clone()));
    match untrusted.as_deref() {
        None => Err(missing_for_function(arn)),
        Some("Enforce") => Err(ApiError::new(
            "CodeVerificationFailedException",
            format!(
                "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for {function}."
            ),
        )
        .with("Type", "User")),
        Some(_) => Ok(()),
    }
}

fn set(config: &mut SigningConfig, input: Input<'_>) {
    if let Some(description) = input.text("Description") {
        description.clone_into(&mut config.description);
    }
    if let Some(publishers) = input.part("AllowedPublishers") {
        let arns = publishers.list("SigningProfileVersionArns");
        config.publishers = arns.into_iter().map(str::to_owned).collect();
    }
    if let Some(policy) = input
        .part("CodeSigningPolicies")
        .and_then(|part| part.text("UntrustedArtifactOnDeployment"))
    {
        policy.clone_into(&mut config.untrusted);
    }
}

/// `CreateCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn create(op: &Op) -> Result<Answer, ApiError> {
    let tags = tags::read(op.input())?;
    op.allow_on("*", request_tags(&tags))?;
    let id = format!("csc-{}", ids::token(17));
    let prefix = arn_prefix(&op.cx().account, &op.cx().region);
    let arn = format!("{prefix}:code-signing-config:{id}");
    let mut config = SigningConfig {
        id,
        description: String::new(),
        publishers: Vec::new(),
        untrusted: "Warn".to_owned(),
        modified: op.now(),
        tags,
    };
    set(&mut config, op.input());
    let answer = answer(&arn, &config);
    op.region(|region| region.signing.insert(arn, config));
    op.changed();
    Ok(answer)
}

fn allowed(op: &Op) -> Result<&str, ApiError> {
    let arn = op.text("CodeSigningConfigArn").unwrap_or_default();
    op.allow_on(arn, Vec::new())?;
    Ok(arn)
}

/// `GetCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let arn = allowed(op)?;
    op.region(|region| Some(answer(arn, region.signing.get(arn)?)))
        .ok_or_else(|| missing(arn))
}

/// `UpdateCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn update(op: &Op) -> Result<Answer, ApiError> {
    let arn = allowed(op)?;
    let now = op.now();
    let answer = op.region(|region| {
        let config = region.signing.get_mut(arn)?;
        set(config, op.input());
        config.modified = now;
        Some(answer(arn, config))
    });
    op.changed();
    answer.ok_or_else(|| missing(arn))
}

/// `DeleteCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn delete(op: &Op) -> Result<Answer, ApiError> {
    let arn = allowed(op)?;
    op.region(|region| {
        let mut functions = region.functions.values();
        if functions.any(|function| function.signing.as_deref() == Some(arn)) {
            return Err(errors::conflict(
                "The code signing configuration is used by at least one function. Remove it from them first.",
            ));
        }
        region.signing.remove(arn).ok_or_else(|| missing(arn))
    })?;
    op.changed();
    Ok(Answer::empty())
}

/// `ListCodeSigningConfigs`.
///
/// # Errors
/// The operation's.
pub(super) fn list(op: &Op) -> Result<Answer, ApiError> {
    op.allow_on("*", Vec::new())?;
    let items: Vec<_> = op.region(|region| {
        let configs = region.signing.iter();
        configs
            .map(|(arn, config)| (arn.clone(), shown(arn, config)))
            .collect()
    });
    page(op, "CodeSigningConfigs", items)
}

/// `ListFunctionsByCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn functions(op: &Op) -> Result<Answer, ApiError> {
    let arn = allowed(op)?;
    let items = op.region(|region| {
        if !region.signing.contains_key(arn) {
            return Err(missing(arn));
        }
        let functions = region.functions.values();
        Ok(functions
            .filter(|function| function.signing.as_deref() == Some(arn))
            .map(|function| (function.name.clone(), json!(function.arn())))
            .collect::<Vec<_>>())
    })?;
    page(op, "FunctionArns", items)
}

/// `PutFunctionCodeSigningConfig`: it counts from the next deployment on.
///
/// # Errors
/// The operation's.
pub(super) fn put_on_function(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let arn = op.input().string("CodeSigningConfigArn");
    if !op.region(|region| region.signing.contains_key(&arn)) {
        return Err(missing_for_function(&arn));
    }
    op.change(&target, |function| {
        function.signing = Some(arn.clone());
        Ok(Answer::json(
            json!({ "CodeSigningConfigArn": arn, "FunctionName": function.name }),
        ))
    })
}

/// `GetFunctionCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn get_of_function(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    op.read(&target, |function| {
        let mut shown = json!({ "FunctionName": function.name });
        if let Some(arn) = &function.signing {
            shown["CodeSigningConfigArn"] = json!(arn);
        }
        Ok(Answer::json(shown))
    })
}

/// `DeleteFunctionCodeSigningConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn delete_from_function(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    op.change(&target, |function| {
        function.signing = None;
        Ok(Answer::empty())
    })
}
