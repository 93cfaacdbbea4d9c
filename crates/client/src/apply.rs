//! `apply`: takes the steps of a plan, one after the other.

use anyport_core::context::Ctx;
use anyport_core::error::{Error, ErrorKind, Result, Violations};
use anyport_core::outcome::{Outcome, Outputs, StepDone};
use anyport_core::plan::{Base, Change, Observed, Plan, Step, VersionId};
use tracing::Instrument as _;

use crate::halted::Halted;
use crate::mutation::Mutation;
use crate::plan::named;
use crate::policy;
use crate::progress::Event;
use crate::target::Target;

impl Target {
    /// Takes the steps of a plan that was made before.
    ///
    /// What is there is read again first; when it is not what the plan was made on, nothing is done. Nor is anything done when the plan is not
    /// the one that is made of what it asks: a saved plan is only as good as the file it was in. When a step fails, no later one is taken;
    /// what the error is then, and how to read the state of the target from it, is said at [`Halted`]. Making and applying the plan again
    /// finishes what was begun.
    ///
    /// # Errors
    /// `Conflict` when the base has changed, or the steps are not those that lead to what is asked; `InvalidSpec` when the plan is for another
    /// target or owner, lacks the artifact's bytes or asks for what cannot be; `Unsupported` as for [`plan`](Self::plan);
    /// `AlreadyExists`, `Forbidden` and `Conflict` as for [`plan`](Self::plan); `RolloutFailed` when the release cannot start; `Incomplete` when
    /// some steps are done and others are not.
    pub async fn apply(&self, plan: Plan) -> Result<Outcome> {
        let cx = self.change_cx("apply");
        let span = self.span("apply", plan.desired.name.as_str());
        async {
            policy::brought(self, "apply", &plan)?;
            let seen = self.observe(&cx, &plan.desired.name).await?;
            let base = Base::of(seen.as_ref());
            let stale = plan.base != Base::Any && plan.base != base;
            if stale && !self.mutated(Mutation::SkipsBaseCheck) {
                return Err(Error::new(ErrorKind::Conflict, "apply")
                    .on(&plan.desired.name)
                    .because(format_args!(
                        "the plan was made on {} and there is {} now",
                        words(&plan.base),
                        words(&base)
                    )));
            }
            policy::planned("apply", &plan, seen.as_ref())?;
            if !self.mutated(Mutation::SkipsBaseCheck) {
                self.made_here(&plan, seen.as_ref()).await?;
            }
            self.drive(&cx, "apply", plan, seen).await
        }
        .instrument(span)
        .await
    }

    /// Makes the plan once more on what is there: one that was edited, or made by another version of the adapter, is not carried out.
    async fn made_here(&self, plan: &Plan, seen: Option<&Observed>) -> Result<()> {
        let caps = self.caps().await?;
        policy::asked(self, caps, "apply", &plan.desired)?;
        let desired = plan.desired.clone();
        let made = self.plan_on(caps, "apply", desired, seen).await?;
        // What is found and what is kept may differ: they are told, not done.
        if (made.change, &made.fields, &made.steps) == (plan.change, &plan.fields, &plan.steps) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "apply")
            .on(&plan.desired.name)
            .because("the steps of the plan are not those that lead to what it asks"))
    }

    /// Takes the steps of a plan that [`policy::planned`] has passed on `seen`.
    pub(crate) async fn drive(
        &self,
        cx: &Ctx,
        verb: &'static str,
        plan: Plan,
        seen: Option<Observed>,
    ) -> Result<Outcome> {
        let mut missing = Violations::none();
        policy::bytes_for_uploads(&plan, &mut missing);
        missing.or(()).map_err(|found| {
            Error::new(ErrorKind::InvalidSpec(found), verb).on(&plan.desired.name)
        })?;
        let started = cx.now();
        self.tell(&Event::Planned(&plan));
        let mut out = Outputs::default();
        let mut run = Run::new(self, &plan);
        for step in &plan.steps {
            run.start(step);
            let began = cx.now();
            let taken = self
                .provider()
                .apply(&cx.in_step(step.number), &plan, step, &mut out)
                .await;
            match taken {
                Ok(done) => {
                    run.finish(step, done);
                    self.tell(&Event::Finished {
                        plan: &plan,
                        step,
                        done,
                        took: cx.now().saturating_sub(began),
                    });
                }
                Err(error) => return Err(run.fail(verb, step, named(error, &plan.desired.name))),
            }
        }
        let steps = run.end();
        let mut outcome = outcome(plan, out, seen);
        outcome.steps = steps;
        outcome.duration = cx.now().saturating_sub(started);
        Ok(outcome)
    }
}

/// What the plan came to, from what its steps gave and, where they gave nothing, from what was there.
fn outcome(plan: Plan, out: Outputs, seen: Option<Observed>) -> Outcome {
    let mut outcome = Outcome::new(plan.target, plan.desired.name, plan.change);
    outcome.ids = out.ids;
    // What is gone has no version and no address, whatever a step on the way had.
    if !matches!(plan.change, Change::Removed | Change::Absent) {
        outcome.version = out.version;
        outcome.endpoint = out.endpoint;
        if let Some(seen) = seen {
            outcome.version = outcome.version.or_else(|| live(&seen).cloned());
            outcome.endpoint = outcome.endpoint.or(seen.endpoint);
            for (what, id) in seen.ids {
                outcome.ids.entry(what).or_insert(id);
            }
        }
    }
    outcome.approximations = plan.approximations;
    outcome.found = plan.found;
    outcome.kept = plan.kept;
    outcome
}

/// The newest version that carries traffic.
pub(crate) fn live(seen: &Observed) -> Option<&VersionId> {
    seen.versions
        .iter()
        .rev()
        .find(|version| version.share > 0)
        .map(|version| &version.id)
        .or_else(|| seen.split.as_ref().and_then(|split| split.only()))
}

fn words(base: &Base) -> String {
    match base {
        Base::Absent => "nothing".to_owned(),
        Base::Revision(revision) => format!("revision {revision}"),
        Base::Any => "anything".to_owned(),
    }
}

/// How far a plan came. Dropped while a step is under way, it says so.
struct Run<'a> {
    target: &'a Target,
    plan: &'a Plan,
    changed: Vec<String>,
    done: usize,
    under_way: bool,
}

impl<'a> Run<'a> {
    const fn new(target: &'a Target, plan: &'a Plan) -> Self {
        Self {
            target,
            plan,
            changed: Vec::new(),
            done: 0,
            under_way: false,
        }
    }

    fn start(&mut self, step: &Step) {
        self.under_way = true;
        self.target.tell(&Event::Started(self.plan, step));
    }

    fn finish(&mut self, step: &Step, done: StepDone) {
        self.under_way = false;
        self.done += 1;
        if done == StepDone::Changed {
            self.changed.push(step.to_string());
        }
    }

    fn fail(mut self, verb: &'static str, step: &Step, error: Error) -> Error {
        self.under_way = false;
        let state = self.state(error.user_code_may_have_run());
        self.target.tell(&Event::Failed {
            plan: self.plan,
            step,
            error: &error,
            state: &state,
        });
        state.into_error(verb, error)
    }

    /// The steps that changed something, in words.
    fn end(mut self) -> Vec<String> {
        std::mem::take(&mut self.changed)
    }

    fn state(&self, may_have_happened: bool) -> Halted {
        let (done, left) = self.plan.steps.split_at(self.done);
        let mut left: Vec<String> = left.iter().map(ToString::to_string).collect();
        if let Some(first) = left.first_mut().filter(|_| may_have_happened) {
            first.push_str(" (may have happened)");
        }
        Halted {
            done: done.iter().map(ToString::to_string).collect(),
            left,
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if self.under_way && !self.target.mutated(Mutation::AbandonsInSilence) {
            let state = self.state(true);
            tracing::warn!(target: "anyport", name = self.plan.desired.name.as_str(), %state, "abandoned");
            self.target.tell(&Event::Abandoned {
                plan: self.plan,
                state: &state,
            });
        }
    }
}
