//! How far a version is: created, updated, idle or failed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::state::Blobs;

use super::ids;
use super::version::VersionConfig;

/// A version's state in the API's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Pending,
    Active,
    Inactive,
    Failed,
}

impl State {
    /// As the API shows it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Failed => "Failed",
        }
    }
}

/// What is under way with a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// It is being created or published.
    Creating,
    /// It was idle and is being made ready again.
    Restoring,
    /// Code or settings are being updated; until then this is what runs.
    Updating { serving: Arc<VersionConfig> },
}

/// Why a change failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// For people.
    pub(crate) reason: String,
    /// One of the model's codes, such as `InternalError`.
    pub(crate) code: String,
}

/// A change and when it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnderWay {
    change: Change,
    ends: SystemTime,
    /// How it ends; well, without one.
    failure: Option<Failure>,
}

/// How a version's last change ended, where it did not end well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Failed {
    /// It never became ready.
    State(Failure),
    /// An update failed, and this still runs.
    Update(Failure, Arc<VersionConfig>),
}

/// A version and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// What it is, or what it will be when the change under way ends.
    pub(crate) config: Arc<VersionConfig>,
    /// Changes with everything that changes about it.
    pub(crate) revision: String,
    under_way: Option<UnderWay>,
    failed: Option<Failed>,
    /// When it was made ready or invoked last.
    pub(crate) used: SystemTime,
    /// It has been idle for so long that it must be made ready again.
    idle: bool,
}

impl Version {
    /// A version that will be ready `after` now, or will have failed.
    pub(crate) fn new(
        config: VersionConfig,
        now: SystemTime,
        after: Duration,
        failure: Option<Failure>,
    ) -> Self {
        let mut version = Self {
            config: Arc::new(config),
            revision: ids::uuid(),
            under_way: None,
            failed: None,
            used: now,
            idle: false,
        };
        version.begin(Change::Creating, now, after, failure);
        version
    }

    /// Finds the archives of all that it may run again, after it was kept; false if one is gone.
    pub(crate) fn find_code(&mut self, blobs: &Blobs) -> bool {
        let mut configs = vec![&mut self.config];
        if let Some(UnderWay {
            change: Change::Updating { serving },
            ..
        }) = &mut self.under_way
        {
            configs.push(serving);
        }
        if let Some(Failed::Update(_, serving)) = &mut self.failed {
            configs.push(serving);
        }
        configs
            .into_iter()
            .all(|config| Arc::make_mut(config).code.find(blobs))
    }

    /// Lets what is over be over. A transition changes the revision, as on AWS: after waiting for it
    /// clients must read the revision again.
    pub(crate) fn settle(&mut self, now: SystemTime, idle_after: Option<Duration>) {
        if let Some(over) = self.under_way.take_if(|change| change.ends <= now) {
            self.used = self.used.max(over.ends);
            self.touch();
            self.end(over);
        }
        let since = now.duration_since(self.used).unwrap_or_default();
        if self.under_way.is_none() && idle_after.is_some_and(|after| since >= after) {
            self.idle = true;
        }
    }

    fn end(&mut self, over: UnderWay) {
        self.failed = over.failure.map(|failure| match over.change {
            Change::Creating | Change::Restoring => Failed::State(failure),
            Change::Updating { serving } => Failed::Update(failure, serving),
        });
    }

    /// Begins a change that ends `after` now; at once when that is no time at all.
    pub(crate) fn begin(
        &mut self,
        change: Change,
        now: SystemTime,
        after: Duration,
        failure: Option<Failure>,
    ) {
        self.idle = false;
        self.used = now;
        let change = UnderWay {
            change,
            ends: now + after,
            failure,
        };
        if after.is_zero() {
            self.end(change);
        } else {
            self.under_way = Some(change);
        }
    }

    /// Takes new code or settings that will run `after` now.
    pub(crate) fn update(
        &mut self,
        config: VersionConfig,
        now: SystemTime,
        after: Duration,
        failure: Option<Failure>,
    ) {
        let serving = Arc::clone(self.serving());
        self.config = Arc::new(config);
        self.touch();
        self.begin(Change::Updating { serving }, now, after, failure);
    }

    /// Something about it changed.
    pub(crate) fn touch(&mut self) {
        self.revision = ids::uuid();
    }

    /// Its state.
    pub(crate) fn state(&self) -> State {
        match self.change() {
            Some(Change::Creating | Change::Restoring) => State::Pending,
            _ if matches!(self.failed, Some(Failed::State(_))) => State::Failed,
            _ if self.idle => State::Inactive,
            _ => State::Active,
        }
    }

    /// Why it is in its state: a sentence and a code.
    pub(crate) fn state_reason(&self) -> Option<(&str, &str)> {
        match (self.change(), &self.failed) {
            (Some(Change::Creating), _) => Some(("The function is being created.", "Creating")),
            (Some(Change::Restoring), _) => Some(("The function is being restored.", "Restoring")),
            (_, Some(Failed::State(failure))) => Some((&failure.reason, &failure.code)),
            _ if self.idle => Some(("The function is idle.", "Idle")),
            _ => None,
        }
    }

    /// How its last update is getting on: the status and, if it failed, a sentence and a code. `None`
    /// while it is being created.
    pub(crate) fn update_status(&self) -> Option<(&'static str, Option<(&str, &str)>)> {
        match (self.change(), &self.failed) {
            (Some(Change::Creating), _) | (None, Some(Failed::State(_))) => None,
            (Some(Change::Updating { .. }), _) => Some(("InProgress", None)),
            (_, Some(Failed::Update(failure, _))) => {
                Some(("Failed", Some((&failure.reason, &failure.code))))
            }
            _ => Some(("Successful", None)),
        }
    }

    /// Whether an update is under way.
    pub(crate) fn is_updating(&self) -> bool {
        matches!(self.change(), Some(Change::Updating { .. }))
    }

    /// What an invocation runs now.
    pub(crate) fn serving(&self) -> &Arc<VersionConfig> {
        match (self.change(), &self.failed) {
            (Some(Change::Updating { serving }), _) | (_, Some(Failed::Update(_, serving))) => {
                serving
            }
            _ => &self.config,
        }
    }

    fn change(&self) -> Option<&Change> {
        self.under_way.as_ref().map(|under_way| &under_way.change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::version::tests::config;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_version_becomes_active_in_time_and_changes_its_revision() {
        let start = SystemTime::UNIX_EPOCH;
        let mut version = Version::new(config(), start, SECOND, None);
        let revision = version.revision.clone();
        version.settle(start + SECOND / 2, None);
        assert_eq!(
            (version.state(), &version.revision),
            (State::Pending, &revision)
        );
        version.settle(start + SECOND, None);
        assert_eq!(version.state(), State::Active);
        assert_ne!(version.revision, revision);
    }

    #[test]
    fn the_old_config_serves_while_an_update_is_under_way() {
        let start = SystemTime::UNIX_EPOCH;
        let mut version = Version::new(config(), start, Duration::ZERO, None);
        let old = Arc::clone(&version.config);
        let mut settings = old.settings.clone();
        settings.timeout = 9;
        version.update(
            old.changed(old.code.clone(), settings, start),
            start,
            SECOND,
            None,
        );
        assert!(version.is_updating());
        assert_eq!(version.state(), State::Active);
        assert_eq!(version.serving(), &old);
        version.settle(start + SECOND, None);
        assert_eq!(version.serving().settings.timeout, 9);
    }

    #[test]
    fn a_failed_update_leaves_the_old_config_serving() {
        let start = SystemTime::UNIX_EPOCH;
        let mut version = Version::new(config(), start, Duration::ZERO, None);
        let old = Arc::clone(&version.config);
        let failure = Failure {
            reason: "no".to_owned(),
            code: "InternalError".to_owned(),
        };
        let next = old.changed(old.code.clone(), old.settings.clone(), start);
        version.update(next, start, SECOND, Some(failure));
        version.settle(start + SECOND, None);
        assert_eq!(version.state(), State::Active);
        assert_eq!(
            version.update_status(),
            Some(("Failed", Some(("no", "InternalError"))))
        );
        assert_eq!(version.serving(), &old);
    }

    #[test]
    fn an_idle_version_becomes_inactive() {
        let start = SystemTime::UNIX_EPOCH;
        let mut version = Version::new(config(), start, Duration::ZERO, None);
        version.settle(start + SECOND, Some(2 * SECOND));
        assert_eq!(version.state(), State::Active);
        version.settle(start + 2 * SECOND, Some(2 * SECOND));
        assert_eq!(version.state(), State::Inactive);
    }
}
