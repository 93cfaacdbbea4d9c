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
    /// A control group directory delegated to this engine, in which it makes one group per instance
    /// (version 2 or the version 1 memory controller). `None`: memory is limited by watching.
    ///
    /// It is never guessed: taking processes out of the group that a service manager, a container or
    /// a CI runner put them in would hide them from it, so whoever owns the group has to hand it over.
    pub cgroup: Option<PathBuf>,
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

    /// Makes a control group per instance inside the delegated directory `parent`.
    #[must_use]
    pub fn cgroup(mut self, parent: impl Into<PathBuf>) -> Self {
        self.cgroup = Some(parent.into());
        self
    }
}
