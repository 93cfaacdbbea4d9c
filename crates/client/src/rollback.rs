//! `rollback`: all traffic to an earlier version. No artifact is needed.

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Force, Observed, Split, State, VersionId};
use anyport_core::spec::Name;
use tracing::Instrument as _;

use crate::apply::live;
use crate::capabilities::need;
use crate::policy;
use crate::target::Target;

const VERB: &str = "roll back";

impl Target {
    /// Sends all traffic of `name` to the version `to`; without `to`, to the newest version before the live one. While traffic is split, the live
    /// one is the newest that carries any.
    ///
    /// # Errors
    /// `Unsupported` where the target keeps no versions; `NotFound` when the function or the version is not there, or none is older; `Forbidden`
    /// when it is protected; and as for [`apply`](Self::apply).
    pub async fn rollback(&self, name: &Name, to: Option<VersionId>) -> Result<Outcome> {
        self.rollback_with(name, to, Force::default()).await
    }

    /// Rolls back, although the function is protected if `force` says so.
    ///
    /// # Errors
    /// As for [`rollback`](Self::rollback).
    pub async fn rollback_with(
        &self,
        name: &Name,
        to: Option<VersionId>,
        force: Force,
    ) -> Result<Outcome> {
        let cx = self.change_cx(VERB);
        async {
            let started = cx.now();
            let caps = self.caps().await?;
            need(&caps.versions, "versions", VERB, name.as_str())?;
            let Some(seen) = self.observe(&cx, name).await? else {
                return Err(self.not_found(VERB, name).await);
            };
            let to = match to {
                Some(to) => to,
                None => before_live(&seen)?,
            };
            let desired = self
                .desired(name.clone(), State::Traffic(Split::all_to(to)))
                .with_force(force);
            policy::asked(self, caps, VERB, &desired)?;
            let plan = self.plan_on(caps, VERB, desired, Some(&seen)).await?;
            let mut outcome = self.drive(&cx, VERB, plan, Some(seen)).await?;
            outcome.duration = cx.now().saturating_sub(started);
            Ok(outcome)
        }
        .instrument(self.span("rollback", name.as_str()))
        .await
    }
}

fn before_live(seen: &Observed) -> Result<VersionId> {
    let live = live(seen);
    seen.versions
        .iter()
        .take_while(|version| Some(&version.id) != live)
        .last()
        .filter(|_| live.is_some())
        .map(|version| version.id.clone())
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, VERB)
                .on(&seen.name)
                .because(match live {
                    Some(live) => format!("no version before {live}, the live one, is kept"),
                    None => "no version is live; name the one to go to".to_owned(),
                })
        })
}
