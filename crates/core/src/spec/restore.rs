//! A spec from its flat fields: the way back from what a target shows to what can be asked again, elsewhere.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::artifact::{Artifact, Packaging};
use super::builder::SpecBuilder;
use super::fields::Fields;
use super::function::{Delivery, Spec};
use super::name::Name;
use crate::error::{Violation, Violations};

impl Spec {
    /// The spec whose [`fields`](Self::fields) these are. A field that is not there is at its default; the artifact's sizes are not known.
    ///
    /// # Errors
    /// Every field that no spec has or whose text is not a value of it, and every rule that the spec would break.
    pub fn from_fields(name: &Name, fields: &Fields) -> Result<Self, Violations> {
        let mut taken = Taken {
            left: fields.clone(),
            found: Violations::none(),
        };
        let artifact = taken.artifact();
        let mut builder = Self::builder(name.as_str(), artifact);
        taken.settings(&mut builder);
        builder = taken.maps(builder);
        let mut found = taken.found;
        found.extend(
            taken
                .left
                .into_keys()
                .map(|field| Violation::new(field, "no spec has such a field")),
        );
        match builder.build() {
            Ok(spec) => found.or(spec),
            Err(broken) => {
                found.extend(broken);
                Err(found)
            }
        }
    }
}

/// Fields that nobody has taken yet, and what was wrong with those that were.
struct Taken {
    left: Fields,
    found: Violations,
}

impl Taken {
    fn text(&mut self, field: &str) -> Option<String> {
        let value = self.left.remove(field)?;
        Some(value.expose().to_owned())
    }

    /// The field's value, if it is there and `read` can read it.
    fn value<T>(&mut self, field: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(field)?;
        let value = read(&text);
        if value.is_none() {
            self.found
                .push(Violation::new(field, "is not a value of this field").value(text));
        }
        value
    }

    fn parsed<T: std::str::FromStr>(&mut self, field: &str) -> Option<T> {
        self.value(field, |text| text.parse().ok())
    }

    fn json<T: DeserializeOwned>(&mut self, field: &str) -> Option<T> {
        self.value(field, |text| serde_json::from_str(text).ok())
    }

    /// A word that is a JSON string without its quotes.
    fn word<T: DeserializeOwned>(&mut self, field: &str) -> Option<T> {
        self.value(field, |text| {
            serde_json::from_value(serde_json::Value::from(text)).ok()
        })
    }

    fn needed<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.found.iter().any(|known| known.field == field) {
            self.found.push(Violation::new(
                field,
                "must be there: nothing runs without it",
            ));
        }
        value
    }

    fn artifact(&mut self) -> Artifact {
        let kind = self.text("artifact.kind").unwrap_or_default();
        let packaging = match kind.as_str() {
            "zip" => Some(Packaging::Zip {
                protocol: self.word("artifact.protocol").unwrap_or_default(),
            }),
            "bundle" => {
                let runtime = self.parsed("artifact.runtime");
                let runtime = self.needed("artifact.runtime", runtime);
                let handler = self.text("artifact.handler").unwrap_or_default();
                runtime.map(|runtime| Packaging::Bundle { runtime, handler })
            }
            "command" => Some(Packaging::Command {
                command: self.json("artifact.command").unwrap_or_default(),
            }),
            "image" => Some(Packaging::Image {
                repository: self.text("artifact.repository").unwrap_or_default(),
            }),
            _ => {
                self.found.push(
                    Violation::new("artifact.kind", "must be zip, bundle, command or image")
                        .value(kind),
                );
                None
            }
        };
        let digest = self.parsed("artifact.digest");
        let digest = self.needed("artifact.digest", digest);
        let arch = self.parsed("artifact.arch").unwrap_or_default();
        // Where one is missing a violation says so, and what stands in for it is never seen.
        let packaging = packaging.unwrap_or(Packaging::Command {
            command: vec!["-".to_owned()],
        });
        Artifact::new(packaging, digest.unwrap_or(crate::Digest::of(b""))).with_arch(arch)
    }

    fn settings(&mut self, builder: &mut SpecBuilder) {
        let spec = builder.spec_mut();
        let ms = |text: &str| text.parse().ok().map(Duration::from_millis);
        let seconds = |text: &str| text.parse().ok().map(Duration::from_secs);
        let usual = Delivery::default();
        spec.kind = self.word("kind").unwrap_or_default();
        spec.memory_mb = self.parsed("memory_mb").unwrap_or(spec.memory_mb);
        spec.timeout = self.value("timeout_ms", ms).unwrap_or(spec.timeout);
        spec.concurrency = self.parsed("concurrency").unwrap_or(spec.concurrency);
        spec.min_instances = self.parsed("min_instances").unwrap_or(spec.min_instances);
        spec.max_instances = self.parsed("max_instances");
        spec.protect = self.parsed("protect").unwrap_or_default();
        spec.data = self.word("data").unwrap_or_default();
        spec.delivery = Delivery {
            attempts: self.parsed("delivery.attempts").unwrap_or(usual.attempts),
            backoff: self
                .value("delivery.backoff_ms", ms)
                .unwrap_or(usual.backoff),
            max_age: self
                .value("delivery.max_age_s", seconds)
                .unwrap_or(usual.max_age),
        };
        spec.identity = self.text("identity");
        spec.network = self.json("network");
        spec.encryption_key = self.text("encryption_key");
        spec.log_retention_days = self.parsed("log_retention_days");
        spec.triggers = self.json("triggers");
    }

    fn maps(&mut self, mut builder: SpecBuilder) -> SpecBuilder {
        let paths: Vec<String> = self.left.keys().cloned().collect();
        for path in paths {
            let Some((map, key)) = path.split_once('.') else {
                continue;
            };
            builder = match map {
                "env" => builder.env(key, self.text(&path).unwrap_or_default()),
                "secrets" => builder.secret(key, self.text(&path).unwrap_or_default()),
                "tags" => builder.tag(key, self.text(&path).unwrap_or_default()),
                "native" => match self.json(&path) {
                    Some(settings) => builder.native(key, settings),
                    None => builder,
                },
                _ => builder,
            };
        }
        builder
    }
}
