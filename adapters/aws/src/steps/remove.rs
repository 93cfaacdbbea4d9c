//! Taking away: versions that are too old or half-made, or the function with all that is its own.

use anyport_core::error::{ErrorKind, Result};
use anyport_core::outcome::StepDone;
use anyport_core::plan::State;

use super::{AGAIN, Taking};
use crate::capability::KEPT;
use crate::wire::{logs, sqs};
use crate::{error, lift, observe};

impl Taking<'_> {
    /// Clears versions that were never put into service, named by the step.
    pub(super) async fn clear(&mut self, what: &str) -> Result<StepDone> {
        let mut done = StepDone::AlreadyDone;
        let (_, numbers) = what.rsplit_once(": ").unwrap_or(("", what));
        for number in numbers.split(' ') {
            if number.parse::<u64>().is_ok() && self.delete(Some(number)).await? {
                done = StepDone::Changed;
            }
        }
        Ok(done)
    }

    /// Removes versions that are older than those kept for rollback.
    pub(super) async fn collect(&mut self) -> Result<StepDone> {
        let versions = observe::versions(self.session, self.cx, self.name).await?;
        let live = self.out.version.clone();
        let old: Vec<String> = versions
            .iter()
            .filter(|version| lift::number(version).is_some_and(|it| it <= self.stand.released))
            .filter_map(|version| version.version().map(str::to_owned))
            .filter(|version| live.as_ref().is_none_or(|live| live.as_str() != version))
            .collect();
        let kept = usize::try_from(KEPT).unwrap_or(usize::MAX);
        let mut done = StepDone::AlreadyDone;
        for version in &old[..old.len().saturating_sub(kept)] {
            match self.delete(Some(version)).await {
                Ok(true) => done = StepDone::Changed,
                Ok(false) => {}
                // Another alias, which is not ours, sends traffic to it.
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Removes the function with its versions and its alias, then its logs, then the queue unless letters are in it.
    ///
    /// The queue goes last: while it is there, it says that something is left and whose it is.
    pub(super) async fn remove(&mut self) -> Result<StepDone> {
        if self.stand.exists() {
            self.delete(None).await?;
            let group = logs::group(self.name.as_str());
            logs::delete(&self.session.wire, self.cx, &group).await?;
        }
        if let Some(queue) = &self.stand.queue {
            let purge = matches!(self.plan.desired.state, State::Absent { purge: true });
            // One may have arrived since the plan was made.
            let empty = purge
                || error::found(sqs::depth(&self.session.wire, self.cx, queue).await)?
                    .is_none_or(|depth| depth.total() == 0);
            if empty {
                sqs::delete(&self.session.wire, self.cx, queue).await?;
            }
        }
        Ok(StepDone::Changed)
    }

    /// Deletes a version, or the whole function; false when it was not there.
    async fn delete(&self, version: Option<&str>) -> Result<bool> {
        const WORDS: &str = "delete";
        let request = self.session.raw.lambda.delete_function();
        let request = request
            .function_name(self.name.as_str())
            .set_qualifier(version.map(str::to_owned));
        let gone = self
            .call("DeleteFunction", WORDS, AGAIN, || request.clone().send())
            .await;
        Ok(error::found(gone)?.is_some())
    }
}
