//! The spec of one function or service.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::artifact::{Artifact, Packaging};
use super::builder::SpecBuilder;
use super::fields::{FieldValue, Fields};
use super::name::Name;
use super::secret::SecretRef;
use super::trigger::Trigger;
use crate::digest::Digest;

/// Function or service. A service is declared, never inferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Handles one request or event at a time, may scale to zero.
    #[default]
    Function,
    /// A long-running HTTP workload with a floor of instances.
    Service,
}

/// How sensitive the payloads are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DataClass {
    /// Anyone may see it.
    Public,
    /// The organisation's own.
    #[default]
    Internal,
    /// About people: payloads are never recorded, logged or put into a cluster object.
    Personal,
}

/// How asynchronous events are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Attempts in all, the first included; 1 to 3. Default 3.
    pub attempts: u8,
    /// The first pause between attempts, doubled each time. Default 1 second; targets with fixed pauses say so.
    pub backoff: Duration,
    /// How old an event may get before it is kept as a dead letter instead of being tried again; 60 s to 6 h. Default 6 h.
    pub max_age: Duration,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Duration::from_secs(1),
            max_age: Duration::from_secs(6 * 60 * 60),
        }
    }
}

/// Where the function's network interfaces are, by reference to what others own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Network {
    /// Subnets, as the target names them.
    pub subnets: Vec<String>,
    /// Security groups or network policies, as the target names them.
    pub security_groups: Vec<String>,
    /// A VPC connector, where the target uses one.
    pub connector: Option<String>,
}

/// Everything asked of one function or service. Made by [`Spec::builder`], which checks the rules that hold everywhere; [`Spec::check`] checks
/// them again before anything is planned. What one target adds to them is in its [capabilities](crate::capability::Capabilities).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spec {
    /// The name.
    pub name: Name,
    /// Function or service.
    pub kind: Kind,
    /// What runs.
    pub artifact: Artifact,
    /// Memory in MB (2^20 bytes).
    pub memory_mb: u32,
    /// The time limit of one invocation.
    pub timeout: Duration,
    /// Environment variables. Values are not secrets, and are still never printed.
    pub env: BTreeMap<String, String>,
    /// Environment variables whose values are secrets, by reference.
    pub secrets: BTreeMap<String, SecretRef>,
    /// The identity the code runs as: a role, managed identity or service account, by reference.
    pub identity: Option<String>,
    /// Network placement.
    pub network: Option<Network>,
    /// A customer-managed encryption key, by reference.
    pub encryption_key: Option<String>,
    /// How long logs are kept, in days.
    pub log_retention_days: Option<u32>,
    /// Whether removal and unplanned change are refused.
    pub protect: bool,
    /// How sensitive the payloads are.
    pub data: DataClass,
    /// Requests one instance handles at a time.
    pub concurrency: u32,
    /// Instances kept ready.
    pub min_instances: u32,
    /// A soft cap on instances; none when absent.
    pub max_instances: Option<u32>,
    /// How asynchronous events are delivered.
    pub delivery: Delivery,
    /// The exact set of triggers, or `None` to leave them alone.
    pub triggers: Option<Vec<Trigger>>,
    /// Labels for people.
    pub tags: BTreeMap<String, String>,
    /// Settings of one product, passed on as they are: a portability cost, named in the plan.
    pub native: BTreeMap<String, serde_json::Value>,
}

impl Spec {
    /// Starts a spec for `name` that runs `artifact`. The name is checked by [`SpecBuilder::build`] with everything else.
    #[must_use]
    pub fn builder(name: impl Into<String>, artifact: Artifact) -> SpecBuilder {
        SpecBuilder::new(name.into(), artifact)
    }

    /// The spec as flat fields, defaults included, for [`diff`](super::diff) and for what a target records.
    ///
    /// `triggers` is left out when the spec leaves triggers alone; the name is not a field.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        let mut plain = |path: &str, value: &dyn fmt::Display| {
            fields.insert(path.to_owned(), FieldValue::Plain(value.to_string()));
        };
        plain("artifact.digest", &self.artifact.digest);
        plain("artifact.arch", &self.artifact.arch);
        plain("artifact.kind", &self.artifact.packaging.name());
        match &self.artifact.packaging {
            Packaging::Zip { protocol } => plain("artifact.protocol", protocol),
            Packaging::Bundle { runtime, handler } => {
                plain("artifact.runtime", runtime);
                plain("artifact.handler", handler);
            }
            Packaging::Command { command } => plain("artifact.command", &json(command)),
            Packaging::Image { repository } => plain("artifact.repository", repository),
        }
        plain("kind", &json(&self.kind).trim_matches('"'));
        plain("memory_mb", &self.memory_mb);
        plain("timeout_ms", &self.timeout.as_millis());
        plain("concurrency", &self.concurrency);
        plain("min_instances", &self.min_instances);
        plain("protect", &self.protect);
        plain("data", &json(&self.data).trim_matches('"'));
        plain("delivery.attempts", &self.delivery.attempts);
        plain("delivery.backoff_ms", &self.delivery.backoff.as_millis());
        plain("delivery.max_age_s", &self.delivery.max_age.as_secs());
        if let Some(max) = self.max_instances {
            plain("max_instances", &max);
        }
        if let Some(identity) = &self.identity {
            plain("identity", identity);
        }
        if let Some(network) = &self.network {
            plain("network", &json(network));
        }
        if let Some(key) = &self.encryption_key {
            plain("encryption_key", key);
        }
        if let Some(days) = self.log_retention_days {
            plain("log_retention_days", &days);
        }
        if let Some(triggers) = &self.triggers {
            plain("triggers", &json(triggers));
        }
        for (name, reference) in &self.secrets {
            plain(&format!("secrets.{name}"), reference);
        }
        for (key, value) in &self.tags {
            plain(&format!("tags.{key}"), value);
        }
        for (product, value) in &self.native {
            // The same settings are the same text, in whatever order they were written.
            let mut value = value.clone();
            value.sort_all_objects();
            plain(&format!("native.{product}"), &value);
        }
        for (name, value) in &self.env {
            fields.insert(format!("env.{name}"), FieldValue::Hidden(value.clone()));
        }
        fields
    }

    /// A digest of all the fields: two specs ask for the same thing exactly when their hashes are equal.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut text = Vec::new();
        for (path, value) in self.fields() {
            for part in [path.as_str(), value.expose()] {
                text.extend_from_slice(&(part.len() as u64).to_be_bytes());
                text.extend_from_slice(part.as_bytes());
            }
        }
        Digest::of(&text)
    }
}

/// The names of the variables are shown, their values are not.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("name", &self.name)
            .field("fields", &self.fields())
            .finish()
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
