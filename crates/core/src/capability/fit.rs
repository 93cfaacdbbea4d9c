//! Fits a spec to a target: exact, approximated and said, or refused with everything that does not fit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Capabilities;
use super::support::{Fit, Sizes, Support};
use crate::error::{Error, ErrorKind, Result, Violation, Violations};
use crate::spec::{Kind, Packaging, Spec};

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
        let name = artifact.packaging.name();
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
