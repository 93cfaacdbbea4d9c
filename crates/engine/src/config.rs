//! What an engine is told once, when it starts.

use std::path::PathBuf;

/// Settings of an [`Engine`](crate::Engine). The default suits a developer's machine.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Where scratch directories are made. Default: the system's temporary directory. The engine
    /// makes one directory of its own inside it and removes it at the end, even after a `kill -9`.
    pub scratch_root: Option<PathBuf>,
    /// Where interpreters are found.
    pub interpreters: Interpreters,
    /// `PATH` for functions. Default: the `PATH` of this process.
    pub path: Option<String>,
    /// How control groups are used.
    pub groups: Groups,
}

/// How an engine uses control groups. In one, the processes of an instance can't get away from its
/// end, whatever they do to their session, their parents or their environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Groups {
    /// Below the group that this process is in, so that a service manager, a container or a CI runner
    /// still finds and accounts for everything. Where that is not allowed the engine does without:
    /// [`Engine::containment`](crate::Engine::containment) tells.
    #[default]
    Own,
    /// Below this directory, which was delegated to the engine together with the memory controller
    /// (version 2, or the memory hierarchy of version 1). The engine does not start if it can't be used.
    Within(PathBuf),
    /// Not at all.
    Off,
}

/// By what an engine holds its instances together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Containment {
    /// By control groups: all processes of an instance end with it.
    #[non_exhaustive]
    ControlGroups {
        /// The engine's group, in which each instance has its own.
        path: PathBuf,
        /// Whether the kernel limits their memory too. Otherwise it is watched.
        limits_memory: bool,
    },
    /// By looking at the process table, and memory by watching: a process may get away that leaves its
    /// session, empties its environment and loses its parent all at once.
    #[non_exhaustive]
    Watching {
        /// Why there are no control groups.
        reason: String,
    },
}

/// Names or paths of the interpreters of language bundles.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Interpreters {
    /// Python 3.8 or newer. Default: `python3` on the `PATH`.
    pub python: PathBuf,
    /// Node.js 18 or newer. Default: `node` on the `PATH`.
    pub node: PathBuf,
}

impl Default for Interpreters {
    fn default() -> Self {
        Self {
            python: PathBuf::from("python3"),
            node: PathBuf::from("node"),
        }
    }
}

impl EngineConfig {
    /// Makes scratch directories below `root`.
    #[must_use]
    pub fn scratch_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.scratch_root = Some(root.into());
        self
    }

    /// Uses `python` for Python bundles.
    #[must_use]
    pub fn python(mut self, python: impl Into<PathBuf>) -> Self {
        self.interpreters.python = python.into();
        self
    }

    /// Uses `node` for Node bundles.
    #[must_use]
    pub fn node(mut self, node: impl Into<PathBuf>) -> Self {
        self.interpreters.node = node.into();
        self
    }

    /// Uses control groups in this way.
    #[must_use]
    pub fn groups(mut self, groups: Groups) -> Self {
        self.groups = groups;
        self
    }
}
