//! The operations that run a function, and what they share with its URL and its events.

mod buffered;
mod failure;
mod json;
mod request;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

use std::sync::Arc;

use crate::answer::{Answer, ApiError};
use crate::call::{Call, CallCx};
use crate::cloud::Cloud;

use super::names::Target;
use super::run::{self, Slot};
use super::state::Resolved;
use super::version::State;

pub(crate) use buffered::{Done, Invocation, run};
pub(crate) use stream::{Opened, Piece, Streaming, open};
pub(crate) use trace::Trace;

/// Serves `Invoke`, `InvokeAsync` and `InvokeWithResponseStream`.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.operation {
        "InvokeAsync" => request::invoke_async(call).await,
        "InvokeWithResponseStream" => stream::invoke(call).await,
        _ => request::invoke(call).await,
    }
}

/// Lets the caller go on if it may invoke the target.
///
/// # Errors
/// It may not.
fn authorize(cx: &CallCx, target: &Target) -> Result<(), ApiError> {
    // A function of another account is found by that account's policy alone.
    let policy = cx
        .cloud
        .lambda
        .functions
        .resolve(target)
        .ok()
        .and_then(|resolved| resolved.policy);
    cx.authorize_with(
        "lambda:InvokeFunction",
        &target.arn(),
        &[],
        policy.as_deref(),
    )
}

/// Takes a slot for an invocation of the target, which must be ready.
///
/// # Errors
/// There is no such function, it is not ready, or it is throttled.
pub(crate) fn admit(cloud: &Cloud, target: &Target) -> Result<(Resolved, Slot), ApiError> {
    let resolved = resolve(cloud, target)?;
    match resolved.state {
        State::Active => {}
        state => return Err(run::not_ready(state)),
    }
    let slot = cloud
        .lambda
        .runs
        .slots
        .take(&resolved.version, resolved.reserved, resolved.unreserved)
        .map_err(run::throttled)?;
    Ok((resolved, slot))
}

/// What an invocation of the target reaches.
fn resolve(cloud: &Cloud, target: &Target) -> Result<Resolved, ApiError> {
    cloud
        .lambda
        .functions
        .resolve_to_invoke(target)
        .map_err(|error| match (&target.qualifier, error.code) {
            // Invocations name the qualifier even where the request had none.
            (None, "ResourceNotFoundException") => {
                super::errors::no_function(&target.qualified(target.or_latest()))
            }
            _ => error,
        })
}

/// Runs what goes on even if nobody waits for it any more: a function is not stopped because its caller
/// has gone.
async fn detached<T: Send + 'static>(
    cloud: &Arc<Cloud>,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let cloud = Arc::clone(cloud);
    let task = tokio::spawn(async move {
        let result = work.await;
        drop(cloud);
        result
    });
    task.await
        .map_err(|error| ApiError::internal(crate::call::Service::Lambda, error))?
}
