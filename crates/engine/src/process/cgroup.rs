//! Control groups: what is in one can't leave it by forking, by a session of its own or by another
//! environment, and is ended with it. Where the memory controller is there too, the kernel enforces
//! the limit.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::guardian::Guardian;
use super::hierarchy::{self, Kind};
use super::{spawner, sweep};
use crate::error::EngineError;

/// How long a group is given to become empty once everything in it was killed.
const EMPTYING: Duration = Duration::from_secs(10);

/// The group of an engine, in which each instance has one of its own.
pub(crate) struct Groups {
    top: PathBuf,
    kind: Kind,
    memory: bool,
    /// Whether an instance may not start without its group.
    required: bool,
}

/// How a process gets into a group.
pub(crate) enum Entry {
    /// It is created inside the group of this directory.
    Born(OwnedFd),
    /// It joins by writing `0` to this file.
    Tasks(File),
}

impl Groups {
    /// A group inside the group of this process, so that whoever supervises this process still sees
    /// and accounts for what it starts. The error says why there can be none.
    pub(crate) fn within_own(mark: &str, guardian: &Guardian) -> Result<Self, String> {
        let mut why = "this process's own control group was not found".to_owned();
        for (own, kind) in hierarchy::own() {
            match Self::make(&own, kind, mark, guardian) {
                Ok(groups) => return Ok(groups),
                Err(error) => why = format!("no group can be used in {} ({error})", own.display()),
            }
        }
        Err(why)
    }

    /// A group inside `parent`, which was delegated together with the memory controller.
    pub(crate) fn within(
        parent: &Path,
        mark: &str,
        guardian: &Guardian,
    ) -> Result<Self, EngineError> {
        let unusable = |reason: String| EngineError::Cgroup {
            path: parent.to_owned(),
            reason,
        };
        let kind = if parent.join("memory.limit_in_bytes").exists() {
            Kind::V1
        } else {
            let listed = fs::read_to_string(parent.join("cgroup.controllers"))
                .map_err(|error| unusable(format!("it is not a control group ({error})")))?;
            if !listed.split_whitespace().any(|name| name == "memory") {
                return Err(unusable("it has no memory controller".to_owned()));
            }
            pass_memory_on(parent).map_err(|error| {
                unusable(format!(
                    "its memory controller can't be passed on ({error})"
                ))
            })?;
            Kind::V2
        };
        let mut groups = Self::make(parent, kind, mark, guardian)
            .map_err(|error| unusable(format!("no group can be used in it ({error})")))?;
        if !groups.memory {
            return Err(unusable(
                "its memory controller can't be used in a group inside it".to_owned(),
            ));
        }
        groups.required = true;
        Ok(groups)
    }

    fn make(parent: &Path, kind: Kind, mark: &str, guardian: &Guardian) -> io::Result<Self> {
        let top = parent.join(format!("anyport-{mark}"));
        guardian.hold(&top)?;
        fs::create_dir(&top)?;
        let memory = match kind {
            // Only where the parent passes the controller on already: it may belong to others too.
            Kind::V2 => top.join("memory.max").exists() && pass_memory_on(&top).is_ok(),
            Kind::V1 => top.join("memory.limit_in_bytes").exists(),
        };
        let groups = Self {
            top,
            kind,
            memory,
            required: false,
        };
        // Rights, namespaces, seccomp and kernels differ: only trying tells.
        groups.prove()?;
        Ok(groups)
    }

    /// Puts a process that ends at once into a group.
    fn prove(&self) -> io::Result<()> {
        let group = self.group("probe", None)?;
        spawner::prove(group.entry()?)?;
        if group.finish() {
            Ok(())
        } else {
            Err(io::Error::other("a group in it can't be removed"))
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.top
    }

    /// Whether the kernel limits memory in these groups.
    pub(crate) fn limits_memory(&self) -> bool {
        self.memory
    }

    /// The group of an instance; `None` if it can't be made now and the instance may do without.
    pub(crate) fn for_instance(&self, number: u64, bytes: u64) -> io::Result<Option<Group>> {
        match self.group(&format!("i{number}"), Some(bytes)) {
            Ok(group) => Ok(Some(group)),
            Err(error) if self.required => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Makes a group that may use `bytes` of memory and no swap, where memory can be limited.
    fn group(&self, name: &str, bytes: Option<u64>) -> io::Result<Group> {
        let group = Group {
            path: self.top.join(name),
            kind: self.kind,
        };
        fs::create_dir(&group.path)?;
        if let Some(limit) = bytes.filter(|_| self.memory).map(|bytes| bytes.to_string()) {
            match self.kind {
                Kind::V2 => {
                    group.write("memory.max", &limit)?;
                    // Without swap accounting the file is missing; the limit covers memory alone.
                    let _ = group.write("memory.swap.max", "0");
                    let _ = group.write("memory.oom.group", "1");
                }
                Kind::V1 => {
                    group.write("memory.limit_in_bytes", &limit)?;
                    let _ = group.write("memory.memsw.limit_in_bytes", &limit);
                }
            }
        }
        Ok(group)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        // While instances are in it this fails, and the guardian does it.
        let _ = fs::remove_dir(&self.top);
    }
}

fn pass_memory_on(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.subtree_control"), "+memory")
}

/// The group of one instance; removed when dropped, if its processes have ended.
pub(crate) struct Group {
    path: PathBuf,
    kind: Kind,
}

impl Group {
    /// The way in, for one process.
    pub(crate) fn entry(&self) -> io::Result<Entry> {
        Ok(match self.kind {
            Kind::V2 => Entry::Born(File::open(&self.path)?.into()),
            // Not `cgroup.procs`: moving a whole process makes the kernel wait for a grace period of
            // ten milliseconds, and one that was just forked has a single thread.
            Kind::V1 => Entry::Tasks(
                OpenOptions::new()
                    .write(true)
                    .open(self.path.join("tasks"))?,
            ),
        })
    }

    /// Whether the kernel killed something in it for want of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        let file = match self.kind {
            Kind::V2 => "memory.events",
            Kind::V1 => "memory.oom_control",
        };
        fs::read_to_string(self.path.join(file)).is_ok_and(|text| oom_kills(&text) > 0)
    }

    /// The processes in it and in the groups below it.
    pub(crate) fn pids(&self) -> Vec<i32> {
        let mut pids = Vec::new();
        walk(&self.path, &mut |dir| pids.extend(listed(dir)));
        pids
    }

    /// Kills everything in it. Version 1 and older kernels may let a process that is just being forked
    /// through; [`Group::finish`] repeats it until none is left.
    pub(crate) fn kill(&self) {
        if self.kind == Kind::V2 && self.write("cgroup.kill", "1").is_ok() {
            return;
        }
        let (file, freeze, thaw) = match self.kind {
            Kind::V2 => ("cgroup.freeze", "1", "0"),
            Kind::V1 => ("freezer.state", "FROZEN", "THAWED"),
        };
        // Without a freezer (a delegated memory group) repeating has to do.
        let _ = self.write(file, freeze);
        self.pids().into_iter().for_each(sweep::kill_one);
        let _ = self.write(file, thaw);
    }

    /// Kills everything in it until it is empty, and removes it; whether that succeeded. Blocks: run
    /// it off the async threads.
    pub(crate) fn finish(&self) -> bool {
        let began = Instant::now();
        let mut pause = Duration::from_micros(200);
        loop {
            match remove(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => return true,
            }
            if began.elapsed() > EMPTYING {
                return false;
            }
            self.kill();
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        // Never creates: where the file is missing the kernel has no such control.
        OpenOptions::new()
            .write(true)
            .open(self.path.join(file))
            .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = remove(&self.path);
    }
}

/// Visits a group and those that a function made inside it, the innermost first.
fn walk(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), visit);
        }
    }
    visit(dir);
}

/// Removes a group without processes, and those inside it.
fn remove(dir: &Path) -> io::Result<()> {
    let mut outcome = Ok(());
    walk(dir, &mut |dir| outcome = fs::remove_dir(dir));
    outcome
}

fn listed(dir: &Path) -> Vec<i32> {
    fs::read_to_string(dir.join("cgroup.procs"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect()
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

    /// A guardian, and the directory that its scratch directory is to be made in.
    fn guardian(mark: &str) -> (Guardian, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let guardian = Guardian::start(mark, &dir.path().join("engine")).unwrap();
        (guardian, dir)
    }

    #[test]
    fn a_directory_that_is_no_group_is_refused_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let (guardian, _scratch) = guardian("refused");
        let Err(error) = Groups::within(dir.path(), "test", &guardian) else {
            panic!("an ordinary directory was taken for a control group");
        };
        assert!(error.to_string().contains("not a control group"), "{error}");
        for kind in [Kind::V2, Kind::V1] {
            assert!(Groups::make(dir.path(), kind, "test", &guardian).is_err());
        }
        assert!(fs::read_dir(dir.path()).unwrap().next().is_none());
    }

    /// Both versions where this machine lets us use them: what is put in is ended, sessions of its own
    /// and groups inside the group included.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_in_a_group_is_ended_with_it() {
        for (own, kind) in hierarchy::own() {
            let mark = format!("unit-{}-{kind:?}", std::process::id());
            let (guardian, _scratch) = guardian(&mark);
            let groups = match Groups::make(&own, kind, &mark, &guardian) {
                Ok(groups) => groups,
                Err(error) => {
                    println!("not run: no group in {}: {error}", own.display());
                    continue;
                }
            };
            let group = groups.group("one", None).unwrap();
            let script = "setsid sh -c 'sleep 600 & sleep 600' </dev/null & sleep 600 & wait";
            let mut child = spawner::tests::shell(script, Some(group.entry().unwrap())).unwrap();
            while group.pids().len() < 5 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let pids = group.pids();
            assert!(pids.contains(&child.pid().unwrap()));
            let below = group.path.join("below");
            fs::create_dir(&below).unwrap();
            fs::write(below.join("cgroup.procs"), pids[4].to_string()).unwrap();
            let ending = tokio::task::spawn_blocking(move || group.finish());
            assert_eq!(child.wait().await, crate::Exit::Signal(9), "{kind:?}");
            assert!(ending.await.unwrap(), "{kind:?}");
            let alive = |pid: &i32| crate::process::tree::row(*pid).is_some_and(|row| !row.zombie);
            assert!(!pids.iter().any(alive), "{kind:?}: {pids:?}");
            let top = groups.path().to_owned();
            drop(groups);
            assert!(!top.exists());
        }
    }

    /// The guardian does it too, in both versions, for processes that show nothing of whose they are.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_guardian_ends_and_removes_groups() {
        for (own, kind) in hierarchy::own() {
            let mark = format!("guarded-{}-{kind:?}", std::process::id());
            let (guardian, scratch) = guardian(&mark);
            let Ok(groups) = Groups::make(&own, kind, &mark, &guardian) else {
                println!("not run: no group in {}", own.display());
                continue;
            };
            let path = scratch.path().join("engine");
            fs::create_dir(&path).unwrap();
            let group = groups.group("i1", None).unwrap();
            let script = "setsid sh -c 'sleep 600 & sleep 600' </dev/null & sleep 600 & wait";
            let mut child = spawner::tests::shell(script, Some(group.entry().unwrap())).unwrap();
            while group.pids().len() < 5 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let pids = group.pids();
            let mut process = guardian.close().unwrap();
            let ended = tokio::task::spawn_blocking(move || process.wait());
            assert_eq!(child.wait().await, crate::Exit::Signal(9), "{kind:?}");
            ended.await.unwrap().unwrap();
            assert!(!groups.path().exists(), "{kind:?}");
            assert!(!path.exists());
            let alive = |pid: &i32| crate::process::tree::row(*pid).is_some_and(|row| !row.zombie);
            assert!(!pids.iter().any(alive), "{kind:?}: {pids:?}");
        }
    }
}
