//! Versions: what runs, as it was when it was made.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::state::{Blob, Blobs};

use super::ids;
use super::names;

/// All that decides how a version runs. It never changes: an update makes another one, with another id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionConfig {
    /// Unique among all that ever were: what pools of instances are kept by.
    pub(crate) id: String,
    /// The account.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The function's name.
    pub(crate) function: String,
    /// `$LATEST` or a number.
    pub(crate) version: String,
    /// The deployment package.
    pub(crate) code: Code,
    /// Everything that `UpdateFunctionConfiguration` sets.
    pub(crate) settings: Settings,
    /// When code or settings were last changed.
    pub(crate) modified: SystemTime,
}

impl VersionConfig {
    /// The same with other code or settings, as of `now`.
    pub(crate) fn changed(&self, code: Code, settings: Settings, now: SystemTime) -> Self {
        Self {
            id: ids::uuid(),
            code,
            settings,
            modified: now,
            ..self.clone()
        }
    }

    /// The same as a version of this number.
    pub(crate) fn published(&self, number: u64, description: Option<String>) -> Self {
        let mut published = Self {
            id: ids::uuid(),
            version: number.to_string(),
            ..self.clone()
        };
        if let Some(description) = description {
            published.settings.description = description;
        }
        published
    }

    /// The ARN of the function, without a qualifier.
    pub(crate) fn function_arn(&self) -> String {
        names::function_arn(&self.account, &self.region, &self.function)
    }

    /// The ARN of the version.
    pub(crate) fn arn(&self) -> String {
        format!("{}:{}", self.function_arn(), self.version)
    }
}

/// A deployment package: a zip archive on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    /// SHA-256 of the archive, hexadecimal.
    pub(crate) sha256: String,
    /// Bytes of the archive.
    pub(crate) size: u64,
    /// Bytes of all files in it.
    pub(crate) unpacked: u64,
    /// The archive. `None` only between reading kept state and finding its blobs.
    #[serde(skip)]
    blob: Option<Blob>,
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl Code {
    /// The package in `blob`, whose files hold so many bytes.
    pub(crate) fn new(blob: Blob, unpacked: u64) -> Self {
        Self {
            sha256: blob.sha256(),
            size: blob.size(),
            unpacked,
            blob: Some(blob),
        }
    }

    /// Finds the archive again after it was kept; false if it is gone.
    pub(crate) fn find(&mut self, blobs: &Blobs) -> bool {
        self.blob = blobs.get(&self.sha256, self.size);
        self.blob.is_some()
    }

    /// The archive.
    pub(crate) fn blob(&self) -> Option<&Blob> {
        self.blob.as_ref()
    }

    /// The digest as Lambda shows it.
    pub(crate) fn base64(&self) -> String {
        HEXLOWER
            .decode(self.sha256.as_bytes())
            .map(|digest| BASE64.encode(&digest))
            .unwrap_or_default()
    }
}

/// What `UpdateFunctionConfiguration` sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) description: String,
    /// The execution role's ARN.
    pub(crate) role: String,
    /// `provided.al2023`, `python3.12`, ...
    pub(crate) runtime: String,
    pub(crate) handler: String,
    /// Seconds.
    pub(crate) timeout: u32,
    /// MiB.
    pub(crate) memory: u32,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: String,
    /// MiB of `/tmp`.
    pub(crate) ephemeral_storage: u32,
    /// The function's own variables; `None` when none were ever set.
    pub(crate) environment: Option<Variables>,
    /// The key that encrypts the variables.
    pub(crate) kms_key: Option<String>,
    /// Where events go that could not be handled: the ARN of a queue or a topic.
    pub(crate) dead_letter: Option<String>,
    /// `PassThrough` or `Active`.
    pub(crate) tracing: String,
    pub(crate) vpc: Option<Vpc>,
    pub(crate) logging: Logging,
    /// `None` or `PublishedVersions`.
    pub(crate) snap_start: String,
}

impl Settings {
    /// How long one call may take.
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout))
    }
}

/// A function's own variables. `Debug` shows no value: they may be secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Variables(pub(crate) BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A connection to a VPC. It is kept and shown; the embedded one has no networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) dual_stack: bool,
}

/// How a function logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logging {
    /// `Text` or `JSON`.
    pub(crate) format: String,
    /// The log group; `/aws/lambda/NAME` by default.
    pub(crate) group: String,
    /// `TRACE` to `FATAL`, for `JSON`.
    pub(crate) application_level: Option<String>,
    /// `DEBUG` to `WARN`, for `JSON`.
    pub(crate) system_level: Option<String>,
}

impl Logging {
    /// How the function `name` logs that says nothing about it.
    pub(crate) fn of(name: &str) -> Self {
        Self {
            format: "Text".to_owned(),
            group: format!("/aws/lambda/{name}"),
            application_level: None,
            system_level: None,
        }
    }
}

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
pub(crate) mod tests {
    use super::*;

    pub(crate) fn config() -> VersionConfig {
        VersionConfig {
            id: ids::uuid(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            function: "hello".to_owned(),
            version: names::LATEST.to_owned(),
            code: Code {
                sha256: "00".repeat(32),
                size: 1,
                unpacked: 1,
                blob: None,
            },
            settings: Settings {
                description: String::new(),
                role: "arn:aws:iam::000000000000:role/r".to_owned(),
                runtime: "provided.al2023".to_owned(),
                handler: "bootstrap".to_owned(),
                timeout: 3,
                memory: 128,
                architecture: "x86_64".to_owned(),
                ephemeral_storage: 512,
                environment: None,
                kms_key: None,
                dead_letter: None,
                tracing: "PassThrough".to_owned(),
                vpc: None,
                logging: Logging::of("hello"),
                snap_start: "None".to_owned(),
            },
            modified: SystemTime::UNIX_EPOCH,
        }
    }

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

    #[test]
    fn debug_shows_no_value_of_a_variable() {
        let variables = Variables(BTreeMap::from([("KEY".into(), "hidden".into())]));
        let shown = format!("{variables:?}");
        assert!(shown.contains("KEY") && !shown.contains("hidden"));
    }
}
