//! Fits a spec to a target: exact, approximated and said, or refused with everything that does not fit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Capabilities;
use super::support::{Fit, Sizes, Support};
use crate::error::{Error, ErrorKind, Result, Violation, Violations};
use crate::spec::{Delivery, Kind, Packaging, Protocol, Spec};

/// A value that the target rounds: what was asked and what it will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approximation {
    /// The field.
    pub field: String,
    /// What was asked.
    pub asked: String,
    /// What it will be.
    pub actual: String,
    /// Why.
    pub note: String,
}

/// Something in the spec that other targets do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortabilityCost {
    /// The field.
    pub field: String,
    /// What moving would cost.
    pub cost: String,
}

/// A spec as the target can run it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fitted {
    /// The spec with the target's own sizes.
    pub spec: Spec,
    /// Every value that was rounded.
    pub approximations: Vec<Approximation>,
    /// Everything that ties the spec to this target.
    pub costs: Vec<PortabilityCost>,
}

/// Fits `spec` to `caps`.
///
/// # Errors
/// `Unsupported` when the target lacks something the spec needs; otherwise `InvalidSpec` with every field that is out of range.
/// Missing capabilities come first because no change of a number helps there; all of them are named.
pub fn fit(caps: &Capabilities, product: &str, spec: &Spec) -> Result<Fitted> {
    let mut work = Work {
        missing: Vec::new(),
        violations: Violations::none(),
        approximations: Vec::new(),
    };
    let mut fitted = spec.clone();
    work.artifact(caps, spec);
    work.resources(caps, &mut fitted);
    work.governance(caps, &mut fitted);
    work.delivery(caps, spec);
    let mut costs = Vec::new();
    for name in spec.native.keys() {
        let field = format!("native.{name}");
        if name == product {
            costs.push(PortabilityCost {
                field,
                cost: format!("settings of {name} only; another target would not get them"),
            });
        } else {
            work.missing.push((
                field,
                format!("this target is {product}; leave settings of {name} out"),
            ));
        }
    }
    if let Some((capability, hint)) = join(work.missing) {
        return Err(
            Error::new(ErrorKind::Unsupported { capability, hint }, "deploy").on(&spec.name),
        );
    }
    work.violations
        .or(Fitted {
            spec: fitted,
            approximations: work.approximations,
            costs,
        })
        .map_err(|found| Error::new(ErrorKind::InvalidSpec(found), "deploy").on(&spec.name))
}

fn join(missing: Vec<(String, String)>) -> Option<(String, String)> {
    let (names, mut hints): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
    hints.dedup();
    (!names.is_empty()).then(|| (names.join(", "), hints.join("; ")))
}

struct Work {
    missing: Vec<(String, String)>,
    violations: Violations,
    approximations: Vec<Approximation>,
}

impl Work {
    fn need<T>(&mut self, field: &str, support: &Support<T>) -> bool {
        match support {
            Support::Refused(hint) => {
                self.missing.push((field.to_owned(), hint.clone()));
                false
            }
            _ => true,
        }
    }

    fn size(&mut self, field: &str, unit: &str, sizes: &Sizes, want: u64) -> u64 {
        match sizes.fit(want) {
            Fit::Exact => want,
            Fit::Up(size) => {
                self.approximations.push(Approximation {
                    field: field.to_owned(),
                    asked: format!("{want}{unit}"),
                    actual: format!("{size}{unit}"),
                    note: "the target has no size between its own; the next larger one is used"
                        .to_owned(),
                });
                size
            }
            Fit::Outside(nearest) => {
                self.violations.push(
                    Violation::new(
                        field,
                        format!(
                            "the target takes {}{unit} to {}{unit}",
                            sizes.min(),
                            sizes.max()
                        ),
                    )
                    .value(format!("{want}{unit}"))
                    .nearest(format!("{nearest}{unit}")),
                );
                want
            }
        }
    }

    fn artifact(&mut self, caps: &Capabilities, spec: &Spec) {
        let artifact = &spec.artifact;
        let name = match &artifact.packaging {
            Packaging::Zip {
                protocol: Protocol::Http,
            } => "http",
            packaging => packaging.name(),
        };
        let takes = caps.artifacts.takes(&artifact.packaging);
        self.need(&format!("artifacts.{name}"), &takes);
        if let (Packaging::Bundle { runtime, .. }, Some(there)) =
            (&artifact.packaging, caps.artifacts.bundle.get())
        {
            let fits = there.iter().any(|have| {
                have == runtime.as_str()
                    || (runtime.version().is_empty() || runtime.version() == "3")
                        && have.parse().is_ok_and(|have: crate::spec::Runtime| {
                            have.family() == runtime.family()
                        })
            });
            if !fits {
                self.missing.push((
                    format!("artifacts.bundle.{runtime}"),
                    if there.is_empty() {
                        "no language runtime was found here; install one, or deploy a zip with its own bootstrap".to_owned()
                    } else {
                        format!("the runtimes here are {}", there.join(", "))
                    },
                ));
            }
        }
        if !caps.artifacts.archs.contains(&artifact.arch) {
            let archs: Vec<String> = caps
                .artifacts
                .archs
                .iter()
                .map(ToString::to_string)
                .collect();
            let archs = archs.join(" or ");
            self.violations.push(
                Violation::new(
                    "artifact.arch",
                    format!(
                        "it is built for {}, and the target runs {archs}: build it for {archs}",
                        artifact.arch
                    ),
                )
                .value(artifact.arch)
                .nearest(&archs),
            );
        }
        for (field, what, actual, max) in [
            (
                "artifact.size",
                "packed",
                artifact.size,
                caps.artifacts.max_packed,
            ),
            (
                "artifact.unpacked_size",
                "unpacked",
                artifact.unpacked_size,
                caps.artifacts.max_unpacked,
            ),
        ] {
            if actual > max && takes.is_supported() {
                self.violations.push(
                    Violation::new(field, format!("at most {max} bytes {what}"))
                        .value(actual)
                        .nearest(max),
                );
            }
        }
        if spec.kind == Kind::Service {
            self.need("artifacts.services", &caps.artifacts.services);
        }
    }

    fn resources(&mut self, caps: &Capabilities, spec: &mut Spec) {
        let sizes = &caps.resources;
        let as_u32 = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
        spec.memory_mb =
            as_u32(self.size("memory_mb", " MB", &sizes.memory_mb, spec.memory_mb.into()));
        let millis = u64::try_from(spec.timeout.as_millis()).unwrap_or(u64::MAX);
        spec.timeout =
            Duration::from_millis(self.size("timeout", " ms", &sizes.timeout_ms, millis));
        spec.concurrency = as_u32(self.size(
            "concurrency",
            "",
            &sizes.concurrency,
            spec.concurrency.into(),
        ));
        spec.min_instances = as_u32(self.size(
            "min_instances",
            "",
            &sizes.min_instances,
            spec.min_instances.into(),
        ));
        if let Some(max) = spec.max_instances {
            spec.max_instances = Some(as_u32(self.size(
                "max_instances",
                "",
                &sizes.max_instances,
                max.into(),
            )));
        }
        let env: u64 = spec
            .env
            .iter()
            .map(|(k, v)| (k.len() + v.len()) as u64)
            .sum();
        if env > sizes.env_bytes {
            self.violations.push(
                Violation::new(
                    "env",
                    format!(
                        "names and values together are at most {} bytes",
                        sizes.env_bytes
                    ),
                )
                .value(format!("{env} bytes")),
            );
        }
    }

    /// How events are delivered matters where they are taken at all; what is at its default was not asked.
    fn delivery(&mut self, caps: &Capabilities, spec: &Spec) {
        let Some(enqueue) = caps.enqueue.get() else {
            return;
        };
        let (asked, default) = (spec.delivery, Delivery::default());
        if asked.attempts != default.attempts && asked.attempts > enqueue.max_attempts {
            self.violations.push(
                Violation::new(
                    "delivery.attempts",
                    format!("the target makes at most {} attempts", enqueue.max_attempts),
                )
                .value(asked.attempts)
                .nearest(enqueue.max_attempts),
            );
        }
        if asked.backoff != default.backoff
            && self.need("enqueue.backoff", &enqueue.backoff)
            && let Support::Approximated((), note) = &enqueue.backoff
        {
            self.approximations.push(Approximation {
                field: "delivery.backoff_ms".to_owned(),
                asked: format!("{} ms", asked.backoff.as_millis()),
                actual: "the target's own".to_owned(),
                note: note.clone(),
            });
        }
    }

    fn governance(&mut self, caps: &Capabilities, spec: &mut Spec) {
        let governance = &caps.governance;
        if spec.identity.is_some() {
            self.need("governance.identity", &governance.identity);
        }
        if spec.network.is_some() {
            self.need("governance.network", &governance.network);
        }
        if spec.encryption_key.is_some() {
            self.need("governance.encryption_key", &governance.encryption_key);
        }
        if let Some(days) = spec.log_retention_days
            && self.need("governance.log_retention", &governance.log_retention)
            && let Some(sizes) = governance.log_retention.get()
        {
            let days = self.size("log_retention_days", " days", sizes, days.into());
            spec.log_retention_days = u32::try_from(days).ok();
        }
        if !spec.secrets.is_empty()
            && self.need("governance.secrets", &governance.secrets)
            && let Some(stores) = governance.secrets.get()
        {
            for (name, reference) in &spec.secrets {
                if !stores.iter().any(|store| store == reference.store()) {
                    self.violations.push(
                        Violation::new(format!("secrets.{name}"), "the target has no such store")
                            .value(reference.store())
                            .nearest(stores.join(" or ")),
                    );
                }
            }
        }
        for trigger in spec.triggers.iter().flatten() {
            let kind = trigger.source.kind();
            let field = format!("triggers.{kind}");
            match caps.triggers.get(&kind) {
                Some(support) => {
                    self.need(&field, support);
                }
                None => self
                    .missing
                    .push((field, format!("the target has no {kind} triggers"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{Artifacts, DeliveredBy, Deploy, Enqueue, Invoke, Resources};
    use crate::capability::{Lock, StartCheck, Switch};
    use crate::digest::Digest;
    use crate::spec::Artifact;

    fn caps(enqueue: Support<Enqueue>) -> Capabilities {
        let mut artifacts = Artifacts::none("");
        artifacts.zip = Support::Native(());
        artifacts.archs = vec![crate::spec::Arch::default()];
        let any = || Sizes::range(0, 1 << 40);
        let resources = Resources::new(any(), any(), any(), any(), any(), 1 << 20);
        let deploy = Deploy::new(Lock::Etag, Switch::ZeroDowntime, StartCheck::None);
        let mut caps = Capabilities::new(artifacts, resources, deploy, Invoke::new(1, 1));
        caps.enqueue = enqueue;
        caps
    }

    fn spec(delivery: Delivery, protocol: Protocol) -> Spec {
        let artifact = Artifact::new(Packaging::Zip { protocol }, Digest::of(b"zip"));
        let spec = Spec::builder("delivered", artifact).delivery(delivery);
        spec.build().unwrap()
    }

    #[test]
    fn a_pause_between_attempts_is_refused_or_named_unless_it_is_the_default() {
        let slow = Delivery {
            backoff: Duration::from_secs(7),
            ..Delivery::default()
        };
        let with = |backoff| {
            let mut enqueue = Enqueue::new(1, DeliveredBy::Platform);
            enqueue.backoff = backoff;
            caps(Support::Native(enqueue))
        };
        let fitted = |caps: &Capabilities, delivery| {
            let spec = spec(delivery, Protocol::RuntimeApi);
            fit(caps, "x", &spec).map(|fitted| fitted.approximations.len())
        };
        let minutes = || Support::Approximated((), "minutes".to_owned());
        assert_eq!(fitted(&with(minutes()), slow).unwrap(), 1);
        assert_eq!(fitted(&with(minutes()), Delivery::default()).unwrap(), 0);
        assert_eq!(fitted(&with(Support::Native(())), slow).unwrap(), 0);
        let refused = fitted(&with(Support::refused("no")), slow).unwrap_err();
        assert!(refused.to_string().contains("enqueue.backoff"), "{refused}");
        // Nobody delivers, so that nothing is weakened.
        assert_eq!(fitted(&caps(Support::refused("no")), slow).unwrap(), 0);
    }

    #[test]
    fn more_attempts_than_there_are_is_out_of_range() {
        let mut enqueue = Enqueue::new(1, DeliveredBy::Platform);
        enqueue.max_attempts = 1;
        let twice = Delivery {
            attempts: 2,
            ..Delivery::default()
        };
        let spec = spec(twice, Protocol::RuntimeApi);
        let error = fit(&caps(Support::Native(enqueue)), "x", &spec).unwrap_err();
        assert!(error.to_string().contains("delivery.attempts"), "{error}");
    }

    #[test]
    fn a_zip_that_is_a_server_needs_a_target_that_runs_servers() {
        let caps = caps(Support::refused("no"));
        let spec = spec(Delivery::default(), Protocol::Http);
        let error = fit(&caps, "x", &spec).unwrap_err();
        assert!(error.to_string().contains("artifacts.http"), "{error}");
    }
}
