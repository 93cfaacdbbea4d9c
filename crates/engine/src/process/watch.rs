//! Watching process trees: one thread per engine samples their resident size, and in passing lets
//! families without a control group remember their members.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::family::Family;
use super::tree::{self, Row};

/// How often an instance that works is sampled.
const TICK: Duration = Duration::from_millis(25);
/// How often the process table is read for children, while anything works or has just worked.
const CHILDREN: Duration = Duration::from_millis(250);
/// How often idle instances are sampled.
const IDLE: Duration = Duration::from_secs(2);

/// The memory of one process tree.
pub(crate) struct Memory {
    family: Arc<Family>,
    limit: u64,
    peak: AtomicU64,
    exceeded: AtomicBool,
    working: AtomicBool,
    /// Whether it worked since its tree was last sampled.
    worked: AtomicBool,
}

impl Memory {
    pub(crate) fn new(family: Arc<Family>, limit: u64) -> Arc<Self> {
        Arc::new(Self {
            family,
            limit,
            peak: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
            working: AtomicBool::new(true),
            worked: AtomicBool::new(true),
        })
    }

    /// The largest size seen, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Whether the tree was killed for its size.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Acquire)
    }

    /// Says that somebody else (the kernel, by control group) killed the tree for its size.
    pub(crate) fn set_exceeded(&self) {
        self.exceeded.store(true, Ordering::Release);
    }

    /// Sets whether the instance works on a call: idle ones are looked at less often.
    pub(crate) fn set_working(&self, working: bool) {
        self.working.store(working, Ordering::Relaxed);
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Samples the leader alone.
    pub(crate) fn sample_leader(&self) {
        if !self.family.is_gone()
            && let Some(row) = tree::row(self.family.leader())
        {
            self.note(row.resident, || row.resident);
        }
    }

    /// Samples the whole tree.
    fn sample_tree<'a>(&self, table: impl FnOnce() -> &'a [Row]) {
        self.worked.store(false, Ordering::Relaxed);
        let members = self.family.members(table);
        let resident = members.iter().map(|row| row.resident).sum();
        self.note(resident, || {
            if members.len() == 1 {
                return resident;
            }
            // Pages that forked processes share count once per process in the resident size.
            members
                .iter()
                .map(|row| tree::proportional(row.pid).unwrap_or(row.resident))
                .sum()
        });
    }

    /// Whether it is to be looked at more often than an idle one.
    fn is_busy(&self) -> bool {
        self.working.load(Ordering::Relaxed) || self.worked.load(Ordering::Relaxed)
    }

    fn note(&self, resident: u64, exact: impl FnOnce() -> u64) {
        let size = if resident > self.limit {
            exact()
        } else {
            resident
        };
        self.peak.fetch_max(size, Ordering::Relaxed);
        if size > self.limit && !self.family.is_gone() {
            self.set_exceeded();
            self.family.kill();
        }
    }
}

/// The thread's handle; the thread ends when it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: Vec<Weak<Memory>>,
    closed: bool,
}

impl Watch {
    pub(crate) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("anyport-memory".to_owned())
            .spawn(move || run(&theirs))?;
        Ok(Self { shared })
    }

    /// Watches a process tree until its [`Memory`] is dropped.
    pub(crate) fn add(&self, memory: &Arc<Memory>) {
        let mut state = self.shared.lock();
        state.watched.push(Arc::downgrade(memory));
        self.shared.changed.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(shared: &Shared) {
    let mut last_tree = Instant::now();
    let mut last_idle = Instant::now();
    loop {
        let watched: Vec<Arc<Memory>> = {
            let mut state = shared.lock();
            while state.watched.is_empty() && !state.closed {
                state = shared
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                return;
            }
            state.watched.retain(|memory| memory.strong_count() > 0);
            state.watched.iter().filter_map(Weak::upgrade).collect()
        };
        let idle_too = last_idle.elapsed() >= IDLE;
        let due: Vec<&Arc<Memory>> = watched
            .iter()
            .filter(|memory| idle_too || memory.is_busy())
            .filter(|memory| !memory.family.is_gone())
            .collect();
        if idle_too {
            last_idle = Instant::now();
        }
        if !due.is_empty() && (idle_too || last_tree.elapsed() >= CHILDREN) {
            let table = OnceCell::new();
            due.iter()
                .for_each(|memory| memory.sample_tree(|| table.get_or_init(tree::table)));
            last_tree = Instant::now();
        } else {
            due.iter().for_each(|memory| memory.sample_leader());
        }
        drop(watched);
        thread::sleep(TICK);
    }
}
