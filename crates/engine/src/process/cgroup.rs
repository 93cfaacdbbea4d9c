//! Control groups: the kernel enforces the memory limit of a process tree, and kills it as one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::EngineError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The unified hierarchy.
    V2,
    /// The memory controller of version 1.
    V1,
}

/// A directory delegated to the engine.
pub(crate) struct Parent {
    path: PathBuf,
    kind: Kind,
}

impl Parent {
    /// Checks that groups with a memory limit can be made inside `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let unusable = |reason: String| EngineError::Cgroup {
            path: path.to_owned(),
            reason,
        };
        if path.join("memory.limit_in_bytes").exists() {
            return Ok(Self {
                path: path.to_owned(),
                kind: Kind::V1,
            });
        }
        let listed = fs::read_to_string(path.join("cgroup.controllers"))
            .map_err(|error| unusable(format!("it is not a control group ({error})")))?;
        if !listed.split_whitespace().any(|name| name == "memory") {
            return Err(unusable("it has no memory controller".to_owned()));
        }
        fs::write(path.join("cgroup.subtree_control"), "+memory").map_err(|error| {
            unusable(format!(
                "its memory controller can't be passed on ({error})"
            ))
        })?;
        Ok(Self {
            path: path.to_owned(),
            kind: Kind::V2,
        })
    }

    /// Makes a group that may use `bytes` of memory and no swap.
    pub(crate) fn group(&self, name: &str, bytes: u64) -> io::Result<Group> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        let group = Group {
            path,
            kind: self.kind,
        };
        let limit = bytes.to_string();
        match self.kind {
            Kind::V2 => {
                group.write("memory.max", &limit)?;
                // Without swap accounting the file is missing; the limit then covers memory alone.
                let _ = group.write("memory.swap.max", "0");
                let _ = group.write("memory.oom.group", "1");
            }
            Kind::V1 => {
                group.write("memory.limit_in_bytes", &limit)?;
                let _ = group.write("memory.memsw.limit_in_bytes", &limit);
            }
        }
        Ok(group)
    }
}

/// The group of one instance; removed when dropped, if its processes have ended.
pub(crate) struct Group {
    path: PathBuf,
    kind: Kind,
}

impl Group {
    /// The file through which a process joins by writing `0`.
    pub(crate) fn entry(&self) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .open(self.path.join("cgroup.procs"))
    }

    /// Whether the kernel killed something in it for want of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        let file = match self.kind {
            Kind::V2 => "memory.events",
            Kind::V1 => "memory.oom_control",
        };
        fs::read_to_string(self.path.join(file)).is_ok_and(|text| oom_kills(&text) > 0)
    }

    /// Kills everything in it.
    pub(crate) fn kill(&self) {
        // Older kernels lack `cgroup.kill`, and version 1 has none: one by one.
        if self.kind == Kind::V2 && self.write("cgroup.kill", "1").is_ok() {
            return;
        }
        for pid in fs::read_to_string(self.path.join("cgroup.procs"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.parse().ok())
        {
            super::sweep::kill_one(pid);
        }
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.path.join(file), value)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

/// The count on the line `oom_kill N`.
fn oom_kills(text: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_counted_in_both_formats() {
        assert_eq!(oom_kills("low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\n"), 2);
        assert_eq!(
            oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n"),
            0
        );
        assert_eq!(oom_kills(""), 0);
    }

    #[test]
    fn a_directory_that_is_no_group_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let Err(error) = Parent::open(dir.path()) else {
            panic!("an ordinary directory was taken for a control group");
        };
        assert!(error.to_string().contains("not a control group"), "{error}");
    }
}
