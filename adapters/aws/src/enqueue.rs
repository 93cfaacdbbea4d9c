//! Asynchronous invocations: Lambda keeps the event, delivers it, tries it again, and in the end puts it into the function's own queue.

use anyport_core::call::{Accepted, Call};
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::Result;
use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_types::Blob;

use crate::auth::Session;
use crate::envelope::{self, Beside};
use crate::error;
use crate::invoke::{self, TRACE};
use crate::wire::sqs;

/// The largest event in bytes. Source: Lambda API model ("1 MB").
pub(crate) const MAX_EVENT: u64 = 1024 * 1024;

const VERB: &str = "enqueue an event for";

/// Hands an event over. Its id is Lambda's request id, which is the same in every attempt and in the dead letter.
///
/// The client context does not reach a function with an event (Source: Lambda API model), so an idempotency key travels in the payload's
/// envelope and the trace in AWS's own header.
pub(crate) async fn enqueue(session: &Session, cx: &Ctx, call: Call) -> Result<Accepted> {
    let effect = Effect::RunsUserCode {
        repeatable: call.idempotency_key.is_some(),
    };
    let trace = call.trace.or(cx.trace().copied());
    let body = invoke::collect(call.body, &call.name).await?;
    let payload = envelope::of_event(
        &body,
        Beside {
            content_type: &call.content_type,
            idempotency_key: call.idempotency_key.as_deref(),
            trace,
        },
    );
    invoke::fits(&body, &payload, MAX_EVENT, VERB).map_err(|error| error.on(&call.name))?;
    let name = call.name.as_str();
    let qualifier = invoke::qualifier(&call.qualifier);
    let trace = trace.as_ref().map(invoke::xray);
    let id = cx
        .call("Invoke", effect, name, || async {
            let trace = trace.clone();
            let sent = session
                .raw
                .calls
                .invoke()
                .function_name(name)
                .qualifier(qualifier)
                .invocation_type(InvocationType::Event)
                .payload(Blob::from_maybe_shared(payload.clone()))
                .customize()
                .mutate_request(move |request| {
                    if let Some(trace) = &trace {
                        request.headers_mut().insert(TRACE, trace.clone());
                    }
                })
                .send()
                .await;
            let output = sent.map_err(|failed| error::sdk(VERB, effect, failed))?;
            let id = output.request_id().map(str::to_owned);
            id.ok_or_else(|| error::missing(VERB, "request id").may_have_run(true))
        })
        .await?;
    let queue = sqs::dead_letter_queue(name);
    let dead_letter = match session.pinned.as_ref().or_else(|| session.account.get()) {
        Some(account) => sqs::arn(&session.region, account, &queue),
        None => queue,
    };
    Ok(Accepted::new(id, dead_letter))
}

#[cfg(test)]
mod tests;
