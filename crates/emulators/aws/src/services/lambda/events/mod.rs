//! Events that wait for their function, their retries and where they end.
//!
//! Source: Lambda developer guide, asynchronous invocation: errors of the function are retried after one
//! and after two minutes, throttles and errors of the service after one second, then twice as long each
//! time up to five minutes, for as long as the event may wait.

mod deliver;
mod queue;
mod record;
mod send;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::invoke::Trace;
use super::names::Target;
use crate::answer::ApiError;
use crate::call::Service;
use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::config::Config;
use queue::{Event, Queue};

/// The queue of asynchronous invocations.
#[derive(Debug)]
pub(crate) struct Events {
    queue: Arc<Mutex<Queue>>,
    wake: Arc<Notify>,
    dispatcher: Mutex<Option<JoinHandle<()>>>,
}

impl Events {
    /// None yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self {
            queue: Arc::default(),
            wake: Arc::default(),
            dispatcher: Mutex::default(),
        }
    }

    /// Starts to deliver.
    pub(crate) fn start(&self, cloud: &Arc<Cloud>) {
        let dispatcher = Dispatcher {
            cloud: Arc::downgrade(cloud),
            clock: cloud.clock.clone(),
            queue: Arc::clone(&self.queue),
            wake: Arc::clone(&self.wake),
            running: JoinSet::new(),
        };
        let task = tokio::spawn(dispatcher.run());
        *self.lock_task() = Some(task);
    }

    /// Ends delivering; what was not delivered stays in the queue, also what was being delivered.
    pub(crate) async fn stop(&self) {
        let task = self.lock_task().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Ends delivering at once.
    pub(crate) fn abort(&self) {
        if let Some(task) = self.lock_task().take() {
            task.abort();
        }
    }

    /// Takes an event for a function. When this returns the event is kept, and is delivered at least
    /// once.
    ///
    /// # Errors
    /// The queue is full or can't be kept: the event was not taken.
    pub(crate) async fn accept(
        &self,
        cloud: &Cloud,
        request: &str,
        target: &Target,
        payload: Bytes,
        trace: &Trace,
    ) -> Result<(), ApiError> {
        let now = cloud.clock.epoch_millis();
        let event = Event::new(request, target.clone(), payload, trace.header(), now);
        let number = lock(&self.queue)
            .push(event)
            .ok_or_else(|| super::run::throttled(super::run::Full::Account))?;
        cloud.changed();
        if let Err(error) = cloud.changes.kept().await {
            lock(&self.queue).remove(number);
            return Err(ApiError::internal(Service::Lambda, error));
        }
        lock(&self.queue).release(number);
        self.wake.notify_one();
        Ok(())
    }

    /// How many events wait or are being delivered.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.queue).len()
    }

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        lock(&self.queue).save()
    }

    /// Takes what was kept.
    pub(crate) fn load(&self, kept: &Value) {
        lock(&self.queue).load(kept);
        self.wake.notify_one();
    }

    fn lock_task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.dispatcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.abort();
    }
}

/// Hands events out when they are due.
struct Dispatcher {
    cloud: Weak<Cloud>,
    clock: Clock,
    queue: Arc<Mutex<Queue>>,
    wake: Arc<Notify>,
    running: JoinSet<()>,
}

impl Dispatcher {
    async fn run(mut self) {
        loop {
            let due = {
                let now = self.clock.epoch_millis();
                lock(&self.queue).take_due(now)
            };
            for (number, event) in due {
                let Some(cloud) = self.cloud.upgrade() else {
                    return;
                };
                let (queue, wake) = (Arc::clone(&self.queue), Arc::clone(&self.wake));
                self.running.spawn(async move {
                    let again = deliver::deliver(&cloud, event).await;
                    lock(&queue).finished(number, again);
                    cloud.changed();
                    wake.notify_one();
                });
            }
            while self.running.try_join_next().is_some() {}
            let next = lock(&self.queue).next_due();
            tokio::select! {
                () = self.wake.notified() => {}
                () = until(&self.clock, next) => {}
            }
        }
    }
}

/// Waits for a time on the clock; for ever where there is none.
async fn until(clock: &Clock, at: Option<u64>) {
    match at {
        Some(at) => {
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at);
            clock.sleep_until(at).await;
        }
        None => std::future::pending().await,
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
