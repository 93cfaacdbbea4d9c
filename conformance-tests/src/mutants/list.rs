//! Adapters that list, own, remove or clear wrongly.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use anyport_core::Digest;
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::mark::Mark;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Health, Observed, Owned, Plan, State, Step};
use anyport_core::provider::{Entry, Provider};
use anyport_core::spec::Name;
use async_trait::async_trait;

use super::alter::altered;
use super::twist::Twist;
use super::{Mutant, twisted};
use crate::scene::owner;

pub(super) const MUTANTS: &[Mutant] = &[
    altered!(
        Provider,
        "sees-everything-as-ours",
        "takes what others made for ours",
        Seen(|mut seen| {
            let owner = owner();
            seen.owned = Owned::Marked {
                mark: Mark::new(&owner, Digest::of(b"")),
                owner: owner.to_string(),
            };
            Some(seen)
        })
    ),
    altered!(
        Provider,
        "names-no-owner",
        "does not say whose something is",
        Seen(|mut seen| {
            if let Owned::Marked { owner, .. } | Owned::Foreign(owner) = &mut seen.owned {
                owner.clear();
            }
            Some(seen)
        })
    ),
    twisted!(
        Provider,
        "leaves-the-function",
        "says that it removed, and hides what is left",
        LeavesTheFunction::default()
    ),
    altered!(
        Provider,
        "purges-unasked",
        "discards events with the function",
        Asked(|want, _| if let State::Absent { purge } = &mut want.state {
            *purge = true;
        })
    ),
    altered!(
        Provider,
        "skips-an-entry",
        "leaves the last function of a page out",
        Listed(|page| {
            page.entries.pop();
        })
    ),
    altered!(
        Wire,
        "misses-a-page",
        "does not go on to the next page",
        Listed(|page| page.next = None)
    ),
    altered!(
        Provider,
        "hides-the-unreadable",
        "leaves out what it cannot read",
        Listed(|page| {
            let entries = &mut page.entries;
            entries.retain(|entry| !matches!(entry, Entry::Unreadable { .. }));
        })
    ),
    altered!(
        Provider,
        "loses-sight-of-the-half-made",
        "does not see what has no version yet",
        Seen(|seen| Some(seen).filter(|seen| seen.health != Health::Empty))
    ),
    altered!(
        Provider,
        "leaves-residue",
        "says that it cleared, and does not",
        Skipped(|action| matches!(action, Action::Clear(_)))
    ),
    altered!(
        Provider,
        "forgets-residue",
        "does not say what an interrupted run left",
        Seen(|mut seen| {
            seen.residue.clear();
            Some(seen)
        })
    ),
];

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
