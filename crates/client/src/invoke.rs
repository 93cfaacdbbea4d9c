//! `invoke`: calls a function and waits for its answer. The hot path.

use std::time::Duration;

use anyport_core::call::{Body, Call, Qualifier, Reply};
use anyport_core::capability::Capabilities;
use anyport_core::error::Result;
use tracing::Instrument as _;

use crate::capabilities::need;
use crate::mutation::Mutation;
use crate::payload;
use crate::target::Target;

const VERB: &str = "invoke";

/// How one invocation is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvokeOptions {
    /// How long the caller waits, until the end of a streamed answer. When absent, [`Timeouts::invoke`](crate::Timeouts) until the answer
    /// begins.
    pub timeout: Option<Duration>,
    /// Repeats the call even when the function may have run. An idempotency key allows that as well.
    pub retry_if_may_have_run: bool,
}

impl InvokeOptions {
    /// Sets how long the caller waits.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Sets whether the call is repeated even when the function may have run.
    #[must_use]
    pub const fn retry_if_may_have_run(mut self, retry: bool) -> Self {
        self.retry_if_may_have_run = retry;
        self
    }
}

impl Target {
    /// Calls a function and waits for its answer. The payload is passed on, never copied.
    ///
    /// # Errors
    /// Before anything is sent: `PayloadTooLarge`, naming the limit; `Unsupported` for a media type, version or idempotency key that the target
    /// does not take; `InvalidSpec` for a malformed media type or key. Then `NotFound`, naming the nearest function; `Function` when the
    /// function failed; `Timeout`; `Throttled`; and whatever the provider fails with, saying whether the function may have run.
    pub async fn invoke(&self, call: Call) -> Result<Reply> {
        self.invoke_with(call, InvokeOptions::default()).await
    }

    /// Calls a function, with a time limit or retries of the caller's choice.
    ///
    /// # Errors
    /// As for [`invoke`](Self::invoke).
    pub async fn invoke_with(&self, mut call: Call, options: InvokeOptions) -> Result<Reply> {
        let span = self.span(VERB, call.name.as_str());
        async move {
            let caps = self.caps().await?;
            payload::check(self, &mut call, caps, caps.invoke.max_request, VERB)?;
            if let Qualifier::Version(_) = call.qualifier {
                let by_version = &caps.invoke.by_version;
                need(by_version, "invoke.by_version", VERB, call.name.as_str())?;
            }
            let repeat = options.retry_if_may_have_run
                || call.idempotency_key.is_some()
                || self.mutated(Mutation::RetriesUserCode);
            let cx = self
                .cx(VERB, options.timeout.unwrap_or_else(|| self.patience(caps)))
                .with_trace(call.trace)
                .repeating_user_code(repeat);
            let name = call.name.clone();
            let mut reply = match self.provider().invoke(&cx, call).await {
                Ok(reply) => reply,
                Err(error) => return Err(self.explain(VERB, error, &name).await),
            };
            if let Body::Stream(stream) = reply.body {
                let deadline = options
                    .timeout
                    .and_then(|_| cx.remaining())
                    .map(|left| cx.now().saturating_add(left));
                let stream = self.until_interrupted(VERB, name.as_str(), deadline, stream);
                reply.body = Body::Stream(stream);
            }
            Ok(reply)
        }
        .instrument(span)
        .await
    }

    /// How long an invocation may take that does not say so itself.
    fn patience(&self, caps: &Capabilities) -> Duration {
        const MARGIN: Duration = Duration::from_secs(60);
        self.timeouts().invoke.unwrap_or_else(|| {
            Duration::from_millis(caps.resources.timeout_ms.max()).saturating_add(MARGIN)
        })
    }
}
