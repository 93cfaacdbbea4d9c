//! What the system says about processes: Linux's `/proc`.

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::commands::Failure;

/// Resident memory of a process in KB.
pub(super) fn resident_kb(id: u32) -> Result<u64, Failure> {
    kb(&format!("/proc/{id}/status"), "VmRSS:")
}

/// Memory of a process in KB, with what it shares counted in part.
pub(super) fn proportional_kb(id: u32) -> Result<u64, Failure> {
    kb(&format!("/proc/{id}/smaps_rollup"), "Pss:")
}

fn kb(path: &str, field: &str) -> Result<u64, Failure> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let number = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .ok_or_else(|| format!("{path} has no {field}"))?;
    Ok(number.trim().parse()?)
}

/// Processor time that a process has used, in nanoseconds, all threads together.
pub(super) fn busy_ns(id: u32) -> Result<u64, Failure> {
    let mut busy = 0;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let path = thread?.path().join("schedstat");
        let text = fs::read_to_string(&path)?;
        let first = text.split_whitespace().next().unwrap_or_default();
        busy += first.parse::<u64>()?;
    }
    Ok(busy)
}

/// The processes of functions that this process has started.
pub(super) fn functions() -> Result<Vec<u32>, Failure> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Processes come and go while they are looked at.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        // `ID (NAME) STATE PARENT ...`
        let Some((head, tail)) = stat.rsplit_once(')') else {
            continue;
        };
        let parent = tail.split_whitespace().nth(1);
        if head.ends_with("(bootstrap") && parent == Some(&own) {
            found.push(id);
        }
    }
    Ok(found)
}

/// Keeps this process, and what it starts meanwhile, on one processor until dropped.
///
/// Two programs that answer each other cost three times as much on two processors that fall asleep in between as on one; left to the
/// system, which of the two it is differs from side to side.
pub(super) struct OneProcessor(CpuSet);

impl OneProcessor {
    pub(super) fn pin() -> Result<Self, Failure> {
        let before = sched_getaffinity(Pid::from_raw(0))?;
        let mut one = CpuSet::new();
        let first = (0..CpuSet::count()).find(|&cpu| before.is_set(cpu).unwrap_or(false));
        one.set(first.ok_or("no processor to stay on")?)?;
        threads(&one)?;
        Ok(Self(before))
    }
}

impl Drop for OneProcessor {
    fn drop(&mut self) {
        // Best effort: what is measured next is only slower.
        let _ = threads(&self.0);
    }
}

fn threads(set: &CpuSet) -> Result<(), Failure> {
    for thread in fs::read_dir("/proc/self/task")? {
        let id = thread?.file_name().to_string_lossy().parse()?;
        sched_setaffinity(Pid::from_raw(id), set)?;
    }
    Ok(())
}
