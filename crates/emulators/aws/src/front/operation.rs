//! Which operation of its service a request is for.

use bytes::Bytes;
use http::request::Parts;

use super::host::Host;
use crate::answer::ApiError;
use crate::call::Service;
use crate::model::{Model, Protocol, Query, Route};

/// A request that was read.
pub(super) struct Asked {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) query: Query,
    /// The body, or the query, of a request of the query protocol.
    pub(super) form: Option<Query>,
    pub(super) host: Host,
}

/// The operation, if the service has it.
pub(super) fn find(model: &'static Model, asked: &Asked) -> Option<Route> {
    let by_name = |name: &str| {
        Some(Route {
            operation: model.operation(name)?,
            labels: Vec::new(),
        })
    };
    match model.protocol {
        Protocol::RestJson | Protocol::RestXml => {
            let path = asked.parts.uri.path();
            let in_bucket;
            let path = match &asked.host {
                Host::Bucket(bucket) if model.service == Service::S3 => {
                    in_bucket = format!("/{bucket}{path}");
                    &in_bucket
                }
                _ => path,
            };
            let parts = &asked.parts;
            model.route(&parts.method, path, &asked.query, &parts.headers)
        }
        Protocol::Json(_) | Protocol::Query => match &asked.form {
            Some(form) => by_name(form.get("Action")?),
            None => {
                let target = asked.parts.headers.get("x-amz-target")?.to_str().ok()?;
                let (prefix, name) = target.split_once('.')?;
                by_name(name).filter(|_| model.target_prefix == Some(prefix))
            }
        },
    }
}

/// What an unknown path, target or action is answered with. The wording is guessed but for S3 and the
/// query protocol.
pub(super) fn unknown(service: Service, asked: &Asked) -> ApiError {
    match service {
        Service::S3 => ApiError::new(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .status(405)
        .with("Method", asked.parts.method.as_str()),
        Service::Lambda | Service::Logs => ApiError::new(
            "UnknownOperationException",
            "The operation is not one of this service.",
        )
        .status(if service == Service::Lambda { 404 } else { 400 }),
        Service::Sqs | Service::Sts | Service::Iam => {
            let action = asked.form.as_ref().and_then(|form| form.get("Action"));
            let version = asked.form.as_ref().and_then(|form| form.get("Version"));
            ApiError::new(
                "InvalidAction",
                format!(
                    "Could not find operation {} for version {}",
                    action.unwrap_or("unspecified"),
                    version.unwrap_or("NO_VERSION_SPECIFIED")
                ),
            )
            .status(400)
        }
    }
}
