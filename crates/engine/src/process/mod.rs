//! Processes of this machine: starting them, watching them, and leaving none behind.

pub(crate) mod artifact;
#[cfg(target_os = "linux")]
mod born;
pub(crate) mod cgroup;
pub(crate) mod child;
pub(crate) mod family;
pub(crate) mod guardian;
mod hierarchy;
pub(crate) mod interpreter;
pub(crate) mod pipe;
pub(crate) mod ports;
pub(crate) mod spawner;
pub(crate) mod sweep;
pub(crate) mod tree;
pub(crate) mod watch;

/// The variable by which a process is known to belong to an engine and an instance. Inherited by
/// every descendant that does not empty its environment.
pub(crate) const MARK_VARIABLE: &str = "ANYPORT_INSTANCE";
