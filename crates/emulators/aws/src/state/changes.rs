//! What changed since the state was written.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// Tells the keeper that something changed, and others that it is kept.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Whether anything is kept at all.
    keeping: AtomicBool,
    /// The number of the last change.
    latest: AtomicU64,
    changed: Notify,
    hurry: Notify,
    progress: watch::Sender<Progress>,
}

/// How far the keeper is.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// The last change that was tried to be kept.
    tried: u64,
    /// The last change that is kept.
    kept: u64,
}

/// The changes could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the state folder can't be written to; check its permissions and free space")]
pub(crate) struct NotKept;

impl Changes {
    /// Something changed.
    pub(crate) fn note(&self) {
        if self.keeping.load(Ordering::Relaxed) {
            self.latest.fetch_add(1, Ordering::Release);
            self.changed.notify_one();
        }
    }

    /// Waits until all changes so far are kept; at once when nothing is kept. Those who wait at the same
    /// time share one write.
    ///
    /// # Errors
    /// The changes could not be written. They stay in memory, and are tried again.
    pub(crate) async fn kept(&self) -> Result<(), NotKept> {
        if !self.keeping.load(Ordering::Relaxed) {
            return Ok(());
        }
        let wanted = self.latest.load(Ordering::Acquire);
        let mut progress = self.progress.subscribe();
        if progress.borrow().kept >= wanted {
            return Ok(());
        }
        self.hurry.notify_one();
        let reached = progress
            .wait_for(|progress| progress.tried >= wanted)
            .await
            .map_err(|_| NotKept)?;
        if reached.kept >= wanted {
            Ok(())
        } else {
            Err(NotKept)
        }
    }

    /// From now on, changes are to be kept.
    pub(super) fn begin(&self) {
        self.keeping.store(true, Ordering::Relaxed);
    }

    /// Nothing is kept any more: nobody waits.
    pub(super) fn end(&self) {
        self.keeping.store(false, Ordering::Relaxed);
        self.tried(self.latest(), true);
    }

    /// The number of the last change.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Waits for a change, then up to `pause` for more unless somebody waits for it.
    pub(super) async fn wait(&self, pause: Duration) {
        self.changed.notified().await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.hurry.notified() => {}
        }
    }

    /// Up to this change was tried, and `kept` or not.
    pub(super) fn tried(&self, change: u64, kept: bool) {
        self.progress.send_modify(|progress| {
            progress.tried = change;
            if kept {
                progress.kept = change;
            }
        });
        if !kept {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_when_nothing_is_kept() {
        let changes = Changes::default();
        changes.note();
        assert_eq!(changes.kept().await, Ok(()));
    }

    #[tokio::test]
    async fn who_waits_hurries_the_writer_and_hears_of_failure() {
        let changes = Changes::default();
        changes.begin();
        changes.note();
        let writer = async {
            // An hour, unless somebody is in a hurry.
            changes.wait(Duration::from_secs(3600)).await;
            changes.tried(changes.latest(), false);
        };
        let (kept, ()) = tokio::join!(changes.kept(), writer);
        assert_eq!(kept, Err(NotKept));
        let writer = async {
            changes.wait(Duration::from_secs(3600)).await;
            changes.tried(changes.latest(), true);
        };
        changes.note();
        let (kept, ()) = tokio::join!(changes.kept(), writer);
        assert_eq!(kept, Ok(()));
        assert_eq!(changes.kept().await, Ok(()), "nothing new");
    }
}
