//! Adapters that list, own, remove or clear wrongly.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use anyport_core::Digest;
use anyport_core::capability::Capabilities;
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::mark::Mark;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Desired, Health, Observed, Owned, Plan, State, Step};
use anyport_core::provider::{Cursor, Entry, Page, Provider, Scope};
use anyport_core::spec::Name;
use async_trait::async_trait;

use super::twist::Twist;
use super::{Mutant, twisted};
use crate::scene::owner;

pub(super) const MUTANTS: &[Mutant] = &[
    twisted!(
        Provider,
        "sees-everything-as-ours",
        "takes what others made for ours",
        SeesEverythingAsOurs
    ),
    twisted!(
        Provider,
        "names-no-owner",
        "does not say whose something is",
        NamesNoOwner
    ),
    twisted!(
        Provider,
        "leaves-the-function",
        "says that it removed, and hides what is left",
        LeavesTheFunction::default()
    ),
    twisted!(
        Provider,
        "purges-unasked",
        "discards events with the function",
        PurgesUnasked
    ),
    twisted!(
        Provider,
        "skips-an-entry",
        "leaves the last function of a page out",
        SkipsAnEntry
    ),
    twisted!(
        Wire,
        "misses-a-page",
        "does not go on to the next page",
        MissesAPage
    ),
    twisted!(
        Provider,
        "hides-the-unreadable",
        "leaves out what it cannot read",
        HidesTheUnreadable
    ),
    twisted!(
        Provider,
        "loses-sight-of-the-half-made",
        "does not see what has no version yet",
        LosesSightOfTheHalfMade
    ),
    twisted!(
        Provider,
        "leaves-residue",
        "says that it cleared, and does not",
        LeavesResidue
    ),
    twisted!(
        Provider,
        "forgets-residue",
        "does not say what an interrupted run left",
        ForgetsResidue
    ),
];

struct SeesEverythingAsOurs;

#[async_trait]
impl Twist for SeesEverythingAsOurs {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let mut seen = inner.observe(cx, name).await?;
        if let Some(seen) = &mut seen {
            let owner = owner();
            seen.owned = Owned::Marked {
                mark: Mark::new(&owner, Digest::of(b"")),
                owner: owner.to_string(),
            };
        }
        Ok(seen)
    }
}

struct NamesNoOwner;

#[async_trait]
impl Twist for NamesNoOwner {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let mut seen = inner.observe(cx, name).await?;
        if let Some(Owned::Marked { owner, .. } | Owned::Foreign(owner)) =
            seen.as_mut().map(|seen| &mut seen.owned)
        {
            owner.clear();
        }
        Ok(seen)
    }
}

#[derive(Default)]
struct LeavesTheFunction {
    hidden: Mutex<BTreeSet<Name>>,
}

#[async_trait]
impl Twist for LeavesTheFunction {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let seen = inner.observe(cx, name).await?;
        let hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(seen.filter(|_| !hidden.contains(name)))
    }

    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        if step.action == Action::Remove {
            let mut hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
            hidden.insert(plan.desired.name.clone());
            return Ok(StepDone::Changed);
        }
        inner.apply(cx, plan, step, out).await
    }
}

struct PurgesUnasked;

impl Twist for PurgesUnasked {
    fn plan(
        &self,
        inner: &dyn Provider,
        caps: &Capabilities,
        want: &Desired,
        seen: Option<&Observed>,
    ) -> Result<Plan> {
        let mut want = want.clone();
        if let State::Absent { purge } = &mut want.state {
            *purge = true;
        }
        inner.plan(caps, &want, seen)
    }
}

struct SkipsAnEntry;

#[async_trait]
impl Twist for SkipsAnEntry {
    async fn list(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        scope: &Scope,
        after: Option<Cursor>,
    ) -> Result<Page> {
        let mut page = inner.list(cx, scope, after).await?;
        page.entries.pop();
        Ok(page)
    }
}

struct MissesAPage;

#[async_trait]
impl Twist for MissesAPage {
    async fn list(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        scope: &Scope,
        after: Option<Cursor>,
    ) -> Result<Page> {
        let mut page = inner.list(cx, scope, after).await?;
        page.next = None;
        Ok(page)
    }
}

struct HidesTheUnreadable;

#[async_trait]
impl Twist for HidesTheUnreadable {
    async fn list(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        scope: &Scope,
        after: Option<Cursor>,
    ) -> Result<Page> {
        let mut page = inner.list(cx, scope, after).await?;
        page.entries
            .retain(|entry| !matches!(entry, Entry::Unreadable { .. }));
        Ok(page)
    }
}

struct LosesSightOfTheHalfMade;

#[async_trait]
impl Twist for LosesSightOfTheHalfMade {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let seen = inner.observe(cx, name).await?;
        Ok(seen.filter(|seen| seen.health != Health::Empty))
    }
}

struct LeavesResidue;

#[async_trait]
impl Twist for LeavesResidue {
    async fn apply(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        match step.action {
            Action::Clear(_) => Ok(StepDone::Changed),
            _ => inner.apply(cx, plan, step, out).await,
        }
    }
}

struct ForgetsResidue;

#[async_trait]
impl Twist for ForgetsResidue {
    async fn observe(
        &self,
        inner: &dyn Provider,
        cx: &Ctx,
        name: &Name,
    ) -> Result<Option<Observed>> {
        let mut seen = inner.observe(cx, name).await?;
        if let Some(seen) = &mut seen {
            seen.residue.clear();
        }
        Ok(seen)
    }
}
