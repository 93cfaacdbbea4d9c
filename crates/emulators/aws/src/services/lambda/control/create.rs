//! `CreateFunction`.

use crate::answer::{Answer, ApiError};
use crate::call::Service;

use super::super::errors;
use super::super::function::Function;
use super::super::ids;
use super::super::names::{LATEST, Target};
use super::super::version::{Code, Settings, Version, VersionConfig};
use super::input::Input;
use super::op::{Conditions, Op, request_tags};
use super::show::{Detail, configuration};
use super::{publish, role, runtimes, settings, signing, tags, upload};

/// Longest name. Source: Lambda API model, in its documentation of `FunctionName`.
const LONGEST_NAME: usize = 64;

/// Makes a function.
///
/// # Errors
/// The operation's.
pub(super) async fn create(op: &Op) -> Result<Answer, ApiError> {
    let input = op.input();
    let target = op.target()?;
    if target.qualifier.is_some() {
        return Err(errors::invalid(
            "The function name can't have a qualifier when a function is created.",
        ));
    }
    if target.name.len() > LONGEST_NAME {
        let rule = format!("Member must have length less than or equal to {LONGEST_NAME}");
        return Err(errors::validation(&target.name, "functionName", &rule));
    }
    let tags = tags::read(input)?;
    op.allow(&target, conditions(input, &tags))?;
    if !tags.is_empty() {
        let arn = target.function_arn();
        op.allow_action("lambda:TagResource", &target, &arn, request_tags(&tags))?;
    }
    let taken = |op: &Op| op.functions().with(&target, |_| ()).is_some();
    if taken(op) {
        return Err(already(&target));
    }
    let settings = settings::first(&target.name, input)?;
    role::pass(op.cx(), &settings.role)?;
    role::check_dead_letter(op.cx(), &settings.role, settings.dead_letter.as_deref())?;
    role::check_vpc(op.cx(), &settings.role, settings.vpc.is_some())?;
    runtimes::check_here(op.cloud(), &settings.runtime).await?;
    let source = input
        .part("Code")
        .ok_or_else(|| errors::invalid("Please provide a source for function code."))?;
    let code = upload::take(op.cx(), "CreateFunction", source).await?;
    let signing = input.text("CodeSigningConfigArn");
    if let Some(config) = signing {
        signing::check(op, config, &target.name)?;
    }
    check_storage(op, &code)?;

    let mut function = Function::new(version(op, &target, code, settings));
    function.tags = tags;
    function.signing = signing.map(str::to_owned);
    let shown = if input.flag("Publish") {
        let after = op.functions().delays.create;
        let number = publish::new_version(op, &mut function, None, after);
        show(&function, &number)
    } else {
        show(&function, LATEST)
    }?;
    op.functions()
        .region(&target.account, &target.region, |region| {
            if region.functions.contains_key(&target.name) {
                return Err(already(&target));
            }
            region.functions.insert(target.name.clone(), function);
            Ok(())
        })?;
    op.changed();
    Ok(Answer::json(shown))
}

fn already(target: &Target) -> ApiError {
    errors::conflict(format!("Function already exist: {}", target.name))
}

fn version(op: &Op, target: &Target, code: Code, settings: Settings) -> Version {
    let functions = op.functions();
    let now = functions.now();
    let config = VersionConfig {
        id: ids::uuid(),
        account: target.account.clone(),
        region: target.region.clone(),
        function: target.name.clone(),
        version: LATEST.to_owned(),
        code,
        settings,
        modified: now,
    };
    Version::new(config, now, functions.delays.create, functions.failure())
}

/// A creation's answer: the function's own ARN, even for a version that was published with it.
fn show(function: &Function, version: &str) -> Result<serde_json::Value, ApiError> {
    let version = function
        .version(version)
        .ok_or_else(|| ApiError::internal(Service::Lambda, "a new version is missing"))?;
    Ok(configuration(version, function.arn(), Detail::Created))
}

/// Context keys of a creation. Source: service authorization reference.
fn conditions(input: Input<'_>, tags: &std::collections::BTreeMap<String, String>) -> Conditions {
    let mut conditions = request_tags(tags);
    conditions.extend(network_conditions(input));
    if let Some(config) = input.text("CodeSigningConfigArn") {
        conditions.push(("lambda:CodeSigningConfigArn".to_owned(), config.to_owned()));
    }
    conditions
}

/// Context keys of what a request sets about layers and networks.
pub(super) fn network_conditions(input: Input<'_>) -> Conditions {
    let mut conditions = Conditions::new();
    let mut all = |key: &str, values: Vec<&str>| {
        conditions.extend(
            values
                .into_iter()
                .map(|value| (key.to_owned(), value.to_owned())),
        );
    };
    all("lambda:Layer", input.list("Layers"));
    if let Some(vpc) = input.part("VpcConfig") {
        all("lambda:SubnetIds", vpc.list("SubnetIds"));
        all("lambda:SecurityGroupIds", vpc.list("SecurityGroupIds"));
    }
    conditions
}

/// Lets a package be stored.
///
/// # Errors
/// The account has stored too much in this region.
pub(super) fn check_storage(op: &Op, code: &Code) -> Result<(), ApiError> {
    let stored: u64 = op.region(|region| region.functions.values().map(Function::code_size).sum());
    if stored + code.size > upload::MAX_STORED {
        return Err(ApiError::new(
            "CodeStorageExceededException",
            "Code storage limit exceeded.",
        )
        .with("Type", "User"));
    }
    Ok(())
}
