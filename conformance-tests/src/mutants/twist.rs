//! A provider around a provider that does one thing differently.

use std::any::Any;
use std::sync::Arc;

use anyport_core::Digest;
use anyport_core::call::{Accepted, Call, DeadLetter, Identity, LogLine, LogQuery, Reply};
use anyport_core::capability::Capabilities;
use anyport_core::content::Content;
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Desired, Observed, Plan, Step};
use anyport_core::provider::{Cursor, Page, Provider, Scope};
use anyport_core::spec::Name;
use anyport_core::target::TargetUrl;
use async_trait::async_trait;
use futures_core::stream::BoxStream;

/// What is done differently. Everything that is not overridden is passed on.
#[async_trait]
pub(super) trait Twist: Send + Sync + 'static {
    async fn identify(&self, inner: &dyn Provider, cx: &Ctx) -> Result<Identity> {
        inner.identify(cx).await
    }

    async fn discover(&self, inner: &dyn Provider, cx: &Ctx) -> Result<Capabilities> {
        inner.discover(cx).await
    }

    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        inner.observe(cx, name).await
    }

    async fn list(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        scope: &Scope,
        after: Option<Cursor>,
    ) -> Result<Page> {
        inner.list(cx, scope, after).await
    }

    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        inner.plan(caps, want, seen)
    }

    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        inner.apply(cx, plan, step, out).await
    }

    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        inner.invoke(cx, call).await
    }

    async fn enqueue(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Accepted> {
        inner.enqueue(cx, call).await
    }

    async fn dead_letters(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        inner.dead_letters(cx, name).await
    }

    async fn artifact(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
        digest: Digest,
    ) -> Result<Arc<dyn Content>> {
        inner.artifact(cx, name, digest).await
    }
}

/// A provider with a [`Twist`] around it.
pub(super) struct Twisted<T> {
    inner: Arc<dyn Provider>,
    twist: T,
}

impl<T: Twist> Twisted<T> {
    pub(super) fn new(inner: Arc<dyn Provider>, twist: T) -> Self {
        Self { inner, twist }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Twist> Provider for Twisted<T> {
    fn id(&self) -> &TargetUrl {
        self.inner.id()
    }

    async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        self.twist.identify(&*self.inner, cx).await
    }

    async fn discover(&self, cx: &Ctx) -> Result<Capabilities> {
        self.twist.discover(&*self.inner, cx).await
    }

    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        self.twist.observe(&*self.inner, cx, name).await
    }

    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
        self.twist.list(&*self.inner, cx, scope, after).await
    }

    fn plan(&self, caps: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
        self.twist.plan(&*self.inner, caps, want, seen)
    }

    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        self.twist.apply(&*self.inner, cx, plan, step, out).await
    }

    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply> {
        self.twist.invoke(&*self.inner, cx, call).await
    }

    async fn enqueue(&self, cx: &Ctx, call: Call) -> Result<Accepted> {
        self.twist.enqueue(&*self.inner, cx, call).await
    }

    async fn dead_letters(
        &self,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        self.twist.dead_letters(&*self.inner, cx, name).await
    }

    async fn artifact(&self, cx: &Ctx, name: &Name, digest: Digest) -> Result<Arc<dyn Content>> {
        self.twist.artifact(&*self.inner, cx, name, digest).await
    }

    async fn logs(&self, cx: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.inner.logs(cx, query).await
    }

    fn raw(&self) -> &(dyn Any + Send + Sync) {
        self.inner.raw()
    }
}

/// The error with another kind, and its other facts kept.
pub(super) fn remade(
    error: anyport_core::Error,
    kind: anyport_core::ErrorKind,
) -> anyport_core::Error {
    let mut other = anyport_core::Error::new(kind, error.operation().to_owned())
        .may_have_run(error.user_code_may_have_run());
    if let Some(on) = error.resource() {
        other = other.on(on);
    }
    if let Some(why) = error.why() {
        other = other.because(why);
    }
    other
}
