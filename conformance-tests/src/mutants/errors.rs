//! Adapters whose errors are wrong, or say too much.

use anyport_core::call::{Call, Identity, Reply};
use anyport_core::capability::Capabilities;
use anyport_core::context::Ctx;
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Desired, Observed, Plan, State, Step};
use anyport_core::provider::Provider;
use async_trait::async_trait;

use super::invoke::doubled;
use super::twist::{Twist, remade};
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "names-another-resource",
        "names something else in its errors",
        Rewords(|error| error.on("something"))
    ),
    twisted!(
        Provider,
        "everything-is-unavailable",
        "has one kind for every failure",
        Rewords(|error| remade(error, ErrorKind::Unavailable))
    ),
    twisted!(
        Provider,
        "repeats-the-source",
        "prints the source of an error in the error",
        Rewords(repeats)
    ),
    twisted!(
        Provider,
        "quotes-the-payload",
        "shows the payload of a call that failed",
        QuotesThePayload
    ),
    twisted!(
        Provider,
        "quotes-the-environment",
        "shows the values of variables in its plans",
        QuotesTheEnvironment
    ),
    twisted!(
        Provider,
        "talks-in-the-clear",
        "sends requests elsewhere without TLS",
        TalksInTheClear
    ),
];

/// Changes every error of a call or a step.
struct Rewords(fn(Error) -> Error);

#[async_trait]
impl Twist for Rewords {
    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        inner.apply(cx, plan, step, out).await.map_err(self.0)
    }

    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        inner.invoke(cx, call).await.map_err(self.0)
    }
}

fn repeats(error: Error) -> Error {
    let text = error.to_string();
    let mut outer = Error::new(error.kind().clone(), error.operation().to_owned())
        .may_have_run(error.user_code_may_have_run())
        .because(text);
    if let Some(resource) = error.resource() {
        outer = outer.on(resource);
    }
    outer.with_source(error)
}

struct QuotesThePayload;

#[async_trait]
impl Twist for QuotesThePayload {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        let (first, second) = doubled(call).await?;
        let payload = second.body.collect(1 << 30).await?;
        inner
            .invoke(cx, first)
            .await
            .map_err(|error| error.because(format!("sent {}", String::from_utf8_lossy(&payload))))
    }
}

struct QuotesTheEnvironment;

impl Twist for QuotesTheEnvironment {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut plan = inner.plan(caps, want, seen)?;
        if let State::Present(spec) = &want.state {
            let fields = spec.fields();
            for change in &mut plan.fields {
                let value = fields.get(&change.field).map(|value| value.expose());
                change.to = value.map(str::to_owned);
            }
        }
        Ok(plan)
    }
}

struct TalksInTheClear;

#[async_trait]
impl Twist for TalksInTheClear {
    async fn identify(&self, inner: &dyn Provider, cx: &Ctx) -> Result<Identity> {
        let mut identity = inner.identify(cx).await?;
        identity.endpoint = "http://198.51.100.7:4566".to_owned();
        Ok(identity)
    }
}
