//! Tags of functions and of code signing configurations.

use std::collections::BTreeMap;

use serde_json::json;

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::names::Target;
use super::input::Input;
use super::op::{Conditions, Op, request_tags};

/// Most tags of one resource. Source: Lambda developer guide, tags.
const MOST: usize = 50;

type Tags = BTreeMap<String, String>;

/// What has tags.
enum Tagged {
    Function(Target),
    Signing(String),
}

/// The tags of an input.
///
/// # Errors
/// Too many, or names that are AWS's own. *Guessed*: the messages.
pub(super) fn read(input: Input<'_>) -> Result<Tags, ApiError> {
    let tags: Tags = input.map("Tags").map(Iterator::collect).unwrap_or_default();
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Tags) -> Result<(), ApiError> {
    if tags
        .keys()
        .any(|key| key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(errors::invalid(
            "aws: prefixed tag key names are not allowed for external use.",
        ));
    }
    if tags.len() > MOST {
        return Err(errors::invalid(format!(
            "Number of tags exceeds resource tag limit of {MOST}."
        )));
    }
    Ok(())
}

/// What the operation is about, which the caller may do this to.
fn allowed(op: &Op, conditions: Conditions) -> Result<Tagged, ApiError> {
    let arn = op.text("Resource").unwrap_or_default();
    let Some(target) = Target::of_arn(arn) else {
        op.allow_on(arn, conditions)?;
        return Ok(Tagged::Signing(arn.to_owned()));
    };
    if target.region != op.cx().region {
        return Err(errors::not_found(format!(
            "Functions from '{}' are not reachable in this region ('{}')",
            target.region,
            op.cx().region
        )));
    }
    op.allow(&target, conditions)?;
    if target.qualifier.is_some() {
        return Err(errors::invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    Ok(Tagged::Function(target))
}

/// Reads or changes the tags.
fn with<T>(
    op: &Op,
    tagged: &Tagged,
    act: impl FnOnce(&mut Tags) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    match tagged {
        Tagged::Function(target) => op.read(target, |function| act(&mut function.tags)),
        Tagged::Signing(arn) => op.region(|region| {
            let config = region.signing.get_mut(arn).ok_or_else(|| {
                errors::not_found(format!(
                    "The Lambda code signing configuration {arn} can not be found."
                ))
            })?;
            act(&mut config.tags)
        }),
    }
}

/// Tags count as a change of the function.
fn touch(op: &Op, tagged: &Tagged) {
    if let Tagged::Function(target) = tagged {
        op.functions()
            .with(target, |function| function.latest.touch());
    }
    op.changed();
}

/// `TagResource`.
///
/// # Errors
/// The operation's.
pub(super) fn tag(op: &Op) -> Result<Answer, ApiError> {
    let new = read(op.input())?;
    let tagged = allowed(op, request_tags(&new))?;
    if new.is_empty() {
        return Err(errors::invalid(
            "An error occurred and the request cannot be processed.",
        ));
    }
    with(op, &tagged, |tags| {
        let mut all = tags.clone();
        all.extend(new);
        check(&all)?;
        *tags = all;
        Ok(())
    })?;
    touch(op, &tagged);
    Ok(Answer::empty())
}

/// `UntagResource`.
///
/// # Errors
/// The operation's.
pub(super) fn untag(op: &Op) -> Result<Answer, ApiError> {
    let keys = op.input().list("TagKeys");
    let conditions = keys
        .iter()
        .map(|key| ("aws:TagKeys".to_owned(), (*key).to_owned()))
        .collect();
    let tagged = allowed(op, conditions)?;
    with(op, &tagged, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })?;
    touch(op, &tagged);
    Ok(Answer::empty())
}

/// `ListTags`.
///
/// # Errors
/// The operation's.
pub(super) fn list(op: &Op) -> Result<Answer, ApiError> {
    let tagged = allowed(op, Conditions::new())?;
    let tags = with(op, &tagged, |tags| Ok(tags.clone()))?;
    Ok(Answer::json(json!({ "Tags": tags })))
}
