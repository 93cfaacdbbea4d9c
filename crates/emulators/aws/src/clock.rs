//! Time as the cloud sees it: real, moved by hand, or jumping ahead of whoever waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

/// Drives states, retries, visibility timeouts, rate limits and expiry. Signatures and the run time of
/// functions use the machine's clock. Clones share the time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    System,
    Virtual(Virtual),
}

#[derive(Debug)]
struct Virtual {
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug)]
struct State {
    base: Base,
    /// Deadlines that are slept for, with one entry per sleeper.
    sleepers: Vec<(SystemTime, u64)>,
    next: u64,
}

/// What a virtual clock counts from.
#[derive(Debug)]
enum Base {
    /// It stands here.
    Standing(SystemTime),
    /// It is this far ahead of the machine's clock, and eager.
    Real(Duration),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Inner::System))
    }

    /// A clock that stands at `start` until [`Self::advance`] moves it.
    #[must_use]
    pub fn manual(start: SystemTime) -> Self {
        Self::new_virtual(Some(start))
    }

    /// A clock on which nobody waits: it goes with the machine's clock, and jumps ahead to the earliest
    /// deadline that is slept for, in the order of deadlines.
    #[must_use]
    pub fn eager() -> Self {
        Self::new_virtual(None)
    }

    fn new_virtual(start: Option<SystemTime>) -> Self {
        Self(Arc::new(Inner::Virtual(Virtual {
            state: Mutex::new(State {
                base: start.map_or(Base::Real(Duration::ZERO), Base::Standing),
                sleepers: Vec::new(),
                next: 0,
            }),
            moved: Notify::new(),
        })))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        match &*self.0 {
            Inner::System => SystemTime::now(),
            Inner::Virtual(clock) => clock.lock().now(),
        }
    }

    /// Seconds since 1970, with a fraction.
    #[must_use]
    pub fn epoch_seconds(&self) -> f64 {
        self.now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn epoch_millis(&self) -> u64 {
        self.now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            })
    }

    /// Moves a virtual clock forward and wakes whose time has come. The machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Inner::Virtual(clock) = &*self.0 {
            clock.lock().base.add(by);
            clock.moved.notify_waiters();
        }
    }

    /// Waits for this long on this clock.
    pub async fn sleep(&self, duration: Duration) {
        match &*self.0 {
            Inner::System => tokio::time::sleep(duration).await,
            Inner::Virtual(clock) => {
                let deadline = clock.lock().now().checked_add(duration);
                match deadline {
                    Some(deadline) => clock.sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            }
        }
    }

    /// Waits until this clock shows `deadline`.
    pub async fn sleep_until(&self, deadline: SystemTime) {
        match &*self.0 {
            Inner::System => {
                // The machine's clock may be set while it is waited for: look again.
                while let Ok(left) = deadline.duration_since(SystemTime::now()) {
                    if left.is_zero() {
                        break;
                    }
                    tokio::time::sleep(left.min(Duration::from_secs(60))).await;
                }
            }
            Inner::Virtual(clock) => clock.sleep_until(deadline).await,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Virtual {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep_until(&self, deadline: SystemTime) {
        let sleeper = Sleeper::enter(self, deadline);
        // Whoever is about to sleep for less gets its turn first.
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
        let mut moved = std::pin::pin!(self.moved.notified());
        loop {
            moved.as_mut().enable();
            if self.reached(&sleeper) {
                return;
            }
            moved.as_mut().await;
            moved.set(self.moved.notified());
        }
    }

    /// Whether the sleeper's time has come; an eager clock makes it come for the first in line.
    fn reached(&self, sleeper: &Sleeper<'_>) -> bool {
        let mut state = self.lock();
        let now = state.now();
        let Ok(left) = sleeper.deadline.duration_since(now) else {
            return true;
        };
        if left.is_zero() {
            return true;
        }
        let first = state.sleepers.iter().min().copied();
        if matches!(state.base, Base::Real(_)) && first == Some((sleeper.deadline, sleeper.id)) {
            state.base.add(left);
            return true;
        }
        false
    }
}

/// How often a sleeper on an eager clock lets others go first.
const YIELDS: usize = 4;

impl State {
    fn now(&self) -> SystemTime {
        match self.base {
            Base::Standing(now) => now,
            Base::Real(ahead) => SystemTime::now() + ahead,
        }
    }
}

impl Base {
    fn add(&mut self, by: Duration) {
        match self {
            Self::Standing(now) => *now = now.checked_add(by).unwrap_or(*now),
            Self::Real(ahead) => *ahead = ahead.saturating_add(by),
        }
    }
}

/// A place in the line of sleepers, given up on drop.
struct Sleeper<'a> {
    clock: &'a Virtual,
    deadline: SystemTime,
    id: u64,
}

impl<'a> Sleeper<'a> {
    fn enter(clock: &'a Virtual, deadline: SystemTime) -> Self {
        let mut state = clock.lock();
        let id = state.next;
        state.next += 1;
        state.sleepers.push((deadline, id));
        Self {
            clock,
            deadline,
            id,
        }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        state.sleepers.retain(|(_, id)| *id != self.id);
        drop(state);
        // The next in line may be first now.
        self.clock.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn wake_in_order(clock: &Clock, sleeps: [u64; 3]) -> Vec<u64> {
        let woken = Arc::new(Mutex::new(Vec::new()));
        let tasks = sleeps.map(|seconds| {
            let (clock, woken) = (clock.clone(), Arc::clone(&woken));
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                woken.lock().unwrap().push(seconds);
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        woken.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn nobody_waits_on_an_eager_clock_and_the_order_is_kept() {
        let clock = Clock::eager();
        let before = clock.now();
        let sleeps = [86_400, 3_600, 7_200];
        assert_eq!(wake_in_order(&clock, sleeps).await, [3_600, 7_200, 86_400]);
        let passed = clock.now().duration_since(before).unwrap();
        assert!(passed >= Duration::from_secs(86_400));
    }

    #[tokio::test]
    async fn who_gives_up_is_not_waited_for() {
        let clock = Clock::eager();
        let stuck = clock.clone();
        let first = tokio::spawn(async move { stuck.sleep(Duration::from_secs(1)).await });
        first.abort();
        clock.sleep(Duration::from_secs(60)).await;
    }

    #[tokio::test]
    async fn a_manual_clock_stands_until_it_is_moved() {
        let start = SystemTime::UNIX_EPOCH;
        let clock = Clock::manual(start);
        let sleeper = clock.clone();
        let asleep = tokio::spawn(async move {
            sleeper.sleep_until(start + Duration::from_secs(10)).await;
            sleeper.now()
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(9));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(!asleep.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(asleep.await.unwrap(), start + Duration::from_secs(10));
        assert!((clock.epoch_seconds() - 10.0).abs() < f64::EPSILON);
        assert_eq!(clock.epoch_millis(), 10_000);
    }
}
