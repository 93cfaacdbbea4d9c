//! Mutants that change what goes into or comes out of one method of an adapter, and nothing else.

use anyport_core::capability::Capabilities;
use anyport_core::context::Ctx;
use anyport_core::error::{Error, Result};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Desired, Observed, Plan, Step};
use anyport_core::provider::{Cursor, Page, Provider, Scope};
use anyport_core::spec::Name;
use async_trait::async_trait;

use anyport_core::call::{Call, Identity, Reply};

use super::twist::Twist;

/// What is changed. The change itself is a plain function, so that a mutant is one entry of a table.
pub(super) enum Alter {
    /// Who the caller is said to be.
    Identified(fn(&mut Identity)),
    /// What the target is said to be able to do.
    Discovered(fn(&mut Capabilities)),
    /// What is said to be there; `None` where nothing is to be seen.
    Seen(fn(Observed) -> Option<Observed>),
    /// A page of what there is.
    Listed(fn(&mut Page)),
    /// What is asked, before it is planned, given what is there.
    Asked(fn(&mut Desired, Option<&Observed>)),
    /// A plan that was made, given what was asked before anything was changed.
    Planned(fn(&mut Plan, &Desired)),
    /// The step and its outputs, before it is taken.
    Taken(fn(&mut Step, &mut Outputs)),
    /// Steps that are said to be done and are not taken.
    Skipped(fn(&Action) -> bool),
    /// The outputs of a step that was taken, the last one or not.
    Done(fn(&mut Outputs, bool)),
    /// The error of a step.
    StepFailed(fn(Error) -> Error),
    /// The error of a call.
    CallFailed(fn(Error) -> Error),
    /// The error of a step or a call.
    Failed(fn(Error) -> Error),
    /// A call, before it is sent.
    Sent(fn(&mut Call)),
}

#[async_trait]
impl Twist for Alter {
    async fn identify(&self, inner: &dyn Provider, cx: &Ctx) -> Result<Identity> {
        let mut identity = inner.identify(cx).await?;
        if let Self::Identified(change) = self {
            change(&mut identity);
        }
        Ok(identity)
    }

    async fn discover(&self, inner: &dyn Provider, cx: &Ctx) -> Result<Capabilities> {
        let mut caps = inner.discover(cx).await?;
        if let Self::Discovered(change) = self {
            change(&mut caps);
        }
        Ok(caps)
    }

    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let seen = inner.observe(cx, name).await?;
        Ok(match self {
            Self::Seen(change) => seen.and_then(change),
            _ => seen,
        })
    }

    async fn list(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        scope: &Scope,
        after: Option<Cursor>,
    ) -> Result<Page> {
        let mut page = inner.list(cx, scope, after).await?;
        if let Self::Listed(change) = self {
            change(&mut page);
        }
        Ok(page)
    }

    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        match self {
            Self::Asked(change) => {
                let mut want = want.clone();
                change(&mut want, seen);
                inner.plan(caps, &want, seen)
            }
            Self::Planned(change) => {
                let mut plan = inner.plan(caps, want, seen)?;
                change(&mut plan, want);
                Ok(plan)
            }
            _ => inner.plan(caps, want, seen),
        }
    }

    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let mut step = step.clone();
        match self {
            Self::Skipped(skips) if skips(&step.action) => return Ok(StepDone::Changed),
            Self::Taken(change) => change(&mut step, out),
            _ => {}
        }
        let done = inner.apply(cx, plan, &step, out).await;
        match self {
            Self::StepFailed(change) | Self::Failed(change) => done.map_err(change),
            Self::Done(change) => {
                let done = done?;
                change(out, step.number as usize == plan.steps.len());
                Ok(done)
            }
            _ => done,
        }
    }

    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, mut call: Call) -> Result<Reply> {
        match self {
            Self::Sent(change) => {
                change(&mut call);
                inner.invoke(cx, call).await
            }
            Self::CallFailed(change) | Self::Failed(change) => {
                inner.invoke(cx, call).await.map_err(change)
            }
            _ => inner.invoke(cx, call).await,
        }
    }
}

/// A mutant of one method: `altered!(Provider, "id", "what it does", Seen(|seen| ..))`.
macro_rules! altered {
    ($place:ident, $id:literal, $does:literal, $how:ident($change:expr)) => {
        $crate::mutants::twisted!(
            $place,
            $id,
            $does,
            $crate::mutants::alter::Alter::$how($change)
        )
    };
}
pub(super) use altered;
