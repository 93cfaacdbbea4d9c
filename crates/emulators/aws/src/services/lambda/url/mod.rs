//! Function URLs: HTTP in front of a function.
//!
//! Source: Lambda developer guide, function URLs. Declared differences: the host is
//! `ID.lambda-url.REGION.localhost`, there is no TLS (and no header that tells of it), and the caller's
//! address is this machine's.

mod cors;
mod event;
mod reply;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::function::UrlConfig;
use super::invoke::{self, Invocation, Opened, Trace};
use super::names::Target;
use super::state::Resolved;
use crate::access::{Caller, Store};
use crate::answer::{AnswerBody, ApiError};
use crate::call::{CallCx, Service};
use crate::cloud::Cloud;
use crate::sigv4;

/// A request to `http://URL-ID.lambda-url.REGION.localhost:PORT/...`, or to the path form
/// `/_anyport/url/REGION/URL-ID/...`, in which the front has rewritten `parts.uri` to the function's path
/// and query. Not verified: a function's URL may be open to all ([`crate::sigv4::verify`] otherwise,
/// against the request as it came).
#[derive(Debug)]
pub(crate) struct UrlCall {
    /// The first label of the host.
    pub(crate) url_id: String,
    /// The region in the host.
    pub(crate) region: String,
    /// The request's line and headers as they came.
    pub(crate) parts: Parts,
    /// Path and query that the function sees; differs from `parts.uri` in the path form.
    pub(crate) path_and_query: String,
    /// The body.
    pub(crate) body: Bytes,
    /// A UUID; what the reply's request id header says.
    pub(crate) request_id: String,
    /// Everything else.
    pub(crate) cloud: Arc<Cloud>,
}

/// Largest request that a function gets, in bytes, in its envelope. Source: Lambda developer guide, quotas.
const PAYLOAD_BYTES: usize = 6_291_456;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// A reply to a call of a URL.
pub(super) type Reply = Response<AnswerBody>;

/// Serves a function's URL; errors are answers too.
pub(crate) async fn serve(call: UrlCall) -> Reply {
    let request_id = call.request_id.clone();
    let mut reply = match answer(call).await {
        Ok(reply) => reply,
        Err(error) => refusal(&error),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        reply.headers_mut().insert(REQUEST_ID, id);
    }
    reply
}

async fn answer(call: UrlCall) -> Result<Reply, ApiError> {
    let cloud = Arc::clone(&call.cloud);
    let found = cloud.lambda.functions.url(&call.url_id);
    let Some((target, config)) = found.filter(|(target, _)| target.region == call.region) else {
        return Ok(unknown());
    };
    let cors = config.cors.as_ref().map(cors::Cors::read);
    if let Some(cors) = &cors
        && cors::is_preflight(&call.parts)
    {
        return Ok(cors.preflight(&call.parts));
    }
    let origin = call.parts.headers.get(http::header::ORIGIN).cloned();
    let reply = invoked(call, &cloud, &target, &config).await;
    match (cors, reply) {
        (Some(cors), Ok(mut reply)) => {
            cors.mark(origin.as_ref(), reply.headers_mut());
            Ok(reply)
        }
        (_, reply) => reply,
    }
}

async fn invoked(
    call: UrlCall,
    cloud: &Arc<Cloud>,
    target: &Target,
    config: &UrlConfig,
) -> Result<Reply, ApiError> {
    let resolved = cloud.lambda.functions.resolve(target)?;
    let caller = admit_caller(&call, target, config, &resolved)?;
    let mut trace = Trace::of(&call.parts.headers, cloud.clock.epoch_millis() / 1000);
    let event = event::of(&call, caller.as_ref(), &trace);
    let payload = Bytes::from(event.to_string());
    if payload.len() > PAYLOAD_BYTES {
        return Err(ApiError::new(
            "RequestTooLargeException",
            format!("Request must be smaller than {PAYLOAD_BYTES} bytes for the InvokeFunction operation"),
        )
        .status(413));
    }
    let (resolved, slot) = invoke::admit(cloud, target)?;
    trace.pass(&resolved)?;
    let trace_header = trace.header();
    let invocation = Invocation {
        request: call.request_id.clone(),
        payload,
        client_context: None,
        trace,
    };
    let mut reply = if config.invoke_mode == "RESPONSE_STREAM" {
        match invoke::open(cloud, resolved, slot, invocation).await? {
            Opened::Whole(done) if done.failed => failed(),
            Opened::Whole(done) => stream::whole(done),
            Opened::Stream(streaming) => stream::begin(streaming).await,
        }
    } else {
        let done = invoke::run(cloud, resolved, slot, invocation).await?;
        if done.failed {
            failed()
        } else {
            reply::of(&done).unwrap_or_else(failed)
        }
    };
    if let Ok(value) = HeaderValue::from_str(&trace_header) {
        reply.headers_mut().insert(TRACE_ID, value);
    }
    Ok(reply)
}

/// Lets a caller pass; `None` for nobody in particular. Since October 2025 both actions must be allowed.
///
/// # Errors
/// The signature is wrong, or a policy does not allow it.
fn admit_caller(
    call: &UrlCall,
    target: &Target,
    config: &UrlConfig,
    resolved: &Resolved,
) -> Result<Option<Caller>, ApiError> {
    let cloud = &call.cloud;
    let arn = target.arn();
    let policy = resolved.policy.as_deref();
    let by_type = [("lambda:FunctionUrlAuthType", config.auth_type.as_str())];
    let by_url = [("lambda:InvokedViaFunctionUrl", "true")];
    let checks: [(&str, &[(&str, &str)]); 2] = [
        ("lambda:InvokeFunctionUrl", &by_type),
        ("lambda:InvokeFunction", &by_url),
    ];
    if config.auth_type == "NONE" {
        let open = |(action, keys): &(&str, &[(&str, &str)])| {
            Store::resource_allows(policy, None, action, &arn, keys)
        };
        if cloud.config.enforce_permissions && !checks.iter().all(open) {
            return Err(forbidden());
        }
        return Ok(None);
    }
    if !sigv4::is_signed(&call.parts) {
        return Err(forbidden());
    }
    let verified = sigv4::verify(cloud, Service::Lambda, &call.parts, call.body.clone())?;
    let cx = CallCx {
        request_id: call.request_id.clone(),
        account: verified.caller.account.clone(),
        caller: verified.caller,
        region: call.region.clone(),
        cloud: Arc::clone(cloud),
    };
    for (action, keys) in checks {
        cx.authorize_with(action, &arn, keys, policy)
            .map_err(|_| forbidden())?;
    }
    Ok(Some(cx.caller))
}

fn forbidden() -> ApiError {
    ApiError::new(
        "AccessDeniedException",
        "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    )
    .status(403)
}

/// There is no such URL; the real one does not say so.
fn unknown() -> Reply {
    let mut reply = json(StatusCode::FORBIDDEN, "{\"Message\":null}".to_owned());
    let kind = HeaderValue::from_static("AccessDeniedException");
    reply.headers_mut().insert(ERROR_TYPE, kind);
    reply
}

/// The function failed. What it said is for its log alone.
pub(super) fn failed() -> Reply {
    let body = Bytes::from_static(b"Internal Server Error");
    let mut reply = Response::new(AnswerBody::Bytes(body));
    *reply.status_mut() = StatusCode::BAD_GATEWAY;
    let kind = HeaderValue::from_static("application/octet-stream");
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

/// An error of the service.
fn refusal(error: &ApiError) -> Reply {
    let status = error.status.unwrap_or(match error.code {
        "TooManyRequestsException" => 429,
        "ResourceNotFoundException" => 404,
        "ResourceConflictException" => 409,
        _ => 400,
    });
    let mut body = Map::new();
    // The model's spelling differs between errors; the real one follows it.
    let message = match error.code {
        "AccessDeniedException" | "ResourceNotFoundException" => "Message",
        _ => "message",
    };
    body.insert(message.to_owned(), error.message.as_str().into());
    for (name, value) in &error.fields {
        if name != "retryAfterSeconds" {
            body.insert(name.clone(), value.clone());
        }
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut reply = json(status, Value::Object(body).to_string());
    reply
        .headers_mut()
        .insert(ERROR_TYPE, HeaderValue::from_static(error.code));
    if let Some(seconds) = error
        .fields
        .get("retryAfterSeconds")
        .and_then(Value::as_str)
        && let Ok(seconds) = HeaderValue::from_str(seconds)
    {
        reply
            .headers_mut()
            .insert(http::header::RETRY_AFTER, seconds);
    }
    reply
}

fn json(status: StatusCode, body: String) -> Reply {
    let mut reply = Response::new(AnswerBody::Bytes(Bytes::from(body)));
    *reply.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}
