//! Adapters that report or keep other things than those that are there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Desired, Observed, Plan, State, Step};
use anyport_core::provider::Provider;
use anyport_core::spec::{Fields, Name};
use async_trait::async_trait;

use super::alter::altered;
use super::twist::Twist;
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "reports-the-wish",
        "reports what was last asked as what is there",
        ReportsTheWish::default()
    ),
    altered!(
        Provider,
        "keeps-dropped-fields",
        "keeps variables that the spec no longer names",
        Asked(keep_variables)
    ),
    twisted!(
        Provider,
        "moves-the-endpoint",
        "has another endpoint for every version",
        MovesTheEndpoint
    ),
    altered!(
        Provider,
        "mixes-up-names",
        "maps all names to one endpoint",
        Done(|out, _| out.endpoint = Some("https://example.invalid/".to_owned()))
    ),
    altered!(
        Provider,
        "unprotects",
        "does not set protection",
        Asked(|want, _| if let State::Present(spec) = &mut want.state {
            spec.protect = false;
        })
    ),
    altered!(
        Provider,
        "hoards-versions",
        "never removes an old version",
        Planned(|plan, _| {
            let steps = &mut plan.steps;
            steps.retain(|step| !matches!(step.action, Action::RemoveVersion(_)));
        })
    ),
];

fn keep_variables(want: &mut Desired, seen: Option<&Observed>) {
    if let (State::Present(spec), Some(seen)) = (&mut want.state, seen) {
        for (field, value) in &seen.fields {
            if let Some(name) = field.strip_prefix("env.") {
                let kept = || value.expose().to_owned();
                spec.env.entry(name.to_owned()).or_insert_with(kept);
            }
        }
    }
}

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
