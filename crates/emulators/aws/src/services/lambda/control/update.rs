//! `UpdateFunctionCode` and `UpdateFunctionConfiguration`.

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::names::Target;
use super::super::version::{Settings, Version};
use super::create::{check_storage, network_conditions};
use super::op::Op;
use super::show::{Detail, configuration as shown};
use super::{publish, role, runtimes, settings, signing, upload};

/// Refuses what a new deployment could not be checked against.
fn may_update(op: &Op, target: &Target) -> Result<(), ApiError> {
    target.latest()?;
    op.read(target, |function| {
        op.revision(&function.latest.revision, "GetFunction/GetAlias")?;
        function.may_change()
    })
}

/// Changes the code of `$LATEST`.
///
/// # Errors
/// The operation's.
pub(super) async fn code(op: &Op) -> Result<Answer, ApiError> {
    let input = op.input();
    let target = op.allowed()?;
    may_update(op, &target)?;
    if input.has("PublishTo") {
        return Err(errors::not_emulated("PublishTo"));
    }
    if input.has("ImageUri") {
        return Err(errors::invalid(
            "Please don't provide ImageUri when updating a function with packageType Zip.",
        ));
    }
    let code = upload::take(op.cx(), "UpdateFunctionCode", input).await?;
    if let Some(config) = op.read(&target, |function| Ok(function.signing.clone()))? {
        signing::check(op, &config, &target.name)?;
    }
    check_storage(op, &code)?;
    let architecture = input
        .list("Architectures")
        .first()
        .map(|text| (*text).to_owned());
    let change = |function: &mut super::super::function::Function| {
        // Again: the package may have taken a while.
        op.revision(&function.latest.revision, "GetFunction/GetAlias")?;
        function.may_change()?;
        let old = &function.latest.config;
        let mut settings: Settings = old.settings.clone();
        if let Some(architecture) = architecture {
            settings.architecture = architecture;
        }
        let functions = op.functions();
        let next = old.changed(code, settings, functions.now());
        if input.flag("DryRun") {
            let mut version: Version = function.latest.clone();
            version.config = std::sync::Arc::new(next);
            return Ok(shown(&version, function.arn(), Detail::Full));
        }
        let delays = &functions.delays;
        function
            .latest
            .update(next, functions.now(), delays.update, functions.failure());
        if !input.flag("Publish") {
            return Ok(shown(&function.latest, function.arn(), Detail::Full));
        }
        let number = publish::published(function).unwrap_or_else(|| {
            publish::new_version(op, function, None, delays.update + delays.publish)
        });
        publish::show(function, &number)
    };
    op.change(&target, change).map(Answer::json)
}

/// Changes the settings of `$LATEST`.
///
/// # Errors
/// The operation's.
pub(super) async fn configuration(op: &Op) -> Result<Answer, ApiError> {
    let input = op.input();
    let target = op.target()?;
    op.allow(&target, network_conditions(input))?;
    may_update(op, &target)?;
    let old = op.read(&target, |function| {
        Ok(function.latest.config.settings.clone())
    })?;
    let checked = settings::with(old.clone(), &target.name, input)?;
    if input.has("Role") {
        role::pass(op.cx(), &checked.role)?;
    }
    if input.has("Role") || input.has("DeadLetterConfig") {
        role::check_dead_letter(op.cx(), &checked.role, checked.dead_letter.as_deref())?;
    }
    if input.has("Role") || input.has("VpcConfig") {
        role::check_vpc(op.cx(), &checked.role, checked.vpc.is_some())?;
    }
    if checked.runtime != old.runtime {
        runtimes::check_here(op.cloud(), &checked.runtime).await?;
    }
    op.change(&target, |function| {
        op.revision(&function.latest.revision, "GetFunction/GetAlias")?;
        function.may_change()?;
        let functions = op.functions();
        let old = &function.latest.config;
        let settings = settings::with(old.settings.clone(), &target.name, input)?;
        let next = old.changed(old.code.clone(), settings, functions.now());
        function.latest.update(
            next,
            functions.now(),
            functions.delays.update,
            functions.failure(),
        );
        Ok(shown(&function.latest, function.arn(), Detail::Full))
    })
    .map(Answer::json)
}
