//! What the owner of a pool may learn while its calls are served, and add to an instance.

use std::time::Duration;

use crate::error::Exit;

/// Is told what happens to the instances of a pool, at the moment it happens.
///
/// Called from the engine's tasks: a method that blocks holds up the instance it is told about.
pub trait Observer: Send + Sync + 'static {
    /// An instance is about to be started. Returns variables for it alone, which override all others
    /// but those that hold the engine together; `None` takes a variable away.
    fn starting(&self, instance: &str) -> Vec<(String, Option<String>)> {
        let _ = instance;
        Vec::new()
    }

    /// An instance is ready for its first call.
    fn ready(&self, instance: &str, took: Duration) {
        let _ = (instance, took);
    }

    /// A call is about to be handed to an instance. Lines that come after this belong to the call.
    fn called(&self, instance: &str, request_id: &str) {
        let _ = (instance, request_id);
    }

    /// The process of an instance has ended, and all it wrote has been given to the log sink.
    fn ended(&self, instance: &str, exit: Exit) {
        let _ = (instance, exit);
    }
}

/// Takes note of nothing.
impl Observer for () {}
