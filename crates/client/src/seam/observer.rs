//! Watching every call.

use std::time::Duration;

use anyport_core::Error;
use anyport_core::context::Attempt;

/// Told of every attempt of every call. It sees operations and resources, never payloads.
///
/// It runs on the caller's task, between the call and its result: it must not block.
pub trait Observer: Send + Sync {
    /// An attempt is about to be sent.
    fn sent(&self, attempt: &Attempt<'_>);

    /// An attempt was answered, or failed. Not told when the attempt is cut off by dropping the verb's future.
    fn answered(&self, attempt: &Attempt<'_>, took: Duration, error: Option<&Error>);
}
