//! Adapters that deploy wrongly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyport_core::Digest;
use anyport_core::call::{Call, Qualifier, Reply};
use anyport_core::capability::{Capabilities, Sizes, Support};
use anyport_core::content::{Content, InMemory};
use anyport_core::context::Ctx;
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{
    Action, Base, Change, Desired, Observed, Owned, Plan, Split, State, Step, VersionId,
};
use anyport_core::provider::Provider;
use anyport_core::spec::{FieldValue, Name};
use async_trait::async_trait;

use super::alter::{Alter, altered};
use super::twist::{Twist, remade};
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "exports-other-bytes",
        "gives back an artifact that was never deployed",
        ExportsOtherBytes
    ),
    twisted!(
        Provider,
        "serves-the-first-version",
        "keeps calling the version it called first",
        ServesTheFirstVersion::default()
    ),
    twisted!(
        Provider,
        "always-updates",
        "finds something to change every time",
        AlwaysUpdates
    ),
    twisted!(
        Provider,
        "trusts-the-mark",
        "compares the mark instead of what is there",
        TrustsTheMark
    ),
    twisted!(
        Provider,
        "drops-calls-while-switching",
        "fails calls while it routes",
        DropsCallsWhileSwitching
    ),
    altered!(
        Provider,
        "reuses-version-ids",
        "calls every version 1",
        Done(|out, last| if last {
            out.version = Some(VersionId::new("1"));
        })
    ),
    altered!(
        Provider,
        "skips-the-start-check",
        "does not start a release before it routes to it",
        Skipped(|action| *action == Action::Check)
    ),
    altered!(
        Provider,
        "hides-the-last-words",
        "drops the log lines of a release that did not start",
        StepFailed(|error| match error.kind().clone() {
            ErrorKind::RolloutFailed(failure) => {
                let failure = failure.with_logs(Vec::new());
                remade(error, ErrorKind::RolloutFailed(failure))
            }
            _ => error,
        })
    ),
    twisted!(
        Provider,
        "forgets-the-guard",
        "writes on whatever revision is there",
        FORGETS_THE_GUARD
    ),
    altered!(
        Provider,
        "refuses-without-a-hint",
        "does not say what to do instead of what it lacks",
        Discovered(|caps| {
            let (artifacts, governance) = (&mut caps.artifacts, &mut caps.governance);
            for support in [
                &mut artifacts.image,
                &mut governance.identity,
                &mut governance.network,
                &mut governance.encryption_key,
            ] {
                if !support.is_supported() {
                    *support = Support::refused("");
                }
            }
        })
    ),
    altered!(
        Provider,
        "loses-a-variable",
        "leaves one environment variable out",
        Asked(|want, _| if let State::Present(spec) = &mut want.state {
            spec.env.remove("GREETING");
        })
    ),
    altered!(
        Provider,
        "ignores-the-split",
        "says that traffic is split already",
        Planned(|plan, want| if let State::Traffic(_) = want.state {
            plan.change = Change::Unchanged;
            plan.steps.clear();
        })
    ),
    altered!(
        Provider,
        "deploys-into-a-split",
        "does not see that traffic is split",
        Seen(|mut seen| {
            let newest = seen.split.as_ref().and_then(|split| split.shares().last());
            seen.split = newest.map(|(version, _)| Split::all_to(version.clone()));
            Some(seen)
        })
    ),
];

/// Writes on whatever is there.
pub(super) const FORGETS_THE_GUARD: Alter = Alter::Taken(|step, out| {
    step.guard = Base::Any;
    out.revision = None;
});

/// Not broken by itself: a target with few memory sizes, for clients that round.
pub(super) const HAS_FEW_SIZES: Alter = Alter::Discovered(|caps| {
    caps.resources.memory_mb = Sizes::Steps(vec![128, 256, 512]);
});

/// Not broken by itself: a target that declares less than its adapter could take, for clients that do not check.
pub(super) const TAKES_LITTLE: Alter = Alter::Discovered(|caps| {
    caps.invoke.max_request = caps.invoke.max_request.min(64 << 10);
});

#[derive(Default)]
struct ServesTheFirstVersion {
    first: Mutex<BTreeMap<Name, VersionId>>,
}

#[async_trait]
impl Twist for ServesTheFirstVersion {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, mut call: Call) -> Result<Reply> {
        let seen = inner.observe(cx, &call.name).await?;
        let live = seen.and_then(|seen| {
            let mut live = seen
                .versions
                .into_iter()
                .filter(|version| version.share > 0);
            live.next().map(|version| version.id)
        });
        if let (Qualifier::Live, Some(live)) = (&call.qualifier, live) {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            let version = first.entry(call.name.clone()).or_insert(live).clone();
            call.qualifier = Qualifier::Version(version);
        }
        inner.invoke(cx, call).await
    }
}

struct AlwaysUpdates;

impl Twist for AlwaysUpdates {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut seen = seen.cloned();
        if let Some(seen) = &mut seen {
            let value = FieldValue::Plain("never asked".to_owned());
            seen.fields.insert("env.TOUCHED".to_owned(), value);
        }
        inner.plan(caps, want, seen.as_ref())
    }
}

struct TrustsTheMark;

impl Twist for TrustsTheMark {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        if let (State::Present(spec), Some(seen)) = (&want.state, seen)
            && let Owned::Marked { mark, .. } = &seen.owned
            && mark.is_of(spec.hash())
        {
            let target = inner.id().as_str();
            let base = Base::of(Some(seen));
            return Ok(Plan::new(target, want.clone(), base, Change::Unchanged));
        }
        inner.plan(caps, want, seen)
    }
}

struct DropsCallsWhileSwitching;

/// Callers and deployers are different clients of one process.
static SWITCHING: AtomicBool = AtomicBool::new(false);
static DROPPED: AtomicBool = AtomicBool::new(false);

#[async_trait]
impl Twist for DropsCallsWhileSwitching {
    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        if matches!(step.action, Action::Route(_)) && !matches!(plan.change, Change::Created) {
            DROPPED.store(false, Ordering::SeqCst);
            SWITCHING.store(true, Ordering::SeqCst);
            for _ in 0..100 {
                if DROPPED.load(Ordering::SeqCst) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            SWITCHING.store(false, Ordering::SeqCst);
        }
        inner.apply(cx, plan, step, out).await
    }

    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        if SWITCHING.load(Ordering::SeqCst) {
            DROPPED.store(true, Ordering::SeqCst);
            return Err(Error::new(ErrorKind::Unavailable, "invoke")
                .on(&call.name)
                .with_retry(Retry::No));
        }
        inner.invoke(cx, call).await
    }
}

struct ExportsOtherBytes;

#[async_trait]
impl Twist for ExportsOtherBytes {
    async fn artifact(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
        digest: Digest,
    ) -> Result<Arc<dyn Content>> {
        inner.artifact(cx, name, digest).await?;
        Ok(Arc::new(InMemory::new("something else")))
    }
}
