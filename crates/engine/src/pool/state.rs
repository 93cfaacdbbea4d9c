//! Which instances there are, which have a slot free, and who waits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::flight::Lease;
use crate::error::{InvokeError, StartFailure, StartFailureKind};
use crate::instance::Instance;
use crate::spec::{Overload, PoolSpec, PoolStats};

type Granted = Result<Lease, InvokeError>;

pub(crate) struct State {
    spec: Arc<PoolSpec>,
    members: HashMap<u64, Member>,
    /// Instances with a slot free; the last one was used last and is used next.
    free: Vec<u64>,
    waiters: VecDeque<oneshot::Sender<Granted>>,
    quiet: Vec<oneshot::Sender<()>>,
    pub(crate) starting: usize,
    pub(crate) backoff: Backoff,
    pub(crate) closed: bool,
    /// Whether a task will look at the waiting calls again soon.
    pub(crate) looking: bool,
}

struct Member {
    instance: Arc<Instance>,
    in_use: usize,
    last_used: Instant,
    /// It gets no more calls and is stopped after its last one.
    retired: bool,
}

/// What becomes of a call that asks for an instance.
pub(crate) enum Admission {
    Free(Arc<Instance>),
    Wait(oneshot::Receiver<Granted>),
}

/// What waiting calls need.
pub(crate) struct Wanted {
    pub(crate) start: usize,
    pub(crate) look_again: bool,
}

impl State {
    pub(crate) fn new(spec: Arc<PoolSpec>) -> Self {
        Self {
            spec,
            members: HashMap::new(),
            free: Vec::new(),
            waiters: VecDeque::new(),
            quiet: Vec::new(),
            starting: 0,
            backoff: Backoff::default(),
            closed: false,
            looking: false,
        }
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let members = self.members.values();
        PoolStats {
            instances: self.members.len(),
            idle: members.clone().filter(|member| member.in_use == 0).count(),
            starting: self.starting,
            in_flight: members.map(|member| member.in_use).sum(),
            waiting: self
                .waiters
                .iter()
                .filter(|waiter| !waiter.is_closed())
                .count(),
        }
    }

    /// How many instances are missing to `count`, within the maximum. Those that are only kept until
    /// their last call has ended don't count: they serve nobody else.
    pub(crate) fn missing(&self, count: usize) -> usize {
        let serving = self
            .members
            .values()
            .filter(|member| !member.retired)
            .count();
        count
            .min(self.spec.max_instances)
            .saturating_sub(serving + self.starting)
    }

    /// Finds an instance for a call, or its place in the queue.
    pub(crate) fn admit(&mut self) -> Result<Admission, InvokeError> {
        if self.closed {
            return Err(InvokeError::Shutdown {
                may_have_run: false,
            });
        }
        if let Some(instance) = self.take_free() {
            return Ok(Admission::Free(instance));
        }
        self.waiters.retain(|waiter| !waiter.is_closed());
        let blocked = self.backoff.blocked(Instant::now());
        if let Some(failure) = &blocked
            && self.members.is_empty()
            && self.starting == 0
        {
            return Err(InvokeError::StartFailed(Box::new(failure.clone())));
        }
        let may_start = if blocked.is_some() {
            0
        } else {
            self.missing(usize::MAX)
        };
        let soon = (may_start + self.starting) * self.spec.slots() + self.returning().count();
        let queue = match self.spec.overload {
            Overload::Reject => 0,
            Overload::Queue { limit } => limit,
        };
        if self.waiters.len() >= soon.saturating_add(queue) {
            return Err(InvokeError::Overloaded {
                max_instances: self.spec.max_instances,
            });
        }
        let (grant, waiting) = oneshot::channel();
        self.waiters.push_back(grant);
        Ok(Admission::Wait(waiting))
    }

    /// Instances that have answered and not yet asked for more work, by when they answered.
    fn returning(&self) -> impl Iterator<Item = Instant> + '_ {
        self.members
            .values()
            .filter(|member| member.in_use > 0 && !member.retired)
            .filter_map(|member| member.instance.wire.returning_since())
    }

    /// Whether another instance would serve nobody: the pool takes no new calls and none waits. A pool
    /// that is being drained still starts instances for calls that came before.
    pub(crate) fn is_over(&mut self) -> bool {
        self.waiters.retain(|waiter| !waiter.is_closed());
        self.closed && self.waiters.is_empty()
    }

    /// How many instances to start for the calls that wait.
    pub(crate) fn wanted(&mut self, grace: Duration) -> Wanted {
        self.waiters.retain(|waiter| !waiter.is_closed());
        let now = Instant::now();
        let returning = self
            .returning()
            .filter(|&since| since + grace > now)
            .count();
        let waiting = self
            .waiters
            .len()
            .saturating_sub(self.starting * self.spec.slots());
        let start = if self.backoff.blocked(now).is_some() {
            0
        } else {
            let short = waiting.saturating_sub(returning);
            short
                .div_ceil(self.spec.slots())
                .min(self.missing(usize::MAX))
        };
        Wanted {
            start,
            look_again: waiting > 0 && returning > 0,
        }
    }

    fn take_free(&mut self) -> Option<Arc<Instance>> {
        while let Some(&number) = self.free.last() {
            let Some(member) = self.members.get_mut(&number) else {
                self.free.pop();
                continue;
            };
            member.in_use += 1;
            member.instance.wire.leased();
            if member.in_use >= self.spec.slots() {
                self.free.pop();
            }
            return Some(Arc::clone(&member.instance));
        }
        None
    }

    /// Adds an instance that got ready.
    pub(crate) fn insert(&mut self, instance: Arc<Instance>) {
        // It may have ended in the meantime; its end was then told before it was a member.
        if instance.has_ended() {
            return;
        }
        let number = instance.number;
        self.members.insert(
            number,
            Member {
                instance,
                in_use: 0,
                last_used: Instant::now(),
                retired: false,
            },
        );
        self.free.push(number);
        self.serve();
    }

    /// Gives free slots to those who wait.
    fn serve(&mut self) {
        while !self.waiters.is_empty() {
            let Some(instance) = self.take_free() else {
                return;
            };
            let mut lease = Lease::new(instance);
            loop {
                let Some(waiter) = self.waiters.pop_front() else {
                    // Nobody was left: the slot is given back by hand, as the state is locked.
                    let instance = lease.disarm();
                    self.give_back(instance.number);
                    return;
                };
                match waiter.send(Ok(lease)) {
                    Ok(()) => break,
                    Err(Ok(back)) => lease = back,
                    Err(Err(_)) => return,
                }
            }
        }
    }

    fn give_back(&mut self, number: u64) -> bool {
        let Some(member) = self.members.get_mut(&number) else {
            return false;
        };
        member.in_use = member.in_use.saturating_sub(1);
        member.last_used = Instant::now();
        if member.retired {
            return member.in_use == 0;
        }
        if !self.free.contains(&number) {
            self.free.push(number);
        }
        false
    }

    /// Gives a slot back; true when the instance is to be stopped.
    pub(crate) fn release(&mut self, instance: &Instance) -> bool {
        let doomed = self.give_back(instance.number);
        if doomed {
            self.remove(instance.number);
        } else {
            self.serve();
        }
        self.hush();
        doomed
    }

    /// Forgets an instance.
    pub(crate) fn remove(&mut self, number: u64) {
        self.members.remove(&number);
        self.free.retain(|&other| other != number);
        self.hush();
    }

    /// Gives an instance no more calls; true when it is to be killed at once, because only the call that asks is on it.
    ///
    /// A call asks once for its caller and once for its wire. By the second time its slot may be free and the one in use another
    /// call's, which then ends the instance by giving its slot back.
    pub(crate) fn retire(&mut self, number: u64) -> bool {
        self.free.retain(|&other| other != number);
        match self.members.get_mut(&number) {
            Some(member) => {
                let first = !std::mem::replace(&mut member.retired, true);
                first && member.in_use <= 1
            }
            None => true,
        }
    }

    /// Tells waiting calls that an instance did not come up.
    pub(crate) fn failed(&mut self, failure: &StartFailure) {
        self.backoff.failed(failure, Instant::now());
        let error = || match failure.kind {
            StartFailureKind::Closed => InvokeError::Shutdown {
                may_have_run: false,
            },
            _ => InvokeError::StartFailed(Box::new(failure.clone())),
        };
        let hopeless = self.members.is_empty() && self.starting == 0;
        let told = if hopeless {
            self.waiters.len()
        } else {
            self.spec.slots()
        };
        for _ in 0..told {
            // A waiter that has gone needs no answer, and the next one is told instead.
            while let Some(waiter) = self.waiters.pop_front() {
                if waiter.send(Err(error())).is_ok() {
                    break;
                }
            }
        }
    }

    /// Takes out instances that have been idle for long, those unused longest first.
    pub(crate) fn take_idle(&mut self) -> Vec<Arc<Instance>> {
        let now = Instant::now();
        let spare = self.members.len().saturating_sub(self.spec.min_instances);
        let idle: Vec<u64> = self
            .free
            .iter()
            .copied()
            .filter(|number| {
                self.members.get(number).is_some_and(|member| {
                    member.in_use == 0 && member.last_used + self.spec.idle_after <= now
                })
            })
            .take(spare)
            .collect();
        self.free.retain(|number| !idle.contains(number));
        idle.iter()
            .filter_map(|number| self.members.remove(number))
            .map(|member| member.instance)
            .collect()
    }

    /// Instances that answered and did not ask for more work within their call's time limit.
    pub(crate) fn lost(&self) -> Vec<Arc<Instance>> {
        let now = Instant::now();
        self.members
            .values()
            .filter(|member| member.in_use > 0)
            .filter(|member| {
                member
                    .instance
                    .wire
                    .returning_since()
                    .is_some_and(|since| since + self.spec.timeout <= now)
            })
            .map(|member| Arc::clone(&member.instance))
            .collect()
    }

    /// Ends the pool; returns the instances to stop.
    pub(crate) fn close(&mut self) -> Vec<Arc<Instance>> {
        self.closed = true;
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(Err(InvokeError::Shutdown {
                may_have_run: false,
            }));
        }
        self.free.clear();
        self.quiet.clear();
        self.members
            .drain()
            .map(|(_, member)| member.instance)
            .collect()
    }

    /// Something to await until no call is in flight or waiting; `None` if that is so now.
    pub(crate) fn quiet(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.is_quiet() {
            return None;
        }
        let (tell, quiet) = oneshot::channel();
        self.quiet.push(tell);
        Some(quiet)
    }

    fn is_quiet(&self) -> bool {
        self.waiters.iter().all(oneshot::Sender::is_closed)
            && self.members.values().all(|member| member.in_use == 0)
    }

    /// Tells those who wait for quiet, if it is.
    pub(crate) fn hush(&mut self) {
        if !self.quiet.is_empty() && self.is_quiet() {
            for tell in self.quiet.drain(..) {
                let _ = tell.send(());
            }
        }
    }
}
