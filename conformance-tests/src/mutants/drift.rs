//! Adapters that report or keep other things than those that are there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyport_core::capability::Capabilities;
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Desired, Observed, Plan, State, Step};
use anyport_core::provider::Provider;
use anyport_core::spec::{Fields, Name};
use async_trait::async_trait;

use super::twist::Twist;
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "reports-the-wish",
        "reports what was last asked as what is there",
        ReportsTheWish::default()
    ),
    twisted!(
        Provider,
        "keeps-dropped-fields",
        "keeps variables that the spec no longer names",
        KeepsDroppedFields
    ),
    twisted!(
        Provider,
        "moves-the-endpoint",
        "has another endpoint for every version",
        MovesTheEndpoint
    ),
    twisted!(
        Provider,
        "mixes-up-names",
        "maps all names to one endpoint",
        MixesUpNames
    ),
    twisted!(
        Provider,
        "unprotects",
        "does not set protection",
        Unprotects
    ),
    twisted!(
        Provider,
        "hoards-versions",
        "never removes an old version",
        HoardsVersions
    ),
];

#[derive(Default)]
struct ReportsTheWish {
    asked: Mutex<BTreeMap<Name, Fields>>,
}

#[async_trait]
impl Twist for ReportsTheWish {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let mut seen = inner.observe(cx, name).await?;
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(seen), Some(asked)) = (&mut seen, asked.get(name)) {
            seen.fields.clone_from(asked);
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
        if let State::Present(spec) = &plan.desired.state {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(plan.desired.name.clone(), spec.fields());
        }
        inner.apply(cx, plan, step, out).await
    }
}

struct KeepsDroppedFields;

impl Twist for KeepsDroppedFields {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut want = want.clone();
        if let (State::Present(spec), Some(seen)) = (&mut want.state, seen) {
            for (field, value) in &seen.fields {
                if let Some(name) = field.strip_prefix("env.") {
                    spec.env
                        .entry(name.to_owned())
                        .or_insert_with(|| value.expose().to_owned());
                }
            }
        }
        inner.plan(caps, &want, seen)
    }
}

struct MovesTheEndpoint;

#[async_trait]
impl Twist for MovesTheEndpoint {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let mut seen = inner.observe(cx, name).await?;
        if let Some(seen) = &mut seen {
            seen.endpoint = Some(format!("https://example.invalid/{}", seen.revision));
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
        let done = inner.apply(cx, plan, step, out).await?;
        let version = out
            .version
            .as_ref()
            .map_or("none", |version| version.as_str());
        out.endpoint = Some(format!("https://example.invalid/{version}"));
        Ok(done)
    }
}

struct MixesUpNames;

#[async_trait]
impl Twist for MixesUpNames {
    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let done = inner.apply(cx, plan, step, out).await?;
        out.endpoint = Some("https://example.invalid/".to_owned());
        Ok(done)
    }
}

struct Unprotects;

impl Twist for Unprotects {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut want = want.clone();
        if let State::Present(spec) = &mut want.state {
            spec.protect = false;
        }
        inner.plan(caps, &want, seen)
    }
}

struct HoardsVersions;

impl Twist for HoardsVersions {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut plan = inner.plan(caps, want, seen)?;
        plan.steps
            .retain(|step| !matches!(step.action, Action::RemoveVersion(_)));
        Ok(plan)
    }
}
