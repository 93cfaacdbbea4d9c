//! Taking one step of a plan: under the function's lock, on the revision it was planned on, safe to repeat.

mod release;
mod retire;

use std::sync::Arc;
use std::time::Duration;

use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Base, Plan, State, Step};
use anyport_core::spec::{Name, Spec};

use crate::live::Live;
use crate::provider::blocking;
use crate::store::{Lock, Place, Record, Store, Stored, changed, revision};
use crate::{error, lift};

/// How long a step waits for another one on the same function.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// Every write is decided by what is there and comes to the same when it is done twice.
const WRITE: Effect = Effect::Write { repeatable: true };

/// Takes a step.
///
/// # Errors
/// As [`Provider::apply`](anyport_core::provider::Provider::apply) says.
pub(crate) async fn take(
    live: &Arc<Live>,
    cx: &Ctx,
    plan: &Plan,
    step: &Step,
    out: &mut Outputs,
) -> Result<StepDone> {
    let mut taking = Taking {
        name: &plan.desired.name,
        live,
        cx,
        plan,
        step,
        out,
        held: None,
    };
    live.store.make()?;
    taking.held = Some(Arc::new(taking.lock().await?));
    match &step.action {
        Action::Create => taking.create().await,
        Action::Upload(digest) => taking.upload(*digest).await,
        Action::Publish => taking.publish().await,
        Action::Check => taking.check().await,
        Action::Route(split) => taking.route(split.as_ref()).await,
        Action::RemoveVersion(version) => taking.remove_version(version).await,
        Action::Clear(_) => taking.clear().await,
        Action::Purge => taking.purge().await,
        Action::Remove => taking.remove().await,
        Action::Mark => taking.mark().await,
        other => {
            let kind = ErrorKind::Unsupported {
                capability: other.to_string(),
                hint: "make the plan with this target".to_owned(),
            };
            Err(Error::new(kind, cx.verb()).on(taking.name))
        }
    }
}

/// A step that is being taken.
struct Taking<'a> {
    name: &'a Name,
    live: &'a Arc<Live>,
    cx: &'a Ctx,
    plan: &'a Plan,
    step: &'a Step,
    out: &'a mut Outputs,
    /// The function's lock. Work on another thread shares it: dropping the step does not stop that work.
    held: Option<Arc<Lock>>,
}

impl Taking<'_> {
    /// Keeps other steps on this function out, in all processes.
    async fn lock(&self) -> Result<Lock> {
        let place = Place::of(self.name);
        let until = self.cx.now().saturating_add(PATIENCE);
        loop {
            if let Some(lock) = self.live.store.try_lock(place)? {
                return Ok(lock);
            }
            if self.cx.now() >= until {
                return Err(Error::new(ErrorKind::Conflict, self.cx.verb())
                    .on(self.name)
                    .because("another change is under way")
                    .hint("wait until it has ended, then try again"));
            }
            self.cx.pause(self.cx.verb(), LOOK).await?;
        }
    }

    /// Makes one call whose work blocks.
    async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        effect: Effect,
        work: impl Fn(&Store, &Name) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        let work = Arc::new(work);
        self.cx
            .call(operation, effect, self.name.as_str(), || {
                let (work, name) = (Arc::clone(&work), self.name.clone());
                let store = Arc::clone(&self.live.store);
                self.locked(operation, move || work(&store, &name))
            })
            .await
    }

    /// Work on another thread, with the function's lock held until it has ended.
    fn locked<T, F>(
        &self,
        operation: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let held = self.held.clone();
        blocking(operation, move || {
            let result = work();
            drop(held);
            result
        })
    }

    /// The record as it is now, `None` when there is none.
    async fn look(&self) -> Result<Option<Stored>> {
        self.call("GetRecord", Effect::Read, Store::read).await
    }

    /// The record as it is now; it has to be what the step was planned on.
    async fn current(&self) -> Result<Stored> {
        let Some(stored) = self.look().await? else {
            return Err(self.conflict("it is not there any more"));
        };
        self.guard(&stored)?;
        Ok(stored)
    }

    /// Whether the record is what the step was planned on, or what the steps before it left.
    fn guard(&self, stored: &Stored) -> Result<()> {
        let holds = match (&self.out.revision, &self.step.guard) {
            (Some(revision), _) | (None, Base::Revision(revision)) => stored.revision == *revision,
            (None, Base::Absent) => false,
            (None, Base::Any) => true,
        };
        if holds {
            Ok(())
        } else {
            Err(self.conflict("it is not what the step was planned on"))
        }
    }

    fn conflict(&self, why: &str) -> Error {
        changed(self.cx.verb(), self.name).because(why)
    }

    /// Writes the next record, if it differs.
    async fn put(&mut self, stored: &Stored, next: Record) -> Result<StepDone> {
        if next == stored.record {
            self.out.revision = Some(stored.revision.clone());
            return Ok(StepDone::AlreadyDone);
        }
        let mut next = next;
        next.serial = stored.record.serial + 1;
        let bytes = next.encode();
        let written = revision(&bytes);
        let expected = stored.revision.clone();
        self.call("PutRecord", WRITE, move |store, name| {
            store.replace(name, &expected, &bytes)
        })
        .await?;
        self.done(Some(written));
        Ok(StepDone::Changed)
    }

    /// Tells later steps and the outcome how things stand.
    fn done(&mut self, revision: Option<String>) {
        let root = self.live.store.root();
        self.out.endpoint = revision.is_some().then(|| lift::endpoint(root, self.name));
        self.out.ids = match revision {
            Some(_) => lift::ids_of(root, self.name),
            None => Default::default(),
        };
        self.out.revision = revision;
    }

    /// The spec that the plan asks for.
    fn spec(&self) -> Result<&Spec> {
        match &self.plan.desired.state {
            State::Present(spec) => Ok(spec),
            _ => Err(Error::new(ErrorKind::Conflict, self.cx.verb())
                .on(self.name)
                .because("the plan asks for no spec")
                .hint("make the plan with this target")
                .with_retry(Retry::No)
                .from_provider(error::PROVIDER, None)),
        }
    }
}
