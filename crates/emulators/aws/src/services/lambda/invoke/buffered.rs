//! Running a function once, its answer whole.

use std::sync::Arc;

use anyport_engine::{InvokeError, Metrics, Request, Response, Trail};
use bytes::Bytes;

use super::failure::{self, Failure, Verdict};
use super::trace::Trace;
use crate::answer::ApiError;
use crate::call::Service;
use crate::cloud::Cloud;
use crate::services::lambda::names::Target;
use crate::services::lambda::run::{Ended, Run, Slot, Status};
use crate::services::lambda::state::Resolved;

/// Largest answer in bytes. Source: recorded from the real one: 6 MB and some room for its envelope.
const ANSWER_BYTES: u64 = 6_291_556;
/// How often a call is begun anew because what ran was exchanged.
const TRIES: u32 = 3;

/// What a function is called with.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// The id that the function sees.
    pub(crate) request: String,
    /// JSON.
    pub(crate) payload: Bytes,
    /// JSON.
    pub(crate) client_context: Option<String>,
    /// The trace it sees.
    pub(crate) trace: Trace,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// The answer, or the error's body.
    pub(crate) payload: Bytes,
    /// The answer's media type, if the function named one.
    pub(crate) content_type: Option<String>,
    /// Whether it is an error.
    pub(crate) failed: bool,
    /// The version that ran.
    pub(crate) version: String,
    /// The end of the call's log.
    pub(crate) log: String,
}

/// A call that was begun, or failed to be.
pub(super) struct Begun {
    pub(super) run: Arc<Run>,
    pub(super) result: Result<Response, InvokeError>,
    pub(super) trail: Option<Trail>,
}

/// Hands the call to the function, and again where what runs was exchanged meanwhile.
///
/// A version that keeps failing to start is tried with every call, as on AWS: the engine's pauses
/// between such tries are not waited for.
pub(super) async fn begin(
    cloud: &Arc<Cloud>,
    resolved: &Resolved,
    invocation: &Invocation,
) -> Result<Begun, ApiError> {
    let mut config = Arc::clone(&resolved.version);
    let mut probed = false;
    let mut tries = 1;
    loop {
        let run = cloud.lambda.runs.get(cloud, &config).await?;
        let request = request(resolved, invocation);
        let (mut result, trail) = run.invoke(request).await;
        match &result {
            Err(InvokeError::Shutdown {
                may_have_run: false,
            }) if tries < TRIES => {
                tries += 1;
                if let Some(target) = Target::of_arn(&resolved.invoked_arn) {
                    config = cloud.lambda.functions.resolve(&target)?.version;
                }
            }
            Err(InvokeError::StartFailed(failure)) if failure.retry_in.is_some() && !probed => {
                probed = true;
                if let Err(failure) = run.probe().await {
                    result = Err(InvokeError::StartFailed(Box::new(failure)));
                    return Ok(Begun { run, result, trail });
                }
            }
            _ => return Ok(Begun { run, result, trail }),
        }
    }
}

fn request(resolved: &Resolved, invocation: &Invocation) -> Request {
    let mut request = Request::json(invocation.request.as_str(), invocation.payload.clone());
    request
        .client_context
        .clone_from(&invocation.client_context);
    request.invoked_arn = Some(resolved.invoked_arn.clone());
    request.trace_id = Some(invocation.trace.header());
    request
}

/// Runs the function, to its end even if the caller goes.
///
/// # Errors
/// The service's; failures of the function are no errors here.
pub(crate) async fn run(
    cloud: &Arc<Cloud>,
    resolved: Resolved,
    slot: Slot,
    invocation: Invocation,
) -> Result<Done, ApiError> {
    let own = Arc::clone(cloud);
    super::detached(cloud, async move {
        let begun = begin(&own, &resolved, &invocation).await?;
        let done = finish(begun, &invocation).await;
        drop(slot);
        done
    })
    .await
}

/// Takes the answer whole and reports the end.
pub(super) async fn finish(begun: Begun, invocation: &Invocation) -> Result<Done, ApiError> {
    let Begun { run, result, trail } = begun;
    let (content_type, outcome) = match result {
        Ok(response) => (
            response.content_type,
            response.body.collect(ANSWER_BYTES).await,
        ),
        Err(error) => (None, Err(error)),
    };
    let outcome = match outcome {
        Ok(payload) => Ok(payload),
        Err(error) => Err(judge(&run, invocation, &error)?),
    };
    let status = match &outcome {
        Ok(_) => Status::Answered,
        Err(failure) => failure.status.clone(),
    };
    let log = report(&run, invocation, trail.as_ref(), status);
    let failed = outcome.is_err();
    Ok(Done {
        payload: outcome.unwrap_or_else(|failure| failure.payload),
        content_type,
        failed,
        version: run.config().version.clone(),
        log,
    })
}

/// The function's failure in an error, or the service's.
pub(super) fn judge(
    run: &Run,
    invocation: &Invocation,
    error: &InvokeError,
) -> Result<Failure, ApiError> {
    match failure::read(run.config(), &invocation.request, error) {
        Verdict::Failed(failure) => Ok(failure),
        Verdict::Service(error) => Err(error),
        Verdict::Again => Err(ApiError::internal(
            Service::Lambda,
            "the function was exchanged over and over while it was called",
        )),
    }
}

/// Writes the end of the call into its log, and returns the end of that.
pub(super) fn report(
    run: &Run,
    invocation: &Invocation,
    trail: Option<&Trail>,
    status: Status,
) -> String {
    let metrics = trail.map_or_else(Metrics::default, Trail::metrics);
    let ended = Ended {
        request: &invocation.request,
        status,
        duration: metrics.duration,
        init: metrics.init_duration,
        memory: metrics.max_memory_bytes,
        trace: invocation.trace.recorded(),
    };
    match trail {
        Some(trail) => run.journal.finish(trail.instance(), &ended),
        None => run.journal.never_started(&ended),
    }
}
