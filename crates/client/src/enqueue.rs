//! `enqueue`: leaves an event for a function and goes on.

use anyport_core::call::{Accepted, Call, Qualifier};
use anyport_core::error::Result;
use tracing::Instrument as _;

use crate::capabilities::need;
use crate::payload;
use crate::target::Target;

const VERB: &str = "enqueue an event for";

impl Target {
    /// Accepts an asynchronous invocation durably: delivered at least once, retried as the spec says, then kept as a dead letter.
    ///
    /// Without an idempotency key it is not repeated when its fate is unknown: the event may have been accepted.
    ///
    /// # Errors
    /// `Unsupported` where the target has no asynchronous calls; `NotFound` for a function that is not there, naming the nearest;
    /// `PayloadTooLarge`, naming the limit; and otherwise as for [`invoke`](Self::invoke).
    pub async fn enqueue(&self, mut call: Call) -> Result<Accepted> {
        let span = self.span("enqueue", call.name.as_str());
        async move {
            let caps = self.caps().await?;
            let max = need(&caps.enqueue, "enqueue", VERB, call.name.as_str())?.max_payload;
            payload::check(self, &mut call, caps, max, VERB)?;
            if let Qualifier::Version(_) = call.qualifier {
                let by_version = &caps.invoke.by_version;
                need(by_version, "invoke.by_version", VERB, call.name.as_str())?;
            }
            let cx = self
                .read_cx(VERB)
                .with_trace(call.trace)
                .repeating_user_code(call.idempotency_key.is_some());
            let name = call.name.clone();
            match self.provider().enqueue(&cx, call).await {
                Ok(accepted) => Ok(accepted),
                Err(error) => Err(self.explain(VERB, error, &name).await),
            }
        }
        .instrument(span)
        .await
    }
}
