//! `PublishVersion`.

use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Answer, ApiError};
use crate::call::Service;

use super::super::errors;
use super::super::function::Function;
use super::super::version::{Version, VersionConfig};
use super::op::Op;
use super::show::{Detail, configuration};

/// Makes a version of what `$LATEST` is, or says which one already is that.
///
/// # Errors
/// The operation's.
pub(super) fn publish(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    target.latest()?;
    if op.input().has("PublishTo") {
        return Err(errors::not_emulated("PublishTo"));
    }
    op.change(&target, |function| {
        op.revision(&function.latest.revision, "GetFunction/GetAlias")?;
        function.may_change()?;
        let current = function.latest.config.code.base64();
        if let Some(given) = op.text("CodeSha256")
            && !given.is_empty()
            && given != current
        {
            return Err(errors::invalid(format!(
                "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the CodeSHA256 in $LATEST."
            )));
        }
        let description = op.text("Description").map(str::to_owned);
        let number = published(function).unwrap_or_else(|| {
            new_version(op, function, description, op.functions().delays.publish)
        });
        show(function, &number).map(Answer::json)
    })
}

/// The version that is what `$LATEST` is, if it still is there: then nothing is published.
pub(super) fn published(function: &Function) -> Option<String> {
    let (was, number) = function.last_published.as_ref()?;
    let version = function.versions.get(number)?;
    same(was, &function.latest.config).then(|| version.config.version.clone())
}

fn same(one: &VersionConfig, other: &VersionConfig) -> bool {
    one.code == other.code && one.settings == other.settings
}

/// Makes a version of what `$LATEST` is, which will be ready in a while, and tells its number. The
/// revision of `$LATEST` changes with it.
pub(super) fn new_version(
    op: &Op,
    function: &mut Function,
    description: Option<String>,
    after: Duration,
) -> String {
    let number = function.next_version;
    function.next_version += 1;
    let config = function.latest.config.published(number, description);
    function.last_published = Some((Arc::clone(&function.latest.config), number));
    let functions = op.functions();
    let version = Version::new(config, functions.now(), after, functions.failure());
    function.versions.insert(number, version);
    function.latest.touch();
    number.to_string()
}

/// A published version under its own ARN.
pub(super) fn show(function: &Function, number: &str) -> Result<serde_json::Value, ApiError> {
    let version = function
        .version(number)
        .ok_or_else(|| ApiError::internal(Service::Lambda, "a new version is missing"))?;
    Ok(configuration(version, version.config.arn(), Detail::Full))
}
