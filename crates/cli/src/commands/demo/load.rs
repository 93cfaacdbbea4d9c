//! Callers that do not stop while the function is changed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyport::Target;
use anyport::call::Call;
use anyport::spec::Name;
use tokio::task::JoinSet;

use crate::failure::Failure;

/// How long anything in the demo is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What callers saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Answers, by the version that gave them.
    pub answers: BTreeMap<String, u64>,
    /// The first failures, in words.
    pub failures: Vec<String>,
    pub failed: u64,
}

impl Seen {
    pub(super) fn total(&self) -> u64 {
        self.answers.values().sum()
    }

    pub(super) fn by(&self, version: &str) -> u64 {
        self.answers.get(version).copied().unwrap_or_default()
    }
}

/// Callers at work.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
    callers: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    calls: AtomicU64,
    most: AtomicU64,
}

impl Load {
    /// Starts callers that call one after the other, `most` calls in all.
    pub(super) fn start(target: &Target, name: &Name, callers: usize, most: u64) -> Self {
        let load = Self {
            stop: Arc::default(),
            shared: Arc::new(Shared {
                most: AtomicU64::new(most),
                ..Shared::default()
            }),
            callers: JoinSet::new(),
        };
        let mut load = load;
        for _ in 0..callers {
            let (target, name) = (target.clone(), name.clone());
            let (stop, shared) = (Arc::clone(&load.stop), Arc::clone(&load.shared));
            load.callers.spawn(async move {
                while !stop.load(Ordering::Relaxed) && shared.take() {
                    let reply = target
                        .invoke(Call::new(name.clone(), r#"{"name":"Ada"}"#))
                        .await;
                    shared.count(
                        reply.map(|reply| {
                            reply.version.map(|id| id.to_string()).unwrap_or_default()
                        }),
                    );
                }
            });
        }
        load
    }

    /// Waits until this many calls were answered by any of the versions, or by all if none is named.
    pub(super) async fn until(&self, answered: u64, by: Option<&str>) -> Result<(), Failure> {
        let enough = async {
            loop {
                let seen = {
                    let seen = self
                        .shared
                        .seen
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    by.map_or_else(|| seen.total(), |version| seen.by(version)) + seen.failed
                };
                if seen >= answered {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.map_err(|_| {
            Failure::new(
                "demo",
                "the demo did not go as said: the callers got no answers",
            )
        })
    }

    /// Stops the callers after the call each has under way.
    pub(super) async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.finish().await
    }

    /// Waits until every call was made.
    pub(super) async fn finish(mut self) -> Seen {
        while self.callers.join_next().await.is_some() {}
        std::mem::take(
            &mut *self
                .shared
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Shared {
    fn take(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) < self.most.load(Ordering::Relaxed)
    }

    fn count(&self, reply: anyport::Result<String>) {
        const KEPT: usize = 3;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match reply {
            Ok(version) => *seen.answers.entry(version).or_default() += 1,
            Err(error) => {
                seen.failed += 1;
                if seen.failures.len() < KEPT {
                    seen.failures.push(error.to_string());
                }
            }
        }
    }
}
