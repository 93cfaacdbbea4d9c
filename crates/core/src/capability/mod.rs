//! What a target can do, with its limits: discovered, typed, in few groups.

mod fit;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use fit::{Approximation, Fitted, PortabilityCost, fit};
pub use support::{Fit, Sizes, Support};

use crate::spec::{Arch, Packaging, Protocol, TriggerKind};

/// Everything a target can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// What kinds of artifact run.
    pub artifacts: Artifacts,
    /// What sizes are there.
    pub resources: Resources,
    /// How releases happen.
    pub deploy: Deploy,
    /// How a synchronous call behaves.
    pub invoke: Invoke,
    /// Asynchronous calls.
    pub enqueue: Support<Enqueue>,
    /// Immutable versions and rollback.
    pub versions: Support<Versions>,
    /// Splitting traffic over versions.
    pub traffic: Support<Traffic>,
    /// Reading logs.
    pub logs: Support<Logs>,
    /// The spec's governance fields.
    pub governance: Governance,
    /// Triggers by kind of source; a kind that is not listed is refused.
    pub triggers: BTreeMap<TriggerKind, Support<()>>,
}

/// What kinds of artifact run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Artifacts {
    /// Portable zips whose program pulls from the Lambda Runtime API.
    pub zip: Support<()>,
    /// Portable zips whose program is an HTTP server.
    pub http: Support<()>,
    /// Language bundles: the runtimes that are there, such as `python3.11`.
    pub bundle: Support<Vec<String>>,
    /// Commands that are HTTP servers.
    pub command: Support<()>,
    /// OCI images.
    pub image: Support<()>,
    /// The architectures that run.
    pub archs: Vec<Arch>,
    /// The largest archive in bytes.
    pub max_packed: u64,
    /// The largest unpacked size in bytes.
    pub max_unpacked: u64,
    /// Whether services (long-running, with a floor of instances) run.
    pub services: Support<()>,
    /// Whether the bytes of a deployed artifact can be had back.
    pub export: Support<()>,
}

impl Artifacts {
    /// No artifact at all: a start for an adapter's table.
    #[must_use]
    pub fn none(hint: &str) -> Self {
        Self {
            zip: Support::refused(hint),
            http: Support::refused(hint),
            bundle: Support::refused(hint),
            command: Support::refused(hint),
            image: Support::refused(hint),
            archs: Vec::new(),
            max_packed: 0,
            max_unpacked: 0,
            services: Support::refused(hint),
            export: Support::refused(hint),
        }
    }

    /// Whether artifacts of this packaging run, the hint if they do not.
    #[must_use]
    pub fn takes(&self, packaging: &Packaging) -> Support<()> {
        match packaging {
            Packaging::Zip {
                protocol: Protocol::RuntimeApi,
            } => self.zip.clone(),
            Packaging::Zip {
                protocol: Protocol::Http,
            } => self.http.clone(),
            Packaging::Bundle { .. } => self.bundle.clone().map(|_| ()),
            Packaging::Command { .. } => self.command.clone(),
            Packaging::Image { .. } => self.image.clone(),
        }
    }
}

/// What sizes are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resources {
    /// Memory in MB.
    pub memory_mb: Sizes,
    /// The time limit of one invocation in milliseconds.
    pub timeout_ms: Sizes,
    /// Requests one instance handles at a time.
    pub concurrency: Sizes,
    /// The floor of instances.
    pub min_instances: Sizes,
    /// The cap on instances; also says how many the target runs at most when none is asked.
    pub max_instances: Sizes,
    /// The most bytes of names and values of all environment variables together.
    pub env_bytes: u64,
}

impl Resources {
    /// Resources with the given sizes and an environment limit in bytes.
    #[must_use]
    pub const fn new(
        memory_mb: Sizes,
        timeout_ms: Sizes,
        concurrency: Sizes,
        min_instances: Sizes,
        max_instances: Sizes,
        env_bytes: u64,
    ) -> Self {
        Self {
            memory_mb,
            timeout_ms,
            concurrency,
            min_instances,
            max_instances,
            env_bytes,
        }
    }
}

/// How releases happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deploy {
    /// Whether a lost update is noticed.
    pub lock: Lock,
    /// Whether invocations fail while a version is switched.
    pub switch: Switch,
    /// Who finds out that a release cannot start.
    pub start_check: StartCheck,
    /// How long after a change returned an older version may still answer.
    pub settles_within: Duration,
}

impl Deploy {
    /// Deployment with the given lock, switch and start check, settled when it returns.
    #[must_use]
    pub const fn new(lock: Lock, switch: Switch, start_check: StartCheck) -> Self {
        Self {
            lock,
            switch,
            start_check,
            settles_within: Duration::ZERO,
        }
    }

    /// Sets how long an older version may still answer.
    #[must_use]
    pub const fn settles_within(mut self, time: Duration) -> Self {
        self.settles_within = time;
        self
    }
}

/// Whether a lost update is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Lock {
    /// The provider keeps no revision that a write can name.
    None,
    /// A write names the revision it was planned on; a stale one is `Conflict`.
    Etag,
}

/// Whether invocations fail while a version is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Switch {
    /// None fails.
    ZeroDowntime,
    /// Instances are stopped first; invocations in between may fail.
    Restart,
}

/// Who finds out that a release cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StartCheck {
    /// The platform starts it and says.
    Platform,
    /// The adapter starts it once before switching.
    Probe,
    /// Nobody: the first invoke finds out.
    None,
}

/// How a synchronous call behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Invoke {
    /// What payloads pass.
    pub media: Media,
    /// What happens above the concurrency limit.
    pub overload: Overload,
    /// Whether the code stops when its time limit passes.
    pub stops_code: bool,
    /// Answers that arrive while they are produced; the value is the largest in bytes.
    pub streaming: Support<u64>,
    /// The largest request payload in bytes.
    pub max_request: u64,
    /// The largest buffered reply in bytes.
    pub max_reply: u64,
    /// Whether the idempotency key reaches the function.
    pub idempotency_key: Support<()>,
    /// Whether a chosen version can be invoked.
    pub by_version: Support<()>,
}

impl Invoke {
    /// Any media, rejecting overload, stopping code, with the given payload limits in bytes; nothing optional.
    #[must_use]
    pub fn new(max_request: u64, max_reply: u64) -> Self {
        Self {
            media: Media::Any,
            overload: Overload::Rejects,
            stops_code: true,
            streaming: Support::refused("the whole answer arrives at once here"),
            max_request,
            max_reply,
            idempotency_key: Support::Native(()),
            by_version: Support::refused("only live traffic can be invoked here"),
        }
    }
}

/// What payloads pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Media {
    /// Any bytes, with their content type.
    Any,
    /// JSON only; other payloads are refused.
    Json,
}

/// What happens to calls above the concurrency limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Overload {
    /// They are `Throttled`.
    Rejects,
    /// They wait their turn within their deadline.
    Queues,
    /// There is no limit to pass.
    Unbounded,
}

/// Asynchronous calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Enqueue {
    /// The largest payload in bytes.
    pub max_payload: u64,
    /// The most attempts in all.
    pub max_attempts: u8,
    /// Who delivers.
    pub delivered_by: DeliveredBy,
    /// Whether the pause between attempts can be chosen.
    pub backoff: Support<()>,
    /// Whether events of functions marked personal are taken.
    pub personal_data: Support<()>,
}

impl Enqueue {
    /// Asynchronous calls with a payload limit in bytes, delivered by the given party, up to three attempts.
    #[must_use]
    pub const fn new(max_payload: u64, delivered_by: DeliveredBy) -> Self {
        Self {
            max_payload,
            max_attempts: 3,
            delivered_by,
            backoff: Support::Native(()),
            personal_data: Support::Native(()),
        }
    }
}

/// Who delivers asynchronous events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeliveredBy {
    /// The platform, whether or not the caller is still there.
    Platform,
    /// Any process that holds this target open; events wait on disk while none does.
    HoldingProcess,
}

/// Immutable versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Versions {
    /// How many versions that carry no traffic are kept for rollback.
    pub kept: u32,
}

impl Versions {
    /// Keeps this many versions.
    #[must_use]
    pub const fn kept(kept: u32) -> Self {
        Self { kept }
    }
}

/// Splitting traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Traffic {
    /// Over how many versions at once.
    pub ways: u32,
}

impl Traffic {
    /// Splits over at most this many versions.
    #[must_use]
    pub const fn ways(ways: u32) -> Self {
        Self { ways }
    }
}

/// Reading logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Logs {
    /// Whether new lines can be followed.
    pub follow: bool,
    /// How long after it was written a line may still be missing.
    pub delay: Duration,
}

impl Logs {
    /// Logs that can be followed or not, and are complete after `delay`.
    #[must_use]
    pub const fn new(follow: bool, delay: Duration) -> Self {
        Self { follow, delay }
    }
}

/// The spec's governance fields, each with its support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Governance {
    /// `identity`.
    pub identity: Support<()>,
    /// `network`.
    pub network: Support<()>,
    /// `encryption_key`.
    pub encryption_key: Support<()>,
    /// `log_retention_days`.
    pub log_retention: Support<Sizes>,
    /// `secrets`: the stores that references may name.
    pub secrets: Support<Vec<String>>,
}

impl Governance {
    /// Refuses every governance field with one hint: a start for an adapter's table.
    #[must_use]
    pub fn refused(hint: &str) -> Self {
        Self {
            identity: Support::refused(hint),
            network: Support::refused(hint),
            encryption_key: Support::refused(hint),
            log_retention: Support::refused(hint),
            secrets: Support::refused(hint),
        }
    }
}

impl Capabilities {
    /// Capabilities with the required groups; everything optional is refused until set.
    #[must_use]
    pub fn new(artifacts: Artifacts, resources: Resources, deploy: Deploy, invoke: Invoke) -> Self {
        let hint = "this target has no such thing";
        Self {
            artifacts,
            resources,
            deploy,
            invoke,
            enqueue: Support::refused(hint),
            versions: Support::refused(hint),
            traffic: Support::refused(hint),
            logs: Support::refused(hint),
            governance: Governance::refused(hint),
            triggers: BTreeMap::new(),
        }
    }
}
