//! Function URLs: their configuration. What is behind them is in [`url`](super::super::url).

use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::function::{Function, UrlConfig};
use super::super::ids;
use super::super::names::{LATEST, Target};
use super::op::{Conditions, Op};
use super::page::page;
use super::show::instant;

/// The URL as clients use it. On AWS it is `https://ID.lambda-url.REGION.on.aws/`.
fn address(op: &Op, region: &str, id: &str) -> String {
    let port = op.cloud().endpoint.rsplit(':').next().unwrap_or_default();
    format!("http://{id}.lambda-url.{region}.localhost:{port}/")
}

fn shown(op: &Op, function: &Function, qualifier: &str, url: &UrlConfig) -> Value {
    let arn = match qualifier {
        LATEST => function.arn(),
        alias => function.qualified_arn(alias),
    };
    let mut shown = json!({
        "FunctionUrl": address(op, &function.region, &url.id),
        "FunctionArn": arn,
        "AuthType": url.auth_type,
        "CreationTime": instant(url.created),
        "LastModifiedTime": instant(url.modified),
        "InvokeMode": url.invoke_mode,
    });
    if let Some(cors) = &url.cors {
        shown["Cors"] = cors.clone();
    }
    shown
}

/// The function or alias, which the caller may do this to. `auth_type` tells the kind of authentication
/// that the permission may depend on.
fn allowed(op: &Op) -> Result<Target, ApiError> {
    let target = op.target()?;
    let mut conditions = Conditions::new();
    let auth_type = op.text("AuthType").map(str::to_owned).or_else(|| {
        op.functions()
            .with(&target, |function| {
                let url = function.urls.get(target.or_latest())?;
                Some(url.auth_type.clone())
            })
            .flatten()
    });
    if let Some(auth_type) = auth_type {
        conditions.push(("lambda:FunctionUrlAuthType".to_owned(), auth_type));
    }
    conditions.push(("lambda:FunctionArn".to_owned(), target.arn()));
    op.allow_qualified(&target, conditions)?;
    Ok(target)
}

/// `CreateFunctionUrlConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn create(op: &Op) -> Result<Answer, ApiError> {
    let target = allowed(op)?;
    let input = op.input();
    let missing = || errors::not_found("Function does not exist");
    let shown = op
        .functions()
        .with(&target, |function| {
            let key = target.or_latest();
            if function.urls.contains_key(key) {
                return Err(errors::conflict(format!(
                    "Failed to create function url config for [functionArn = {}]. Error message:  FunctionUrlConfig exists for this Lambda function",
                    target.arn()
                )));
            }
            if key != LATEST && !function.aliases.contains_key(key) {
                return Err(missing());
            }
            let now = op.now();
            let url = UrlConfig {
                id: ids::token(32),
                auth_type: input.string("AuthType"),
                invoke_mode: input.text("InvokeMode").unwrap_or("BUFFERED").to_owned(),
                cors: input.get("Cors").cloned(),
                created: now,
                modified: now,
            };
            let mut shown = shown(op, function, key, &url);
            if let Some(members) = shown.as_object_mut() {
                members.remove("LastModifiedTime");
            }
            function.urls.insert(key.to_owned(), url);
            Ok(shown)
        })
        .ok_or_else(missing)??;
    op.changed();
    Ok(Answer::json(shown))
}

/// `GetFunctionUrlConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let target = allowed(op)?;
    op.functions()
        .with(&target, |function| {
            let key = target.or_latest();
            let url = function.urls.get(key)?;
            Some(Answer::json(shown(op, function, key, url)))
        })
        .flatten()
        .ok_or_else(errors::no_resource)
}

/// `UpdateFunctionUrlConfig`: what the input does not say stays.
///
/// # Errors
/// The operation's.
pub(super) fn update(op: &Op) -> Result<Answer, ApiError> {
    let target = allowed(op)?;
    let input = op.input();
    let now = op.now();
    let shown = op
        .functions()
        .with(&target, |function| {
            let key = target.or_latest();
            let url = function.urls.get_mut(key)?;
            if let Some(auth_type) = input.text("AuthType") {
                auth_type.clone_into(&mut url.auth_type);
            }
            if let Some(mode) = input.text("InvokeMode") {
                mode.clone_into(&mut url.invoke_mode);
            }
            if let Some(cors) = input.get("Cors") {
                // An empty one takes it away. *Guessed*.
                let some = cors.as_object().is_some_and(|cors| !cors.is_empty());
                url.cors = some.then(|| cors.clone());
            }
            url.modified = now;
            let url = url.clone();
            Some(shown(op, function, key, &url))
        })
        .flatten()
        .ok_or_else(errors::no_resource)?;
    op.changed();
    Ok(Answer::json(shown))
}

/// `DeleteFunctionUrlConfig`.
///
/// # Errors
/// The operation's.
pub(super) fn delete(op: &Op) -> Result<Answer, ApiError> {
    let target = allowed(op)?;
    op.functions()
        .with(&target, |function| function.urls.remove(target.or_latest()))
        .flatten()
        .ok_or_else(errors::no_resource)?;
    op.changed();
    Ok(Answer::empty())
}

/// `ListFunctionUrlConfigs`.
///
/// # Errors
/// The operation's.
pub(super) fn list(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    let items = op
        .functions()
        .with(&target, |function| {
            let urls = function.urls.iter();
            urls.map(|(key, url)| (key.clone(), shown(op, function, key, url)))
                .collect::<Vec<_>>()
        })
        .ok_or_else(|| errors::not_found("Function does not exist"))?;
    page(op, "FunctionUrlConfigs", items)
}
