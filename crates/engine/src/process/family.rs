//! All processes of one instance: how they are found, and how they are ended.
//!
//! In a control group the kernel keeps the list. Without one they are found by what they can't all
//! shed at once: the process group, the mark in the environment, and descent. Orphans are adopted by
//! the instance's first process, so descent holds as long as that one lives; what was ever seen is
//! remembered by number and start time for when it does not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cgroup::Group;
use super::guardian::Guardian;
use super::tree::{self, Row};
use super::{ports, sweep};

/// Looks at the process table until no process that can still fork is left; a bound for those that
/// can't be stopped because they wait inside the kernel.
const LOOKS: usize = 50;

/// The processes of one instance.
pub(crate) struct Family {
    leader: i32,
    mark: String,
    group: Option<Group>,
    guardian: Arc<Guardian>,
    /// Start times by number, of those alive when last looked at. Unused with a control group.
    seen: Mutex<HashMap<i32, u64>>,
    /// Whether the leader has been collected, so that its number may be somebody else's.
    gone: AtomicBool,
}

impl Family {
    pub(crate) fn new(
        leader: i32,
        mark: String,
        group: Option<Group>,
        guardian: Arc<Guardian>,
    ) -> Arc<Self> {
        Arc::new(Self {
            leader,
            mark,
            group,
            guardian,
            seen: Mutex::default(),
            gone: AtomicBool::new(false),
        })
    }

    pub(crate) fn leader(&self) -> i32 {
        self.leader
    }

    /// Whether the leader has ended.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// The members that are alive. `table` is asked for only when the kernel keeps no list.
    pub(crate) fn members<'a>(&self, table: impl FnOnce() -> &'a [Row]) -> Vec<Row> {
        match &self.group {
            Some(group) => group.pids().into_iter().filter_map(tree::row).collect(),
            None => self.look(table()),
        }
    }

    /// Whether one of the members listens on `port`; `None` when that can't be told. Blocks briefly.
    pub(crate) fn listens_on(&self, port: u16) -> Option<bool> {
        let mut table = Vec::new();
        if self.group.is_none() {
            table = tree::table();
        }
        let pids: Vec<i32> = self.members(|| &table).iter().map(|row| row.pid).collect();
        ports::held_by(port, &pids)
    }

    /// Finds the living members in a process table, and remembers them in place of those known before.
    fn look(&self, table: &[Row]) -> Vec<Row> {
        let mut rows = self.gather(table);
        rows.retain(|row| !row.zombie);
        rows
    }

    /// [`Family::look`], with those that have ended and were not collected.
    fn gather(&self, table: &[Row]) -> Vec<Row> {
        let mut seen = self.seen();
        let gone = self.is_gone();
        let rows = tree::descendants(table, |row| {
            (!gone && (row.pid == self.leader || row.group == self.leader))
                || seen.get(&row.pid) == Some(&row.start)
        });
        let living = rows.iter().filter(|row| !row.zombie);
        let now: HashMap<i32, u64> = living.map(|row| (row.pid, row.start)).collect();
        if *seen != now {
            *seen = now;
            self.guardian.remember(self.leader, &seen);
        }
        rows
    }

    /// Asks the members to end. What they do about it in time is up to them.
    pub(crate) fn terminate(&self) {
        if self.is_gone() {
            return;
        }
        if self.group.is_none() {
            // The leader may go at once, and its children's descent with it.
            self.look(&tree::table());
        }
        sweep::terminate_group(self.leader);
    }

    /// Kills the members, before their leader has been collected.
    pub(crate) fn kill(&self) {
        if self.is_gone() {
            return;
        }
        match &self.group {
            Some(group) => group.kill(),
            None => self.kill_by_descent(),
        }
        // At once and whatever happened above: the code stops here.
        sweep::kill_group(self.leader);
    }

    /// Stops the members so that they can't fork on, from the leader down until no new one comes up,
    /// and kills them.
    fn kill_by_descent(&self) {
        sweep::stop_group(self.leader);
        let mut found = Vec::new();
        let mut known: Vec<i32> = Vec::new();
        for _ in 0..LOOKS {
            found = self.gather(&tree::table());
            let running = found.iter().filter(|row| !row.stopped && !row.zombie);
            let all_stopped = running.clone().next().is_none();
            let pids = found.iter().map(|row| row.pid).collect();
            // One that forked and ended while the table was read hides its child in that look; in the
            // next it shows itself, as the stopped leader has adopted it and collects nobody.
            if all_stopped && pids == known {
                break;
            }
            known = pids;
            running.for_each(|row| sweep::stop_one(row.pid));
            std::thread::sleep(Duration::from_micros(500));
        }
        let living = found.iter().filter(|row| !row.zombie);
        living.for_each(|row| sweep::kill_one(row.pid));
    }

    /// Says that the leader has ended and was collected; whether the kernel killed for want of memory.
    pub(crate) fn leader_ended(&self) -> bool {
        // Its children first: they hold its sockets and pipes open.
        sweep::kill_group(self.leader);
        self.gone.store(true, Ordering::Release);
        self.group.as_ref().is_some_and(|group| {
            group.kill();
            group.out_of_memory()
        })
    }

    /// Ends whatever is left after the leader's end. Blocks: run it off the async threads.
    pub(crate) fn finish(&self) {
        match &self.group {
            Some(group) => {
                group.finish();
            }
            None => {
                for _ in 0..LOOKS {
                    let left = self.look(&tree::table());
                    if left.is_empty() {
                        break;
                    }
                    left.iter().for_each(|row| sweep::kill_one(row.pid));
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
        sweep::sweep(&self.mark);
        self.guardian.release(self.leader);
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<i32, u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::process::spawner::tests::shell;

    /// What was seen ends with the family, though its leader is gone and nothing shows whose it was.
    #[tokio::test]
    async fn what_was_seen_is_remembered_after_the_leader() {
        let scratch = tempfile::tempdir().unwrap();
        let mark = format!("unit{}", std::process::id());
        let guardian = Arc::new(Guardian::start(&mark, &scratch.path().join("x")).unwrap());
        let script =
            "(setsid env -i /bin/sh -c 'sleep 600 & exec sleep 601' </dev/null &); sleep 602";
        let mut child = shell(script, None).unwrap();
        let leader = child.pid().unwrap();
        guardian.register(leader).unwrap();
        let family = Family::new(leader, mark, None, Arc::clone(&guardian));
        // The leader, its own child, and two that left the session and were orphaned.
        let apart = |rows: &[Row]| rows.iter().filter(|row| row.group != leader).count() == 2;
        let mut rows = Vec::new();
        while !apart(&rows) || rows.len() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            rows = family.look(&tree::table());
        }
        assert!(rows.iter().any(|row| row.pid == leader));
        sweep::kill_one(leader);
        child.wait().await;
        assert!(!family.leader_ended());
        let alive = |row: &&Row| tree::row(row.pid).is_some_and(|now| !now.zombie);
        assert!(rows.iter().any(|row| alive(&row) && row.group != leader));
        let ending = Arc::clone(&family);
        tokio::task::spawn_blocking(move || ending.finish())
            .await
            .unwrap();
        let left: Vec<_> = rows.iter().filter(alive).collect();
        assert!(left.is_empty(), "{left:?}");
        let mut guardian = guardian.close().unwrap();
        guardian.wait().unwrap();
    }
}
