//! Builds a spec, and collects every violation on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::artifact::{Artifact, Packaging};
use super::env::env_name_violation;
use super::function::{DataClass, Delivery, Kind, Network, Spec};
use super::name::Name;
use super::secret::SecretRef;
use super::trigger::{Trigger, TriggerSource};
use crate::error::{Violation, Violations};

/// Builds a [`Spec`]. Setters never fail; [`build`](Self::build) reports everything that is wrong at once.
#[derive(Debug, Clone)]
pub struct SpecBuilder {
    name: String,
    secrets: BTreeMap<String, String>,
    spec: Spec,
}

impl SpecBuilder {
    pub(super) fn new(name: String, artifact: Artifact) -> Self {
        Self {
            spec: Spec {
                name: Name::nearest(&name),
                kind: Kind::Function,
                artifact,
                memory_mb: 512,
                timeout: Duration::from_secs(30),
                env: BTreeMap::new(),
                secrets: BTreeMap::new(),
                identity: None,
                network: None,
                encryption_key: None,
                log_retention_days: None,
                protect: false,
                data: DataClass::default(),
                concurrency: 1,
                min_instances: 0,
                max_instances: None,
                delivery: Delivery::default(),
                triggers: None,
                tags: BTreeMap::new(),
                native: BTreeMap::new(),
            },
            name,
            secrets: BTreeMap::new(),
        }
    }

    /// Everything that the builder takes as it is.
    pub(super) const fn spec_mut(&mut self) -> &mut Spec {
        &mut self.spec
    }

    /// Declares a service with at least `min_instances` instances.
    #[must_use]
    pub fn service(mut self, min_instances: u32) -> Self {
        self.spec.kind = Kind::Service;
        self.spec.min_instances = min_instances;
        self
    }

    /// Memory in MB; 512 unless set.
    #[must_use]
    pub fn memory_mb(mut self, mb: u32) -> Self {
        self.spec.memory_mb = mb;
        self
    }

    /// The time limit of one invocation; 30 seconds unless set.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.spec.timeout = limit;
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.spec.env.insert(name.into(), value.into());
        self
    }

    /// Sets an environment variable from a secret, by reference: `secret://STORE/NAME[@VERSION]`.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, reference: impl Into<String>) -> Self {
        self.secrets.insert(name.into(), reference.into());
        self
    }

    /// The identity the code runs as, by reference.
    #[must_use]
    pub fn identity(mut self, reference: impl Into<String>) -> Self {
        self.spec.identity = Some(reference.into());
        self
    }

    /// Network placement.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.spec.network = Some(network);
        self
    }

    /// A customer-managed encryption key, by reference.
    #[must_use]
    pub fn encryption_key(mut self, reference: impl Into<String>) -> Self {
        self.spec.encryption_key = Some(reference.into());
        self
    }

    /// How long logs are kept, in days.
    #[must_use]
    pub fn log_retention_days(mut self, days: u32) -> Self {
        self.spec.log_retention_days = Some(days);
        self
    }

    /// Refuses removal and unplanned change.
    #[must_use]
    pub fn protect(mut self, protect: bool) -> Self {
        self.spec.protect = protect;
        self
    }

    /// How sensitive the payloads are.
    #[must_use]
    pub fn data(mut self, class: DataClass) -> Self {
        self.spec.data = class;
        self
    }

    /// Requests one instance handles at a time; 1 unless set.
    #[must_use]
    pub fn concurrency(mut self, requests: u32) -> Self {
        self.spec.concurrency = requests;
        self
    }

    /// Instances kept ready; 0 unless set.
    #[must_use]
    pub fn min_instances(mut self, instances: u32) -> Self {
        self.spec.min_instances = instances;
        self
    }

    /// A soft cap on instances.
    #[must_use]
    pub fn max_instances(mut self, instances: u32) -> Self {
        self.spec.max_instances = Some(instances);
        self
    }

    /// How asynchronous events are delivered.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.spec.delivery = delivery;
        self
    }

    /// Adds a trigger; from then on the triggers listed are the exact set.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.spec.triggers.get_or_insert_default().push(trigger);
        self
    }

    /// The exact set of triggers is empty.
    #[must_use]
    pub fn no_triggers(mut self) -> Self {
        self.spec.triggers = Some(Vec::new());
        self
    }

    /// A label for people.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.spec.tags.insert(key.into(), value.into());
        self
    }

    /// Settings of one product, passed on as they are.
    #[must_use]
    pub fn native(mut self, product: impl Into<String>, settings: serde_json::Value) -> Self {
        self.spec.native.insert(product.into(), settings);
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every violation of the rules that hold on all targets, in a stable order.
    pub fn build(mut self) -> Result<Spec, Violations> {
        let mut found = Violations::none();
        match self.name.parse() {
            Ok(name) => self.spec.name = name,
            Err(violation) => found.push(violation),
        }
        for (name, reference) in std::mem::take(&mut self.secrets) {
            match reference.parse::<SecretRef>() {
                Ok(reference) => {
                    self.spec.secrets.insert(name, reference);
                }
                Err(mut violation) => {
                    violation.field = format!("secrets.{name}");
                    found.push(violation);
                }
            }
        }
        check(&self.spec, &mut found);
        found.or(self.spec)
    }
}

impl Spec {
    /// Checks the rules that hold on all targets once more: a spec that was read from a file, or changed after it was built, may break them.
    ///
    /// # Errors
    /// Every violation, in a stable order.
    pub fn check(&self) -> Result<(), Violations> {
        let mut found = Violations::none();
        check(self, &mut found);
        found.or(())
    }
}

/// The rules that hold on all targets, whatever their capabilities.
fn check(spec: &Spec, found: &mut Violations) {
    check_artifact(&spec.artifact, found);
    check_environment(spec, found);
    check_numbers(spec, found);
    check_tags(spec, found);
    check_triggers(spec, found);
    for (field, text) in [
        ("identity", &spec.identity),
        ("encryption_key", &spec.encryption_key),
    ] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            found.push(Violation::new(
                field,
                "must not be empty; leave it out instead",
            ));
        }
    }
}

fn check_artifact(artifact: &Artifact, found: &mut Violations) {
    match &artifact.packaging {
        Packaging::Bundle { handler, .. } => {
            let whole = handler
                .rsplit_once('.')
                .is_some_and(|(module, function)| !module.is_empty() && !function.is_empty());
            if !whole || handler.split('/').any(|part| part == "..") {
                found.push(
                    Violation::new(
                        "artifact.handler",
                        "must be MODULE.FUNCTION inside the bundle",
                    )
                    .value(handler)
                    .nearest("app.handler"),
                );
            }
        }
        Packaging::Command { command } if command.first().is_none_or(String::is_empty) => {
            found.push(Violation::new("artifact.command", "must name a program"));
        }
        Packaging::Image { repository } if repository.contains('@') || repository.is_empty() => {
            found.push(
                Violation::new(
                    "artifact.repository",
                    "must be a repository without tag or digest",
                )
                .value(repository),
            );
        }
        _ => {}
    }
}

fn check_environment(spec: &Spec, found: &mut Violations) {
    for name in spec.env.keys().chain(spec.secrets.keys()) {
        found.extend(env_name_violation(name));
    }
    for name in spec
        .secrets
        .keys()
        .filter(|name| spec.env.contains_key(*name))
    {
        found.push(Violation::new(
            format!("secrets.{name}"),
            "is set as a plain variable too; keep one",
        ));
    }
    for (name, value) in &spec.env {
        if value.contains('\0') {
            found.push(Violation::new(
                format!("env.{name}"),
                "must not contain a NUL character",
            ));
        }
    }
}

fn check_numbers(spec: &Spec, found: &mut Violations) {
    let mut at_least_one = |field: &str, value: u32| {
        if value == 0 {
            found.push(
                Violation::new(field, "must be at least 1")
                    .value(0)
                    .nearest(1),
            );
        }
    };
    at_least_one("memory_mb", spec.memory_mb);
    at_least_one("concurrency", spec.concurrency);
    if let Some(max) = spec.max_instances {
        at_least_one("max_instances", max);
        if max < spec.min_instances {
            found.push(
                Violation::new("max_instances", "must not be below min_instances")
                    .value(max)
                    .nearest(spec.min_instances),
            );
        }
    }
    if spec.timeout.is_zero() {
        found.push(
            Violation::new("timeout", "must be above zero")
                .value("0s")
                .nearest("1s"),
        );
    }
    if spec.kind == Kind::Service && spec.min_instances == 0 {
        found.push(
            Violation::new("min_instances", "a service keeps at least one instance")
                .value(0)
                .nearest(1),
        );
    }
    if let Some(0) = spec.log_retention_days {
        found.push(
            Violation::new("log_retention_days", "must be at least 1")
                .value(0)
                .nearest(1),
        );
    }
    let delivery = &spec.delivery;
    if !(1..=3).contains(&delivery.attempts) {
        found.push(
            Violation::new("delivery.attempts", "must be 1 to 3")
                .value(delivery.attempts)
                .nearest(delivery.attempts.clamp(1, 3)),
        );
    }
    let age = delivery.max_age.as_secs();
    if !(60..=21_600).contains(&age) {
        found.push(
            Violation::new("delivery.max_age", "must be 60 seconds to 6 hours")
                .value(format!("{age}s"))
                .nearest(format!("{}s", age.clamp(60, 21_600))),
        );
    }
}

fn check_tags(spec: &Spec, found: &mut Violations) {
    const MOST: usize = 16;
    if spec.tags.len() > MOST {
        found.push(
            Violation::new("tags", "at most 16 tags are portable")
                .value(spec.tags.len())
                .nearest(MOST),
        );
    }
    for (key, value) in &spec.tags {
        let valid = |text: &str| {
            text.len() <= 63
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        if !valid(key) || !key.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.push(Violation::new(
                format!("tags.{key}"),
                "a tag's key is 1 to 63 lower-case letters, digits, _ and -, starting with a letter",
            ));
        }
        if !valid(value) {
            found.push(
                Violation::new(
                    format!("tags.{key}"),
                    "a tag's value is at most 63 lower-case letters, digits, _ and -",
                )
                .value(value),
            );
        }
    }
}

fn check_triggers(spec: &Spec, found: &mut Violations) {
    let mut names = BTreeSet::new();
    for trigger in spec.triggers.iter().flatten() {
        let field = format!("triggers.{}", trigger.name);
        if trigger.name.parse::<Name>().is_err() {
            found.push(
                Violation::new(field.clone(), Name::RULE)
                    .value(&trigger.name)
                    .nearest(Name::nearest(&trigger.name)),
            );
        }
        if !names.insert(&trigger.name) {
            found.push(Violation::new(field.clone(), "two triggers have this name"));
        }
        let resource = match &trigger.source {
            TriggerSource::Queue { queue } => Some(queue),
            TriggerSource::Topic { topic } => Some(topic),
            TriggerSource::ObjectCreated { bucket, .. } => Some(bucket),
            _ => None,
        };
        if resource.is_some_and(String::is_empty) {
            found.push(Violation::new(field, "the source must be named"));
        }
    }
}
