//! Adapters that invoke or deliver wrongly.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyport_core::call::{Accepted, Body, Call, Reply};
use anyport_core::context::Ctx;
use anyport_core::error::{ErrorKind, Result, TimedOut};
use anyport_core::provider::Provider;
use async_trait::async_trait;
use bytes::Bytes;

use super::alter::altered;
use super::twist::{Twist, remade};
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "answers-late",
        "tells the caller of a time limit seconds after it passed",
        AnswersLate
    ),
    twisted!(
        Provider,
        "accepts-for-the-unknown",
        "accepts events for functions that do not exist",
        AcceptsForTheUnknown
    ),
    twisted!(
        Provider,
        "drops-events",
        "accepts events and forgets them",
        DropsEvents
    ),
    twisted!(
        Provider,
        "mixes-up-answers",
        "gives a caller the answer of the one before",
        MixesUpAnswers::default()
    ),
    altered!(
        Provider,
        "calls-overload-an-outage",
        "says that it is unavailable when it is full",
        CallFailed(|error| match error.kind() {
            ErrorKind::Throttled { .. } => remade(error, ErrorKind::Unavailable),
            _ => error,
        })
    ),
    twisted!(
        Provider,
        "runs-twice",
        "calls the function twice to be sure",
        RunsTwice
    ),
    twisted!(
        Provider,
        "leaves-a-task",
        "leaves a task behind each call",
        LeavesATask
    ),
    twisted!(
        Provider,
        "leaves-a-descriptor",
        "leaves a file open after each call",
        LeavesADescriptor
    ),
];

/// Enough for everything that the suite sends.
const MOST: u64 = 1 << 30;

/// The same call twice.
pub(super) async fn doubled(mut call: Call) -> Result<(Call, Call)> {
    let bytes = std::mem::take(&mut call.body).collect(MOST).await?;
    let mut second = Call::new(call.name.clone(), bytes.clone());
    second.qualifier = call.qualifier.clone();
    second.content_type.clone_from(&call.content_type);
    second.trace = call.trace;
    second.idempotency_key.clone_from(&call.idempotency_key);
    call.body = Body::Bytes(bytes);
    Ok((call, second))
}

struct AnswersLate;

#[async_trait]
impl Twist for AnswersLate {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        let result = inner.invoke(cx, call).await;
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::Timeout(TimedOut::Function { .. }))
        {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
        result
    }
}

struct AcceptsForTheUnknown;

#[async_trait]
impl Twist for AcceptsForTheUnknown {
    async fn enqueue(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Accepted> {
        match inner.enqueue(cx, call).await {
            Err(error) if *error.kind() == ErrorKind::NotFound => {
                Ok(Accepted::new("accepted", "nowhere"))
            }
            result => result,
        }
    }
}

struct DropsEvents;

#[async_trait]
impl Twist for DropsEvents {
    async fn enqueue(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Accepted> {
        match inner.observe(cx, &call.name).await? {
            Some(_) => Ok(Accepted::new("accepted", "nowhere")),
            None => inner.enqueue(cx, call).await,
        }
    }
}

#[derive(Default)]
struct MixesUpAnswers {
    last: Mutex<Option<Bytes>>,
}

#[async_trait]
impl Twist for MixesUpAnswers {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        let mut reply = inner.invoke(cx, call).await?;
        let bytes = std::mem::take(&mut reply.body).collect(MOST).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace(bytes.clone()).unwrap_or(bytes);
        reply.body = Body::Bytes(before);
        Ok(reply)
    }
}

struct RunsTwice;

#[async_trait]
impl Twist for RunsTwice {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        let (first, second) = doubled(call).await?;
        match inner.invoke(cx, first).await {
            Err(error) if error.user_code_may_have_run() => inner.invoke(cx, second).await,
            result => result,
        }
    }
}

struct LeavesATask;

#[async_trait]
impl Twist for LeavesATask {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        tokio::spawn(std::future::pending::<()>());
        inner.invoke(cx, call).await
    }
}

struct LeavesADescriptor;

#[async_trait]
impl Twist for LeavesADescriptor {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        if let Ok(file) = std::fs::File::open("/dev/null") {
            std::mem::forget(file);
        }
        inner.invoke(cx, call).await
    }
}
