//! Adapters that translate requests or replies wrongly.

use anyport_core::call::{Body, Call, DeadLetter, Reply};
use anyport_core::context::Ctx;
use anyport_core::error::{ErrorKind, Result, TimedOut};
use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;

use super::twist::{Twist, remade};
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Wire,
        "loses-the-content-type",
        "sends every payload as plain bytes",
        LosesTheContentType
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
    twisted!(
        Wire,
        "calls-crashes-handled",
        "takes a crash for an error that was returned",
        CallsCrashesHandled
    ),
    twisted!(
        Wire,
        "blames-the-network",
        "takes a function's time limit for a network failure",
        BlamesTheNetwork
    ),
    twisted!(
        Wire,
        "loses-the-trace",
        "does not send the trace",
        LosesTheTrace
    ),
    twisted!(
        Wire,
        "loses-the-key",
        "does not send the idempotency key",
        LosesTheKey
    ),
    twisted!(
        Wire,
        "denies-that-it-ran",
        "says that nothing ran when a reply was lost",
        DeniesThatItRan
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

struct LosesTheContentType;

#[async_trait]
impl Twist for LosesTheContentType {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, mut call: Call) -> Result<Reply> {
        call.content_type = "application/octet-stream".to_owned();
        inner.invoke(cx, call).await
    }
}

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

struct CallsCrashesHandled;

#[async_trait]
impl Twist for CallsCrashesHandled {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        inner
            .invoke(cx, call)
            .await
            .map_err(|error| match error.kind().clone() {
                ErrorKind::Function(mut failure) => {
                    failure.handled = true;
                    remade(error, ErrorKind::Function(failure))
                }
                _ => error,
            })
    }
}

struct BlamesTheNetwork;

#[async_trait]
impl Twist for BlamesTheNetwork {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        inner.invoke(cx, call).await.map_err(|error| {
            let is_limit = matches!(error.kind(), ErrorKind::Timeout(TimedOut::Function { .. }));
            if is_limit {
                remade(error, ErrorKind::Unavailable)
            } else {
                error
            }
        })
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

struct LosesTheKey;

#[async_trait]
impl Twist for LosesTheKey {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, mut call: Call) -> Result<Reply> {
        call.idempotency_key = None;
        inner.invoke(cx, call).await
    }
}

struct DeniesThatItRan;

#[async_trait]
impl Twist for DeniesThatItRan {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        inner
            .invoke(cx, call)
            .await
            .map_err(|error| error.may_have_run(false))
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
