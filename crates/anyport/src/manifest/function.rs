//! One function's table as a spec, with every rule that holds on all targets checked.

use std::time::Duration;

use anyport_core::Digest;
use anyport_core::error::{Violation, Violations};
use anyport_core::spec::{
    Arch as CoreArch, Artifact, Cron, DataClass, Delivery, Network, Spec, SpecBuilder, Trigger,
    TriggerSource,
};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::document::{Arch, Data, DeliveryTable, TriggerName, TriggerTable, Workload};
use super::source::{self, Source};
use super::spans::Spans;
use super::{duration, nearest};

/// A function whose spec is valid on every target, as far as that can be said without its artifact.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    /// `function` or `service`.
    pub table: &'static str,
    /// The spec; its artifact has the right packaging, but no bytes yet.
    pub spec: Spec,
    /// Where its code comes from.
    pub source: Source,
    /// The place it runs at, if one is named.
    pub at: Option<String>,
    /// Whether the manifest names the architecture.
    pub arch_is_given: bool,
}

pub(super) fn check(
    table: &'static str,
    name: &str,
    workload: &Workload,
    spans: &Spans,
    found: &mut Diagnostics,
) -> Option<Checked> {
    let source_path = [table, name, "source"];
    let source = source::read(&workload.source, spans, &source_path, found);
    // A stand-in lets the rest be checked although the source is wrong.
    let stand_in = Source::Bin {
        path: "bootstrap".into(),
        protocol: anyport_core::spec::Protocol::default(),
    };
    let packaging = source.as_ref().unwrap_or(&stand_in).packaging();
    let digest = match &source {
        Some(Source::Image { digest, .. }) => *digest,
        _ => Digest::of(b""),
    };
    let artifact = Artifact::new(packaging, digest).with_arch(arch(workload));
    let mut violations = Violations::none();
    let builder = fields(
        table,
        Spec::builder(name, artifact),
        workload,
        &mut violations,
    );
    let spec = builder.build();
    if let Err(more) = &spec {
        violations.extend(more.clone());
    }
    for violation in &violations {
        found.push(Diagnostic::of_violation(violation, spans, &[table, name]));
    }
    Some(Checked {
        table,
        spec: spec.ok()?,
        source: source?,
        at: workload.at.clone(),
        arch_is_given: workload.arch.is_some(),
    })
}

fn arch(workload: &Workload) -> CoreArch {
    match workload.arch {
        Some(Arch::X86_64) => CoreArch::X86_64,
        Some(Arch::Arm64) => CoreArch::Arm64,
        None => CoreArch::of_this_machine().unwrap_or_default(),
    }
}

/// Sets everything that the table sets; what cannot even be read is a violation.
fn fields(
    table: &str,
    mut spec: SpecBuilder,
    workload: &Workload,
    violations: &mut Violations,
) -> SpecBuilder {
    if table == "service" {
        spec = spec.service(workload.min_instances.unwrap_or(1));
    } else if let Some(floor) = workload.min_instances {
        spec = spec.min_instances(floor);
    }
    if let Some(mb) = workload.memory_mb {
        spec = spec.memory_mb(mb);
    }
    if let Some(limit) = time("timeout", workload.timeout.as_deref(), violations) {
        spec = spec.timeout(limit);
    }
    for (name, value) in &workload.env {
        spec = spec.env(name, value);
    }
    for (name, reference) in &workload.secrets {
        spec = spec.secret(name, reference);
    }
    for (key, value) in &workload.tags {
        spec = spec.tag(key, value);
    }
    for (product, settings) in &workload.native {
        spec = spec.native(product, settings.clone());
    }
    if let Some(reference) = &workload.identity {
        spec = spec.identity(reference);
    }
    if let Some(reference) = &workload.encryption_key {
        spec = spec.encryption_key(reference);
    }
    if let Some(table) = &workload.network {
        let mut network = Network::default();
        network.subnets.clone_from(&table.subnets);
        network.security_groups.clone_from(&table.security_groups);
        network.connector.clone_from(&table.connector);
        spec = spec.network(network);
    }
    if let Some(days) = workload.log_retention_days {
        spec = spec.log_retention_days(days);
    }
    if let Some(requests) = workload.concurrency {
        spec = spec.concurrency(requests);
    }
    if let Some(most) = workload.max_instances {
        spec = spec.max_instances(most);
    }
    if let Some(table) = &workload.delivery {
        spec = spec.delivery(delivery(table, violations));
    }
    if let Some(triggers) = &workload.triggers {
        spec = spec.no_triggers();
        for (name, table) in triggers {
            if let Some(trigger) = trigger(name, table, violations) {
                spec = spec.trigger(trigger);
            }
        }
    }
    spec.protect(workload.protect).data(match workload.data {
        Some(Data::Public) => DataClass::Public,
        Some(Data::Personal) => DataClass::Personal,
        Some(Data::Internal) | None => DataClass::Internal,
    })
}

fn time(field: &str, text: Option<&str>, violations: &mut Violations) -> Option<Duration> {
    match duration::field(field, text?) {
        Ok(time) => Some(time),
        Err(violation) => {
            violations.push(violation);
            None
        }
    }
}

fn delivery(table: &DeliveryTable, violations: &mut Violations) -> Delivery {
    let default = Delivery::default();
    let backoff = time("delivery.backoff", table.backoff.as_deref(), violations);
    let max_age = time("delivery.max_age", table.max_age.as_deref(), violations);
    Delivery {
        attempts: table.attempts.unwrap_or(default.attempts),
        backoff: backoff.unwrap_or(default.backoff),
        max_age: max_age.unwrap_or(default.max_age),
    }
}

fn trigger(name: &str, table: &TriggerTable, violations: &mut Violations) -> Option<Trigger> {
    let field = format!("triggers.{name}");
    let (kind, own): (&str, &[&str]) = match table.source {
        TriggerName::Http => ("http", &["public"]),
        TriggerName::Schedule => ("schedule", &["cron", "zone"]),
        TriggerName::Queue => ("queue", &["queue"]),
        TriggerName::Topic => ("topic", &["topic"]),
        TriggerName::ObjectCreated => ("object-created", &["bucket", "prefix", "suffix"]),
    };
    for key in trigger_keys(table)
        .into_iter()
        .filter(|key| !own.contains(key))
    {
        let rule = format!(
            "`{key}` does not go with the source {kind}; with it go {}",
            own.join(", ")
        );
        violations.push(Violation::new(&*field, rule));
    }
    let source = match table.source {
        TriggerName::Http => TriggerSource::Http {
            public: table.public.unwrap_or_default(),
        },
        TriggerName::Schedule => TriggerSource::Schedule {
            cron: cron(&field, table.cron.as_deref(), violations)?,
            zone: table.zone.clone(),
        },
        // A name that is missing is empty, and refused as such with everything else.
        TriggerName::Queue => TriggerSource::Queue {
            queue: table.queue.clone().unwrap_or_default(),
        },
        TriggerName::Topic => TriggerSource::Topic {
            topic: table.topic.clone().unwrap_or_default(),
        },
        TriggerName::ObjectCreated => TriggerSource::ObjectCreated {
            bucket: table.bucket.clone().unwrap_or_default(),
            prefix: table.prefix.clone(),
            suffix: table.suffix.clone(),
        },
    };
    Some(Trigger::new(name, source))
}

fn cron(field: &str, text: Option<&str>, violations: &mut Violations) -> Option<Cron> {
    let parsed = match text {
        Some(text) => text.parse(),
        None => Err(Violation::new(field, "a schedule needs `cron`").nearest("0 6 * * *")),
    };
    parsed
        .map_err(|mut violation| {
            field.clone_into(&mut violation.field);
            violations.push(violation);
        })
        .ok()
}

fn trigger_keys(table: &TriggerTable) -> Vec<&'static str> {
    let all = [
        ("public", table.public.is_some()),
        ("cron", table.cron.is_some()),
        ("zone", table.zone.is_some()),
        ("queue", table.queue.is_some()),
        ("topic", table.topic.is_some()),
        ("bucket", table.bucket.is_some()),
        ("prefix", table.prefix.is_some()),
        ("suffix", table.suffix.is_some()),
    ];
    all.into_iter()
        .filter(|(_, set)| *set)
        .map(|(key, _)| key)
        .collect()
}

/// A place that is not bound, with the nearest that is.
pub(super) fn unbound<'a>(
    place: &str,
    wherever: &str,
    bound: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let help = nearest::suggestion(place, "the places are", bound);
    Diagnostic::new(
        "unbound_place",
        format!("the place `{place}` is not bound {wherever}"),
    )
    .help(help)
}
