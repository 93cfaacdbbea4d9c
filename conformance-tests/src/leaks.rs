//! What is left behind in the suite's own process: tasks, descriptors, child processes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long what is on its way out may take.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Descriptors and child processes at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    descriptors: usize,
    children: BTreeSet<u32>,
}

impl Snapshot {
    /// Takes one. Where the system does not show them, both count as none.
    #[must_use]
    pub fn take() -> Self {
        Self {
            descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            children: descendants(std::process::id()),
        }
    }

    /// Waits until nothing is there that was not before.
    ///
    /// # Errors
    /// What is still there after a while, in words.
    pub fn returns(&self) -> Result<(), String> {
        let started = Instant::now();
        while let Some(left) = self.left() {
            if started.elapsed() > PATIENCE {
                return Err(left);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn left(&self) -> Option<String> {
        let now = Self::take();
        let children: Vec<u32> = now.children.difference(&self.children).copied().collect();
        if !children.is_empty() {
            return Some(format!("left running: {}", programs(&children)));
        }
        (now.descriptors > self.descriptors).then(|| {
            format!(
                "left open: {} more descriptors than before ({})",
                now.descriptors - self.descriptors,
                open_files()
            )
        })
    }
}

/// How many tasks, descriptors and child processes there are: for what may be replaced by another of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    tasks: usize,
    descriptors: usize,
    children: usize,
}

impl Counts {
    /// Counts what is there in this process and in the current runtime.
    #[must_use]
    pub fn take() -> Self {
        let now = Snapshot::take();
        Self {
            tasks: tasks(),
            descriptors: now.descriptors,
            children: now.children.len(),
        }
    }

    /// Counts once the numbers have stopped falling.
    pub async fn settled() -> Self {
        const STEADY: u32 = 10;
        let mut last = Self::take();
        let mut same = 0;
        while same < STEADY {
            tokio::time::sleep(PAUSE).await;
            let now = Self::take();
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
        last
    }

    /// The same, and a task and a descriptor for each of so many pooled connections.
    #[must_use]
    pub const fn with_pooled(mut self, connections: usize) -> Self {
        self.tasks += connections;
        self.descriptors += connections;
        self
    }

    /// Waits until there is no more of anything than was counted.
    ///
    /// # Errors
    /// What there is more of after a while, in words.
    pub async fn return_soon(&self) -> Result<(), String> {
        let started = Instant::now();
        loop {
            let now = Self::take();
            let more = [
                ("tasks", self.tasks, now.tasks),
                ("descriptors", self.descriptors, now.descriptors),
                ("child processes", self.children, now.children),
            ]
            .into_iter()
            .find(|(_, before, after)| after > before);
            let Some((what, before, after)) = more else {
                return Ok(());
            };
            if started.elapsed() > PATIENCE {
                return Err(format!("{what} rose from {before} to {after}"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Waits until no task is left in the current runtime but the caller's own.
///
/// # Errors
/// How many are left after a while, in words.
pub async fn no_tasks() -> Result<(), String> {
    let started = Instant::now();
    while tasks() > 0 {
        if started.elapsed() > PATIENCE {
            return Err(format!("left behind: {} tasks", tasks()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

fn descendants(of: u32) -> BTreeSet<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // The program's name stands in parentheses and may itself hold some; state and parent follow the last one.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = rest.split_whitespace();
        let state = fields.next();
        let parent = fields.next().and_then(|field| field.parse::<u32>().ok());
        if let (Some(state), Some(parent)) = (state, parent)
            && state != "Z"
        {
            parents.push((pid, parent));
        }
    }
    let mut found = BTreeSet::new();
    let mut open = vec![of];
    while let Some(parent) = open.pop() {
        for (pid, _) in parents.iter().filter(|(_, of)| *of == parent) {
            if found.insert(*pid) {
                open.push(*pid);
            }
        }
    }
    found
}

fn programs(pids: &[u32]) -> String {
    let names: Vec<String> = pids
        .iter()
        .map(|pid| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("process {pid} ({})", name.trim())
        })
        .collect();
    names.join(", ")
}

fn open_files() -> String {
    let mut files: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|path| path.display().to_string())
        .collect();
    files.sort();
    files.join(", ")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_seen_until_it_ends() {
        let before = Snapshot::take();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let seen = descendants(std::process::id()).contains(&child.id());
        let left = before.left();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen && left.unwrap().contains("process"));
        assert!(!descendants(std::process::id()).contains(&child.id()));
    }

    #[tokio::test]
    async fn a_task_is_counted_until_it_ends() {
        let before = Counts::take();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(ended);
        assert_eq!(Counts::take().tasks, before.tasks + 1);
        end.send(()).unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(before.return_soon().await, Ok(()));
    }
}
