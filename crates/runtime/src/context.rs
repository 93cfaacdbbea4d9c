//! What a handler can know about the call beside its payload.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::environment::{Environment, Platform};
use crate::{TraceContext, trace};

/// The call's identity, its deadline, its place in a trace, and which function and version runs.
#[derive(Clone, Debug)]
pub struct Context {
    request_id: Arc<str>,
    deadline: Option<Instant>,
    trace: Option<TraceContext>,
    idempotency_key: Option<String>,
    invoked_arn: Option<String>,
    environment: Arc<Environment>,
}

/// What a driver read from the wire, to be made a [`Context`].
#[derive(Default)]
pub(crate) struct Call {
    pub(crate) request_id: Option<String>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) invoked_arn: Option<String>,
}

impl Context {
    /// A context for a test of a handler: it runs nowhere, has no deadline, and is called `request_id`.
    #[must_use]
    pub fn new(request_id: impl Into<String>) -> Self {
        static NOWHERE: LazyLock<Arc<Environment>> = LazyLock::new(|| {
            Arc::new(Environment {
                platform: Platform::Local,
                function: None,
                version: None,
                memory_mb: None,
                timeout: None,
                grace: Duration::ZERO,
            })
        });
        let call = Call {
            request_id: Some(request_id.into()),
            ..Call::default()
        };
        Self::from_call(call, &NOWHERE)
    }

    /// The same with a deadline.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same as part of the caller's trace.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The same with an idempotency key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    pub(crate) fn from_call(call: Call, environment: &Arc<Environment>) -> Self {
        Self {
            request_id: call
                .request_id
                .map_or_else(new_request_id, Arc::<str>::from),
            deadline: call.deadline,
            trace: call.trace,
            idempotency_key: call.idempotency_key,
            invoked_arn: call.invoked_arn,
            environment: Arc::clone(environment),
        }
    }

    /// The call's id, as the platform or the caller named it, else a new one.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The same, shared.
    pub(crate) fn shared_request_id(&self) -> Arc<str> {
        Arc::clone(&self.request_id)
    }

    /// When the platform gives up on this call. The handler is stopped then: by the platform on
    /// Lambda, by this library over HTTP and in one-shot mode.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time left before the deadline, zero once it has passed; `None` without a deadline.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }

    /// The caller's span, where the call is part of a trace.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }

    /// A new span under the caller's, or the root of a new trace where the caller sent none; what an
    /// outgoing call sends as its `traceparent`.
    #[must_use]
    pub fn child_span(&self) -> TraceContext {
        self.trace
            .as_ref()
            .map_or_else(TraceContext::root, TraceContext::child)
    }

    /// The key under which the caller may send this call again; work done once for a key should not be done twice.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The ARN the call was addressed to, on Lambda.
    #[must_use]
    pub fn invoked_arn(&self) -> Option<&str> {
        self.invoked_arn.as_deref()
    }

    /// The function's name.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        self.environment.function.as_deref()
    }

    /// The version (or revision) that runs.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.environment.version.as_deref()
    }

    /// The memory this function may use, in MB.
    #[must_use]
    pub fn memory_mb(&self) -> Option<u32> {
        self.environment.memory_mb
    }

    /// Where this function runs.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.environment.platform
    }
}

/// A random id in the form of a version 4 UUID. Written digit by digit: over HTTP it is made for every call that brings none.
fn new_request_id() -> Arc<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let (high, low) = (trace::random(), trace::random());
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let mut bits = u128::from(high) << 64 | u128::from(low);
    let mut text = [b'-'; 36];
    for place in (0..text.len()).rev() {
        if !matches!(place, 8 | 13 | 18 | 23) {
            text[place] = DIGITS[(bits & 0xf) as usize];
            bits >>= 4;
        }
    }
    String::from_utf8_lossy(&text).into()
}

/// A point in Unix milliseconds on this process's own clock.
pub(crate) fn instant_of(unix_ms: u64) -> Instant {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let at = Duration::from_millis(unix_ms);
    let here = Instant::now();
    // Centuries ahead counts as a day: such a deadline says "none".
    here.checked_add(at.saturating_sub(now).min(Duration::from_secs(86_400)))
        .unwrap_or(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_counts_down_to_zero() {
        let cx = Context::new("r-1");
        assert_eq!((cx.request_id(), cx.remaining()), ("r-1", None));
        let past = cx.clone().with_deadline(instant_of(0));
        assert_eq!(past.remaining(), Some(Duration::ZERO));
        let far = cx.with_deadline(instant_of(u64::MAX));
        assert!(far.remaining().unwrap() > Duration::from_secs(3600));
    }

    #[test]
    fn a_child_span_belongs_to_the_callers_trace() {
        let caller = TraceContext::root();
        let cx = Context::new("r-1").with_trace(caller);
        assert_eq!(cx.child_span().trace_id(), caller.trace_id());
        assert_ne!(cx.child_span().span_id(), caller.span_id());
        assert_ne!(
            Context::new("r-2").child_span().trace_id(),
            caller.trace_id()
        );
    }

    #[test]
    fn made_up_ids_look_like_uuids_and_differ() {
        let (a, b) = (new_request_id(), new_request_id());
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert_eq!(a.as_bytes()[14], b'4');
        assert!(matches!(a.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
