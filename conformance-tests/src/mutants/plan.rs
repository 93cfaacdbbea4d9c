//! Adapters that write where or on what they should not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyport_core::capability::Capabilities;
use anyport_core::context::{Admission, Attempt, Ctx, Effect, Interrupt, Seam};
use anyport_core::error::{Error, Result};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Base, Desired, Observed, Plan, Step};
use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use async_trait::async_trait;
use futures_core::future::BoxFuture;

use super::deploy::FORGETS_THE_GUARD;
use super::twist::Twist;
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "writes-past-the-seam",
        "writes without the seam",
        WritesPastTheSeam
    ),
    twisted!(
        Provider,
        "writes-outside-the-plan",
        "writes in steps that are in no plan",
        WritesOutsideThePlan
    ),
    twisted!(
        Provider,
        "plans-with-a-write",
        "writes while it observes",
        PlansWithAWrite
    ),
    twisted!(
        Provider,
        "plans-on-any-base",
        "makes plans that do not say what they were made on",
        PlansOnAnyBase
    ),
    twisted!(
        Wire,
        "stale-revision",
        "sends the revision that is there instead of the one it planned on",
        StaleRevision
    ),
];

/// A seam that says nothing and asks nobody.
struct Quiet(Instant);

impl Seam for Quiet {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn interrupted(&self, _: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        Box::pin(std::future::pending())
    }

    fn jitter(&self) -> f64 {
        0.0
    }

    fn before(&self, _: &Attempt<'_>) -> Admission {
        Admission::Go
    }

    fn after(&self, _: &Attempt<'_>, _: Duration, _: Option<&Error>) -> Result<()> {
        Ok(())
    }
}

struct WritesPastTheSeam;

#[async_trait]
impl Twist for WritesPastTheSeam {
    async fn apply(
        &self,
        inner: &dyn Provider,
        _: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let cx = Ctx::new(Arc::new(Quiet(Instant::now()))).in_step(step.number);
        inner.apply(&cx, plan, step, out).await
    }
}

struct WritesOutsideThePlan;

#[async_trait]
impl Twist for WritesOutsideThePlan {
    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let cx = cx.in_step(step.number + 100);
        inner.apply(&cx, plan, step, out).await
    }
}

struct PlansWithAWrite;

#[async_trait]
impl Twist for PlansWithAWrite {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let touch = Effect::Write { repeatable: true };
        cx.in_step(1)
            .call("Touch", touch, name.as_str(), || async { Ok(()) })
            .await?;
        inner.observe(cx, name).await
    }
}

struct PlansOnAnyBase;

#[async_trait]
impl Twist for PlansOnAnyBase {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut plan = inner.plan(caps, want, seen)?;
        plan.base = Base::Any;
        plan.fields.clear();
        for step in &mut plan.steps {
            step.guard = Base::Any;
            step.why.clear();
        }
        Ok(plan)
    }

    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        FORGETS_THE_GUARD.apply(inner, cx, plan, step, out).await
    }
}

struct StaleRevision;

const ALWAYS: &str = "always the same";

#[async_trait]
impl Twist for StaleRevision {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let mut seen = inner.observe(cx, name).await?;
        if let Some(seen) = &mut seen {
            seen.revision = ALWAYS.to_owned();
        }
        Ok(seen)
    }

    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let seen = inner.observe(cx, &plan.desired.name).await?;
        let mut step = step.clone();
        step.guard = Base::of(seen.as_ref());
        out.revision = None;
        inner.apply(cx, plan, &step, out).await
    }
}
