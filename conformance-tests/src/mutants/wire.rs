//! Adapters that translate requests or replies wrongly.

use anyport_core::call::{Body, Call, DeadLetter, Reply};
use anyport_core::context::Ctx;
use anyport_core::error::{ErrorKind, Result, TimedOut};
use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;

use super::alter::altered;
use super::twist::{Twist, remade};
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    altered!(
        Wire,
        "loses-the-content-type",
        "sends every payload as plain bytes",
        Sent(|call| call.content_type = "application/octet-stream".to_owned())
    ),
    twisted!(
        Wire,
        "mangles-binary",
        "sends payloads as text",
        ManglesBinary
    ),
    twisted!(
        Wire,
        "swallows-function-errors",
        "takes a function's error for its answer",
        SwallowsFunctionErrors
    ),
    altered!(
        Wire,
        "calls-crashes-handled",
        "takes a crash for an error that was returned",
        CallFailed(|error| match error.kind().clone() {
            ErrorKind::Function(mut failure) => {
                failure.handled = true;
                remade(error, ErrorKind::Function(failure))
            }
            _ => error,
        })
    ),
    altered!(
        Wire,
        "blames-the-network",
        "takes a function's time limit for a network failure",
        CallFailed(|error| match error.kind() {
            ErrorKind::Timeout(TimedOut::Function { .. }) => remade(error, ErrorKind::Unavailable),
            _ => error,
        })
    ),
    twisted!(
        Wire,
        "loses-the-trace",
        "does not send the trace",
        LosesTheTrace
    ),
    altered!(
        Wire,
        "loses-the-key",
        "does not send the idempotency key",
        Sent(|call| call.idempotency_key = None)
    ),
    altered!(
        Wire,
        "denies-that-it-ran",
        "says that nothing ran when a reply was lost",
        CallFailed(|error| error.may_have_run(false))
    ),
    twisted!(
        Wire,
        "collects-streams",
        "reads the whole answer before it passes it on",
        CollectsStreams
    ),
    twisted!(
        Wire,
        "rewrites-dead-letters",
        "gives dead letters another content type",
        RewritesDeadLetters
    ),
];

/// Enough for everything that the suite sends.
const MOST: u64 = 1 << 30;

struct ManglesBinary;

#[async_trait]
impl Twist for ManglesBinary {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, mut call: Call) -> Result<Reply> {
        let bytes = call.body.collect(MOST).await?;
        call.body = String::from_utf8_lossy(&bytes).into_owned().into();
        inner.invoke(cx, call).await
    }
}

struct SwallowsFunctionErrors;

#[async_trait]
impl Twist for SwallowsFunctionErrors {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        match inner.invoke(cx, call).await {
            Err(error) if matches!(error.kind(), ErrorKind::Function(_)) => {
                Ok(Reply::new("swallowed", "{}"))
            }
            result => result,
        }
    }
}

struct LosesTheTrace;

#[async_trait]
impl Twist for LosesTheTrace {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, mut call: Call) -> Result<Reply> {
        call.trace = None;
        inner.invoke(&cx.clone().with_trace(None), call).await
    }
}

struct CollectsStreams;

#[async_trait]
impl Twist for CollectsStreams {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        let mut reply = inner.invoke(cx, call).await?;
        let bytes = std::mem::take(&mut reply.body).collect(MOST).await?;
        reply.body = Body::Bytes(bytes);
        Ok(reply)
    }
}

struct RewritesDeadLetters;

#[async_trait]
impl Twist for RewritesDeadLetters {
    async fn dead_letters(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        let letters = inner.dead_letters(cx, name).await?;
        let rewritten = letters.map(|letter| {
            letter.map(|mut letter| {
                letter.content_type = "application/json".to_owned();
                letter
            })
        });
        Ok(rewritten.boxed())
    }
}
