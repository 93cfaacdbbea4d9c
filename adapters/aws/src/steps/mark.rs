//! The owner's mark, written or taken off: nothing else changes.

use anyport_core::Digest;
use anyport_core::error::Result;
use anyport_core::mark::Mark;
use anyport_core::outcome::StepDone;
use anyport_core::plan::State;

use super::create::tags;
use super::{ONCE, Taking};
use crate::lower;
use crate::wire::sqs;
use crate::words::Words;

impl Taking<'_> {
    /// Writes the owner's mark, or clears it.
    pub(super) async fn mark(&mut self) -> Result<StepDone> {
        const WORDS: &str = "write the owner's mark on";
        let config = self.settled(None).await?;
        let revision = self.draft()?.to_owned();
        if config.revision_id() != Some(revision.as_str()) {
            return Err(self.conflict("it is not what the step was planned on"));
        }
        let desired = &self.plan.desired;
        let owner = matches!(desired.state, State::Adopt).then_some(&desired.owner);
        // Who adopts it did not make it from a spec that is known.
        let words = Words::read(config.description().unwrap_or_default());
        let words = words.owned_by(owner, Digest::of(&[])).to_string();
        if config.description() == Some(words.as_str()) {
            return Ok(StepDone::AlreadyDone);
        }
        let lambda = &self.session.raw.lambda;
        self.call("UpdateFunctionConfiguration", WORDS, ONCE, || {
            lower::describe(self.name, &revision, words.clone()).send_with(lambda)
        })
        .await?;
        let config = self.settled(None).await?;
        self.stand.draft = config.revision_id().map(str::to_owned);
        self.known(config.function_arn());
        if let (Some(owner), Some(queue)) = (owner, &self.stand.queue) {
            // Its letters outlive the function, and then it alone says whose they are.
            let tags = tags(&Mark::new(owner, Digest::of(&[])), owner);
            sqs::tag(&self.session.wire, self.cx, queue, tags).await?;
        }
        Ok(StepDone::Changed)
    }
}
