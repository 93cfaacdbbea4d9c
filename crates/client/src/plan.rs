//! `plan`: from what is there to what is asked, before anything changes.

use std::fmt::Display;

use anyport_core::capability::{Capabilities, fit};
use anyport_core::context::Ctx;
use anyport_core::error::{Error, Result};
use anyport_core::plan::{Desired, Observed, Plan, State};
use anyport_core::spec::Name;
use tracing::Instrument as _;

use crate::mutation::{Mutation, shortened, weakened};
use crate::policy;
use crate::target::Target;

impl Target {
    /// Makes the plan for `desired`: checks it, fits it to the target, reads what is there and asks the adapter for the steps.
    /// Writes nothing.
    ///
    /// The plan can be shown, saved and given to [`apply`](Self::apply). A saved plan does not hold the artifact's bytes: attach them again.
    ///
    /// # Errors
    /// `InvalidSpec` with every violation; `Unsupported` when the target lacks something; `AlreadyExists` when what is there is not this owner's;
    /// `Forbidden` when it is protected and not forced; `Conflict` when traffic is split and not forced; `NotFound` when what should change is not
    /// there, naming the nearest; and whatever reading can fail with.
    pub async fn plan(&self, desired: Desired) -> Result<Plan> {
        let cx = self.change_cx("plan");
        let span = self.span("plan", desired.name.as_str());
        async {
            let (plan, _) = self.make_plan(&cx, "plan", desired).await?;
            Ok(plan)
        }
        .instrument(span)
        .await
    }

    /// The plan, and the observation that it was made on.
    pub(crate) async fn make_plan(
        &self,
        cx: &Ctx,
        verb: &'static str,
        desired: Desired,
    ) -> Result<(Plan, Option<Observed>)> {
        let caps = self.caps().await?;
        policy::asked(self, caps, verb, &desired)?;
        let seen = self.observe(cx, &desired.name).await?;
        let plan = self.plan_on(caps, verb, desired, seen.as_ref()).await?;
        Ok((plan, seen))
    }

    /// The plan on an observation that was just made. `desired` has passed [`policy::asked`].
    pub(crate) async fn plan_on(
        &self,
        caps: &Capabilities,
        verb: &'static str,
        mut desired: Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut approximations = Vec::new();
        let mut costs = Vec::new();
        if let State::Present(spec) = &mut desired.state {
            let product = self.id().scheme();
            let fitted = match fit(caps, product, spec) {
                Err(_) if self.mutated(Mutation::DeploysUnfit) => {
                    fit(caps, product, &weakened(spec))?
                }
                Err(error) if self.mutated(Mutation::StopsAtTheFirstViolation) => {
                    return Err(shortened(error));
                }
                fitted => fitted?,
            };
            **spec = fitted.spec;
            if !self.mutated(Mutation::RoundsInSilence) {
                approximations = fitted.approximations;
            }
            costs = fitted.costs;
        }
        let must_be_there = !matches!(desired.state, State::Present(_) | State::Absent { .. });
        if must_be_there && seen.is_none() {
            return Err(self.not_found(verb, &desired.name).await);
        }
        policy::versions(verb, &desired, seen)?;
        let name = desired.name.clone();
        let mut plan = match self.provider().plan(caps, &desired, seen) {
            Ok(plan) => plan,
            Err(error) => return Err(self.explain(verb, error, &name).await),
        };
        for approximation in approximations {
            if !plan.approximations.contains(&approximation) {
                plan.approximations.push(approximation);
            }
        }
        for cost in costs {
            if !plan.costs.contains(&cost) {
                plan.costs.push(cost);
            }
        }
        if plan.found.is_empty()
            && let Some(seen) = seen
        {
            plan.found.clone_from(&seen.residue);
        }
        policy::planned(verb, &plan, seen)?;
        Ok(plan)
    }

    pub(crate) async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        self.provider()
            .observe(cx, name)
            .await
            .map_err(|error| named(error, name))
    }
}

/// Names what an error is about, unless it says so itself.
pub(crate) fn named(error: Error, resource: impl Display) -> Error {
    if error.resource().is_none_or(str::is_empty) {
        error.on(resource)
    } else {
        error
    }
}
