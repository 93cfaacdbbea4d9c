//! The provider: each method in the contract's order, the work in the files beside it.

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

use crate::auth::Session;
use crate::config::Config;
use crate::{artifact, capability, dead, enqueue, invoke, logs, observe, plan, steps};

/// A Lambda target: one region of one account. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lambda {
    session: Arc<Session>,
}

/// Opens the target at `url`: `lambda://REGION` or, with the account pinned, `lambda://ACCOUNT/REGION`.
///
/// Nothing is sent yet, except for what finding credentials needs.
///
/// # Errors
/// `InvalidSpec` when the URL is not a Lambda target.
pub async fn connect(url: &TargetUrl, config: Config) -> Result<Arc<dyn Provider>> {
    let lambda = Lambda::open(url, config).await?;
    Ok(Arc::new(lambda))
}

impl Lambda {
    /// As [`connect`], with the type kept.
    ///
    /// # Errors
    /// As [`connect`].
    pub async fn open(url: &TargetUrl, config: Config) -> Result<Self> {
        let session = Session::open(url, config).await?;
        Ok(Self {
            session: Arc::new(session),
        })
    }
}

#[async_trait]
impl Provider for Lambda {
    fn id(&self) -> &TargetUrl {
        &self.session.id
    }

    async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        self.session.identify(cx).await
    }

    async fn discover(&self, _: &Ctx) -> Result<Capabilities> {
        Ok(capability::capabilities(&self.session.config))
    }

    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        observe::observe(&self.session, cx, name).await
    }

    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
        observe::list(&self.session, cx, scope, after).await
    }

    fn plan(&self, caps: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
        let target = self.session.id.as_str();
        plan::plan(target, &self.session.config, caps, want, seen)
    }

    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        steps::take(&self.session, cx, plan, step, out).await
    }

    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply> {
        invoke::invoke(&self.session, cx, call).await
    }

    async fn enqueue(&self, cx: &Ctx, call: Call) -> Result<Accepted> {
        enqueue::enqueue(&self.session, cx, call).await
    }

    async fn dead_letters(
        &self,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        dead::letters(&self.session, cx, name).await
    }

    async fn artifact(&self, cx: &Ctx, name: &Name, digest: Digest) -> Result<Arc<dyn Content>> {
        artifact::content(&self.session, cx, name, digest).await
    }

    async fn logs(&self, cx: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        logs::read(&self.session, cx, query).await
    }

    fn raw(&self) -> &(dyn Any + Send + Sync) {
        &self.session.raw
    }
}
