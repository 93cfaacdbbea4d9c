//! The steps that take away: versions, what was left, events, the function itself; and the owner's mark.

use anyport_core::error::{ErrorKind, Result};
use anyport_core::outcome::StepDone;
use anyport_core::plan::{State, VersionId};

use super::{Taking, WRITE};
use crate::{error, lower};

impl Taking<'_> {
    /// Removes a version, and its code when no other version runs it.
    pub(super) async fn remove_version(&mut self, version: &VersionId) -> Result<StepDone> {
        let stored = self.current().await?;
        if stored.record.share(version) > 0 {
            return Err(self.conflict("the version carries traffic"));
        }
        let next = lower::without(&stored.record, |release| release.id == *version);
        let done = self.put(&stored, next.clone()).await?;
        let cleared = self.call("DeleteArtifacts", WRITE, move |store, name| {
            store.clear(name, &next)
        });
        let cleared = cleared.await?;
        Ok(changed_if(cleared || done == StepDone::Changed))
    }

    /// Clears what an interrupted run left.
    pub(super) async fn clear(&mut self) -> Result<StepDone> {
        let stored = self.current().await?;
        let next = lower::without(&stored.record, |release| !release.routed);
        let done = self.put(&stored, next.clone()).await?;
        let cleared = self.call("DeleteLeftovers", WRITE, move |store, name| {
            store.clear(name, &next)
        });
        let cleared = cleared.await?;
        Ok(changed_if(cleared || done == StepDone::Changed))
    }

    /// Discards waiting events and dead letters.
    pub(super) async fn purge(&mut self) -> Result<StepDone> {
        let stored = self.current().await?;
        self.call("PurgeEvents", WRITE, |store, name| {
            let home = store.home(name);
            store
                .purge(name)
                .map_err(error::io("discard the events of", &home))
        })
        .await?;
        self.done(Some(stored.revision));
        Ok(StepDone::Changed)
    }

    /// Removes the function: first it stops serving, then its files go, then its record.
    pub(super) async fn remove(&mut self) -> Result<StepDone> {
        if self.look().await?.is_none() {
            self.done(None);
            return Ok(StepDone::AlreadyDone);
        }
        let stored = self.current().await?;
        let purge = matches!(self.plan.desired.state, State::Absent { purge: true });
        let retired = lower::retired(&stored.record);
        // A full disk has no room to write down that it is being removed: then its files make that room first.
        let full = match self.put(&stored, retired.clone()).await {
            Err(error) if *error.kind() == ErrorKind::QuotaExceeded => true,
            other => other.map(|_| false)?,
        };
        // Its instances stop before their code goes.
        self.live.forget(self.name);
        let gone = self.call("DeleteFiles", WRITE, move |store, name| {
            store.remove_files(name, purge)
        });
        if !gone.await? {
            // Events are left: the record stays to say whose they are.
            if full {
                self.put(&stored, retired).await?;
            }
            return Ok(StepDone::Changed);
        }
        self.call("DeleteRecord", WRITE, |store, name| {
            store.remove_record(name)
        })
        .await?;
        self.done(None);
        Ok(StepDone::Changed)
    }

    /// Writes the owner's mark, or clears it.
    pub(super) async fn mark(&mut self) -> Result<StepDone> {
        let stored = self.current().await?;
        let desired = &self.plan.desired;
        let owner = matches!(desired.state, State::Adopt).then_some(&desired.owner);
        let next = lower::marked(&stored.record, owner);
        self.put(&stored, next).await
    }
}

fn changed_if(changed: bool) -> StepDone {
    if changed {
        StepDone::Changed
    } else {
        StepDone::AlreadyDone
    }
}
