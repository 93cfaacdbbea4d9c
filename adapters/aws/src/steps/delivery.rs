//! How asynchronous events are delivered, and where those go that are given up.

use anyport_core::error::Result;
use anyport_core::outcome::StepDone;
use anyport_core::plan::Action;

use super::{AGAIN, Taking};
use crate::lower;

impl Taking<'_> {
    /// Sets it on the alias. A release whose alias was made just now is complete then.
    pub(super) async fn delivery(&mut self) -> Result<StepDone> {
        const WORDS: &str = "set how events are delivered to";
        let place = self.session.place(self.cx).await?;
        let queue = place.queue_arn(&lower::queue(self.name));
        let delivery = self.spec()?.delivery;
        let lambda = &self.session.raw.lambda;
        self.call("PutFunctionEventInvokeConfig", WORDS, AGAIN, || {
            lower::delivery(self.name, &delivery, &queue).send_with(lambda)
        })
        .await?;
        let routed =
            self.plan.steps.iter().any(|step| {
                step.number < self.step.number && matches!(step.action, Action::Route(_))
            });
        if routed {
            self.complete().await?;
        }
        Ok(StepDone::Changed)
    }
}
