//! Synchronous invocations.

mod failure;
mod tail;

use anyport_core::call::{Body, Call, Qualifier, Reply};
use anyport_core::context::{Ctx, Effect, TraceContext};
use anyport_core::error::{Error, ErrorKind, Limit, Result, Retry};
use anyport_core::plan::VersionId;
use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::types::LogType;
use aws_smithy_types::Blob;
use bytes::Bytes;

pub(crate) use failure::{Failed, MAX_REPLY, lift as failed};
pub(crate) use tail::figures;

use crate::auth::Session;
use crate::envelope::{self, Beside, Opened, Unreadable};
use crate::error::{self, MAX_REQUEST, PROVIDER};
use crate::stream;

/// The alias that all live traffic goes to.
pub(crate) const LIVE: &str = "live";

pub(crate) const VERB: &str = "invoke";

/// A call as it is sent, so that it can be sent again. Cloning the payload copies nothing.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) name: String,
    pub(crate) qualifier: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
    /// The trace as AWS writes it.
    pub(crate) trace: Option<String>,
}

pub(crate) async fn invoke(session: &Session, cx: &Ctx, call: Call) -> Result<Reply> {
    let effect = Effect::RunsUserCode {
        repeatable: call.idempotency_key.is_some(),
    };
    let streams = call.stream;
    let lowered = lower(cx, call).await?;
    if streams {
        return stream::invoke(session, cx, effect, &lowered).await;
    }
    cx.call("Invoke", effect, &lowered.name, || async {
        let sent = session
            .raw
            .calls
            .invoke()
            .function_name(&lowered.name)
            .qualifier(&lowered.qualifier)
            .log_type(LogType::Tail)
            .set_client_context(lowered.client_context.clone())
            // Shared, not copied; the SDK signs and sends these very bytes.
            .payload(Blob::from_maybe_shared(lowered.payload.clone()));
        let answered = match &lowered.trace {
            None => sent.send().await,
            Some(trace) => {
                let trace = trace.clone();
                sent.customize()
                    .mutate_request(move |request| {
                        request.headers_mut().insert(TRACE, trace.clone());
                    })
                    .send()
                    .await
            }
        };
        lift(answered.map_err(|failed| error::sdk(VERB, effect, failed))?)
    })
    .await
}

/// AWS's own trace header.
pub(crate) const TRACE: &str = "x-amzn-trace-id";

/// What is sent for a call.
///
/// # Errors
/// `PayloadTooLarge`, and what a streamed payload fails with.
async fn lower(cx: &Ctx, call: Call) -> Result<Lowered> {
    let trace = call.trace.or(cx.trace().copied());
    let body = collect(call.body, &call.name).await?;
    let payload = envelope::of_call(&body, &call.content_type);
    fits(&body, &payload, MAX_REQUEST, VERB)?;
    let client_context = envelope::client_context(Beside {
        content_type: &call.content_type,
        idempotency_key: call.idempotency_key.as_deref(),
        trace,
    });
    Ok(Lowered {
        name: call.name.as_str().to_owned(),
        qualifier: qualifier(&call.qualifier).to_owned(),
        payload,
        client_context,
        trace: trace.map(|trace| xray(&trace)),
    })
}

/// The payload at hand, so that it can be sent again.
pub(crate) async fn collect(body: Body, name: &anyport_core::spec::Name) -> Result<Bytes> {
    body.collect(MAX_REQUEST)
        .await
        .map_err(|error| error.on(name))
}

/// Refuses what would be too large once it is in its envelope.
pub(crate) fn fits(body: &Bytes, payload: &Bytes, max: u64, verb: &'static str) -> Result<()> {
    let actual = payload.len() as u64;
    if actual <= max {
        return Ok(());
    }
    let sealed = payload.len() != body.len();
    let what = if sealed {
        "request payload in base64, as what is not plain JSON travels on Lambda,"
    } else {
        "request payload"
    };
    let kind = ErrorKind::PayloadTooLarge(Limit {
        what: what.to_owned(),
        max,
        actual: Some(actual),
    });
    Err(Error::new(kind, verb)
        .hint("send a reference to the data instead of the data")
        .from_provider(PROVIDER, None))
}

pub(crate) fn qualifier(qualifier: &Qualifier) -> &str {
    match qualifier {
        Qualifier::Live => LIVE,
        Qualifier::Version(version) => version.as_str(),
    }
}

/// A W3C trace as AWS's header: the same ids. Source: Lambda developer guide; AWS X-Ray takes ids of W3C in this form.
pub(crate) fn xray(trace: &TraceContext) -> String {
    let id = data_encoding::HEXLOWER.encode(&trace.trace_id());
    let (seconds, unique) = id.split_at(8);
    let text = trace.to_string();
    let parent = text.split('-').nth(2).unwrap_or_default();
    let sampled = u8::from(trace.sampled());
    format!("Root=1-{seconds}-{unique};Parent={parent};Sampled={sampled}")
}

/// An answer of `Invoke`. Its status alone means nothing: a function that failed answers 200 as well.
fn lift(output: InvokeOutput) -> Result<Reply> {
    let request_id = output.request_id().unwrap_or_default().to_owned();
    let tail = output.log_result.as_deref();
    let payload = output.payload.map_or_else(Bytes::new, Blob::into_bytes);
    if let Some(code) = &output.function_error {
        return Err(failed(
            VERB,
            &Failed {
                code,
                report: &payload,
                tail,
                request_id: Some(&request_id),
            },
        ));
    }
    let report = tail.map(figures).unwrap_or_default();
    let mut reply = open(request_id, payload)?;
    reply.version = output.executed_version.map(VersionId::new);
    reply.duration = report.duration;
    reply.cold = report.cold;
    Ok(reply)
}

/// A whole answer, taken out of what it travelled in.
pub(crate) fn open(request_id: String, payload: Bytes) -> Result<Reply> {
    let Opened {
        body,
        content_type,
        status,
    } = match envelope::open(payload) {
        Ok(opened) => opened,
        Err(unreadable) => return Err(unopened(unreadable).with_request_id(request_id)),
    };
    let mut reply = Reply::new(request_id, body);
    reply.content_type = content_type;
    reply.status = status;
    Ok(reply)
}

fn unopened(unreadable: Unreadable) -> Error {
    let error = Error::new(ErrorKind::Unavailable, VERB)
        .with_retry(Retry::No)
        .may_have_run(true)
        .from_provider(PROVIDER, None);
    match unreadable {
        Unreadable::Newer(version) => error
            .because(format_args!(
                "the answer is in an envelope of version {version}"
            ))
            .hint("update this program: the function is built with a newer anyport-runtime"),
        Unreadable::Broken => error.because("the envelope of the answer is broken"),
    }
}

#[cfg(test)]
mod tests;
