//! Functions: their versions, and all that is not a version's.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::Policy;
use crate::answer::ApiError;

use super::errors;
use super::ids;
use super::names::{self, LATEST};
use super::version::{State, Version, VersionConfig};

/// One function.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// `$LATEST`.
    pub(crate) latest: Version,
    /// The published ones by their numbers.
    pub(crate) versions: BTreeMap<u64, Version>,
    /// The number of the next one. Numbers are never used again, not even of deleted versions.
    pub(crate) next_version: u64,
    /// What `$LATEST` was when it was published last, and the number it got.
    pub(crate) last_published: Option<(Arc<VersionConfig>, u64)>,
    pub(crate) aliases: BTreeMap<String, Alias>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Reserved concurrent executions.
    pub(crate) reserved: Option<u32>,
    /// Error handling of asynchronous invocations, by qualifier.
    pub(crate) event_invoke: BTreeMap<String, EventInvoke>,
    /// Function URLs by qualifier: `$LATEST` (for the function itself) or an alias.
    pub(crate) urls: BTreeMap<String, UrlConfig>,
    /// Resource policies by qualifier; the function's own is that of `$LATEST`.
    pub(crate) policies: BTreeMap<String, ResourcePolicy>,
    /// The ARN of the code signing configuration.
    pub(crate) signing: Option<String>,
    /// When the runtime is updated, by qualifier: `Auto`, `FunctionUpdate` or `Manual`.
    pub(crate) runtime_updates: BTreeMap<String, RuntimeUpdates>,
    /// What becomes of recursive loops: `Terminate` or `Allow`.
    pub(crate) recursive_loop: String,
}

impl Function {
    /// A function with nothing but its `$LATEST`.
    pub(crate) fn new(latest: Version) -> Self {
        Self {
            account: latest.config.account.clone(),
            region: latest.config.region.clone(),
            name: latest.config.function.clone(),
            latest,
            versions: BTreeMap::new(),
            next_version: 1,
            last_published: None,
            aliases: BTreeMap::new(),
            tags: BTreeMap::new(),
            reserved: None,
            event_invoke: BTreeMap::new(),
            urls: BTreeMap::new(),
            policies: BTreeMap::new(),
            signing: None,
            runtime_updates: BTreeMap::new(),
            recursive_loop: "Terminate".to_owned(),
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        names::function_arn(&self.account, &self.region, &self.name)
    }

    /// Its ARN with a qualifier.
    pub(crate) fn qualified_arn(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.arn())
    }

    /// All versions, `$LATEST` first.
    pub(crate) fn all_versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.latest).chain(self.versions.values())
    }

    /// Lets what is over be over, in all versions.
    pub(crate) fn settle(&mut self, now: SystemTime, idle_after: Option<Duration>) {
        for version in std::iter::once(&mut self.latest).chain(self.versions.values_mut()) {
            version.settle(now, idle_after);
        }
    }

    /// The version of this name, which is no alias.
    pub(crate) fn version(&self, name: &str) -> Option<&Version> {
        match name {
            LATEST => Some(&self.latest),
            number => self.versions.get(&number.parse().ok()?),
        }
    }

    /// Likewise, to change it.
    pub(crate) fn version_mut(&mut self, name: &str) -> Option<&mut Version> {
        match name {
            LATEST => Some(&mut self.latest),
            number => self.versions.get_mut(&number.parse().ok()?),
        }
    }

    /// The version that a qualifier means: for an alias, the one that it points to.
    pub(crate) fn qualified(&self, qualifier: &str) -> Option<&Version> {
        match self.aliases.get(qualifier) {
            Some(alias) => self.version(&alias.version),
            None => self.version(qualifier),
        }
    }

    /// Whether a qualifier means something.
    pub(crate) fn has(&self, qualifier: &str) -> bool {
        self.aliases.contains_key(qualifier) || self.version(qualifier).is_some()
    }

    /// The revision of what a qualifier means: an alias has its own.
    pub(crate) fn revision(&self, qualifier: &str) -> Option<&str> {
        match self.aliases.get(qualifier) {
            Some(alias) => Some(&alias.revision),
            None => Some(&self.version(qualifier)?.revision),
        }
    }

    /// Something about what a qualifier means changed that is not in its config.
    pub(crate) fn touch(&mut self, qualifier: &str) {
        if let Some(alias) = self.aliases.get_mut(qualifier) {
            alias.revision = ids::uuid();
        } else if let Some(version) = self.version_mut(qualifier) {
            version.touch();
        }
    }

    /// Lets operations go on that change `$LATEST`.
    ///
    /// # Errors
    /// It is being created or updated.
    pub(crate) fn may_change(&self) -> Result<(), ApiError> {
        if self.latest.is_updating() {
            return Err(errors::updating(&self.arn()));
        }
        match self.latest.state() {
            State::Pending => Err(errors::in_state("Pending")),
            _ => Ok(()),
        }
    }

    /// Bytes of all its deployment packages; a package counts once per version.
    pub(crate) fn code_size(&self) -> u64 {
        self.all_versions()
            .map(|version| version.config.code.size)
            .sum()
    }
}

/// A name for a version, or for two by weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) name: String,
    /// The version that it points to.
    pub(crate) version: String,
    /// Another version, and its share of the invocations from 0 to 1.
    pub(crate) other: Option<(String, f64)>,
    pub(crate) description: String,
    pub(crate) revision: String,
    /// What it pointed to before, and when that changed: some invocations come late to the news.
    pub(crate) before: Option<(AliasTarget, SystemTime)>,
}

/// What an alias points to.
pub(crate) type AliasTarget = (String, Option<(String, f64)>);

impl Alias {
    /// What it points to for invocations at `now`, where news take `staleness` to spread.
    pub(crate) fn target(
        &self,
        now: SystemTime,
        staleness: Duration,
    ) -> (&str, Option<&(String, f64)>) {
        match &self.before {
            Some(((version, other), changed)) if now < *changed + staleness => {
                (version, other.as_ref())
            }
            _ => (&self.version, self.other.as_ref()),
        }
    }
}

/// How asynchronous invocations are handled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventInvoke {
    /// Retries after an error of the function; 2 by default.
    pub(crate) retries: Option<u32>,
    /// For how many seconds an event may wait; 21600 by default.
    pub(crate) max_age: Option<u32>,
    /// The ARN that gets a record of a success.
    pub(crate) on_success: Option<String>,
    /// The ARN that gets a record of a failure.
    pub(crate) on_failure: Option<String>,
    /// When it was set, in seconds since 1970.
    pub(crate) modified: f64,
}

/// A function URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UrlConfig {
    /// The first label of its host name.
    pub(crate) id: String,
    /// `NONE` or `AWS_IAM`.
    pub(crate) auth_type: String,
    /// `BUFFERED` or `RESPONSE_STREAM`.
    pub(crate) invoke_mode: String,
    /// As the request gave it.
    pub(crate) cors: Option<Value>,
    pub(crate) created: SystemTime,
    pub(crate) modified: SystemTime,
}

/// Who else may use a function.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ResourcePolicy {
    /// Statements as they are shown.
    pub(crate) statements: Vec<Value>,
    #[serde(skip)]
    parsed: OnceLock<Option<Arc<Policy>>>,
}

impl ResourcePolicy {
    /// The document.
    pub(crate) fn document(&self) -> Value {
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": self.statements })
    }

    /// Changes the statements.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Vec<Value>)) {
        change(&mut self.statements);
        self.parsed = OnceLock::new();
    }

    /// The document, ready to be held against a call. `None` if it can't be read, which allows nothing.
    pub(crate) fn policy(&self) -> Option<Arc<Policy>> {
        self.parsed
            .get_or_init(|| super::policy::parse(&self.document()).map(Arc::new))
            .clone()
    }
}

/// When a function's runtime is updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuntimeUpdates {
    /// `Auto`, `FunctionUpdate` or `Manual`.
    pub(crate) on: String,
    /// The runtime's version, for `Manual`.
    pub(crate) version_arn: Option<String>,
}
