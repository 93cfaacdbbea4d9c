//! What a target can and cannot take.

use std::time::Duration;

use anyport_core::capability::{Fit, Sizes, Support};
use anyport_core::outcome::Outcome;
use anyport_core::plan::State;
use anyport_core::spec::{
    Arch, Artifact, Delivery, Name, Network, Packaging, Spec, SpecBuilder, Trigger, TriggerKind,
    TriggerSource,
};
use anyport_core::{Digest, ErrorKind};

use super::{Case, case};
use crate::harness::Reference;
use crate::scene::{Client, Scene};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("deploy/invalid-everywhere", invalid_everywhere),
    case!("deploy/invalid-here", invalid_here),
    case!("deploy/refuses-what-is-missing", refuses_what_is_missing),
    case!("deploy/names-approximations", names_approximations),
];

/// Verifies a refusal: `Unsupported` with a capability and a hint, and no write since there were `from` calls.
pub(super) fn refused(
    client: &Client,
    result: anyport_core::Result<Outcome>,
    from: usize,
) -> Verdict {
    let error = match result {
        Ok(outcome) => fail!(
            "what the target does not declare came out as {}",
            outcome.change.word()
        ),
        Err(error) => error,
    };
    refusal(client, &error, from)?;
    Ok(Pass::Refused)
}

/// The same for any verb's error.
pub(super) fn refusal(
    client: &Client,
    error: &anyport_core::Error,
    from: usize,
) -> Result<(), Stop> {
    match error.kind() {
        ErrorKind::Unsupported { capability, hint } => {
            ensure!(!capability.is_empty(), "the refusal names no capability");
            ensure!(
                !hint.trim().is_empty(),
                "the refusal of {capability} does not say what to do instead"
            );
        }
        _ => fail!(
            "what the target does not declare must be Unsupported, not {}",
            Chain(error)
        ),
    }
    let sent: Vec<_> = client
        .script()
        .since(from)
        .into_iter()
        .filter(|call| call.is_write() || call.is_run())
        .map(|call| call.operation)
        .collect();
    ensure!(
        sent.is_empty(),
        "it was refused only after {}",
        sent.join(", ")
    );
    Ok(())
}

/// The rules that hold on every target: all violations at once.
async fn invalid_everywhere(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let packed = scene.package("")?;
    let built = Spec::builder("No_Name", packed.artifact)
        .memory_mb(0)
        .timeout(Duration::ZERO)
        .env("lower-case", "x")
        .env("PORT", "1")
        .secret("TOKEN", "hunter2")
        .tag("Bad Tag", "x")
        .build();
    let violations = match built {
        Ok(_) => fail!("a spec that breaks seven rules was built"),
        Err(violations) => violations,
    };
    for field in [
        "name",
        "memory_mb",
        "timeout",
        "env.lower-case",
        "env.PORT",
        "secrets.TOKEN",
        "tags.Bad Tag",
    ] {
        ensure!(
            violations
                .iter()
                .any(|found| found.field == field && !found.rule.is_empty()),
            "the violation of {field} is not among: {violations}"
        );
    }
    ensure!(
        !violations.to_string().contains("hunter2"),
        "a secret pasted by mistake is shown"
    );
    // A spec that came from elsewhere than the builder is checked as well.
    let name = scene.name("invalid");
    let mut spec = client.spec(&name, "a").build()?;
    spec.memory_mb = 0;
    let from = client.script().count();
    invalid(&client, client.put(spec).await, &["memory_mb"], from)?;
    Ok(Pass::Holds)
}

/// Verifies that a spec was refused as `InvalidSpec` for each of `fields`, before anything was written since there were `from` calls.
pub(super) fn invalid(
    client: &Client,
    result: anyport_core::Result<Outcome>,
    fields: &[&str],
    from: usize,
) -> Result<(), Stop> {
    let error = match result {
        Ok(outcome) => fail!("an invalid spec came out as {}", outcome.change.word()),
        Err(error) => error,
    };
    let ErrorKind::InvalidSpec(violations) = error.kind() else {
        fail!("an invalid spec must be InvalidSpec, not {}", Chain(&error));
    };
    for field in fields {
        let Some(found) = violations.iter().find(|found| found.field == *field) else {
            fail!("the violation of {field} is not among: {violations}");
        };
        ensure!(
            !found.rule.is_empty() && found.value.is_some(),
            "the violation of {field} lacks its rule or value: {found}"
        );
        ensure!(
            found.nearest.is_some() || *field == "env",
            "the violation of {field} names no valid neighbour: {found}"
        );
    }
    let writes = client.writes_since(from);
    ensure!(
        writes.is_empty(),
        "an invalid spec was refused only after {} writes",
        writes.len()
    );
    Ok(())
}

/// The target's own limits: all violations at once, before anything is sent.
async fn invalid_here(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("over");
    let sizes = client.caps().resources.clone();
    let mut fields = Vec::new();
    let mut spec = client.spec(&name, "a").build()?;
    if let Ok(memory) = u32::try_from(sizes.memory_mb.max() + 1) {
        spec.memory_mb = memory;
        fields.push("memory_mb");
    }
    spec.timeout = Duration::from_millis(sizes.timeout_ms.max() + 1);
    fields.push("timeout");
    if let Ok(concurrency) = u32::try_from(sizes.concurrency.max() + 1) {
        spec.concurrency = concurrency;
        fields.push("concurrency");
    }
    let other = [Arch::X86_64, Arch::Arm64];
    let archs = &client.caps().artifacts.archs;
    if let Some(other) = other.into_iter().find(|arch| !archs.contains(arch)) {
        spec.artifact.arch = other;
        fields.push("artifact.arch");
    }
    if sizes.env_bytes < 16 << 20 {
        let value = "x".repeat(usize::try_from(sizes.env_bytes).unwrap_or(usize::MAX));
        spec.env.insert("LARGE_VALUE".to_owned(), value);
        fields.push("env");
    }
    let before = scene.inventory().await?;
    let from = client.script().count();
    invalid(&client, client.put(spec).await, &fields, from)?;
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "an invalid spec left something: {}",
        differs.join(", ")
    );
    Ok(Pass::Holds)
}

/// A part of a spec that a target may lack.
struct Optional {
    what: String,
    support: Support<()>,
    spec: SpecBuilder,
    field: String,
}

fn optional_parts(scene: &Scene, client: &Client, name: &Name) -> Vec<Optional> {
    let caps = client.caps();
    let mut parts = Vec::new();
    let mut add = |what: &str, support: &Support<()>, spec: SpecBuilder, field: &str| {
        parts.push(Optional {
            what: what.to_owned(),
            support: support.clone(),
            spec,
            field: field.to_owned(),
        });
    };
    let spec = || client.spec(name, "a");
    let governance = &caps.governance;
    add(
        "identity",
        &governance.identity,
        spec().identity(scene.reference(Reference::Identity)),
        "identity",
    );
    let mut network = Network::default();
    network.subnets.push(scene.reference(Reference::Subnet));
    let group = scene.reference(Reference::SecurityGroup);
    network.security_groups.push(group);
    add(
        "network",
        &governance.network,
        spec().network(network),
        "network",
    );
    add(
        "encryption key",
        &governance.encryption_key,
        spec().encryption_key(scene.reference(Reference::EncryptionKey)),
        "encryption_key",
    );
    let days = governance
        .log_retention
        .get()
        .map_or(30, |sizes| crate::scene::fitting(sizes, 30));
    add(
        "log retention",
        &governance.log_retention.clone().map(|_| ()),
        spec().log_retention_days(u32::try_from(days).unwrap_or(u32::MAX)),
        "log_retention_days",
    );
    if let Some(enqueue) = caps.enqueue.get() {
        let delivery = Delivery {
            backoff: Duration::from_millis(7_000),
            ..Delivery::default()
        };
        add(
            "a pause between attempts",
            &enqueue.backoff,
            spec().delivery(delivery),
            "delivery.backoff_ms",
        );
    }
    add(
        "settings of another product",
        &Support::refused("not here"),
        spec().native("another-product", serde_json::json!({"a": 1})),
        "native.another-product",
    );
    let image = Packaging::Image {
        repository: "registry.example/probe".to_owned(),
    };
    add(
        "images",
        &caps.artifacts.image,
        Spec::builder(name.as_str(), Artifact::new(image, Digest::of(b"image"))),
        "artifact.repository",
    );
    for kind in TriggerKind::ALL {
        if let (Some(source), None | Some(Support::Refused(_))) =
            (trigger_source(kind), caps.triggers.get(&kind))
        {
            add(
                &format!("{kind} triggers"),
                &Support::refused("not here"),
                spec().trigger(Trigger::new("trigger", source)),
                "triggers",
            );
        }
    }
    parts
}

/// What a trigger of this kind may listen to.
pub(crate) fn trigger_source(kind: TriggerKind) -> Option<TriggerSource> {
    Some(match kind {
        TriggerKind::Http => TriggerSource::Http { public: false },
        TriggerKind::Schedule => TriggerSource::Schedule {
            cron: "0 6 * * *".parse().ok()?,
            zone: None,
        },
        TriggerKind::Queue => TriggerSource::Queue {
            queue: "queue".to_owned(),
        },
        TriggerKind::Topic => TriggerSource::Topic {
            topic: "topic".to_owned(),
        },
        TriggerKind::ObjectCreated => TriggerSource::ObjectCreated {
            bucket: "bucket".to_owned(),
            prefix: None,
            suffix: None,
        },
        _ => return None,
    })
}

/// Every optional part of a spec is refused where it is not declared, and in the plan where it is.
async fn refuses_what_is_missing(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("optional");
    let before = scene.inventory().await?;
    for part in optional_parts(scene, &client, &name) {
        let from = client.script().count();
        let spec = part.spec.build()?;
        let fields = spec.fields();
        let desired = client.desired(name.clone(), State::Present(Box::new(spec.clone())));
        if part.support.is_supported() {
            // Images cannot be made here; that the plan takes them is all that can be seen.
            let plan = client.plan(desired).await?;
            let asked = fields.get(&part.field).map(ToString::to_string);
            let planned = plan
                .fields
                .iter()
                .find(|change| change.field == part.field)
                .and_then(|change| change.to.clone());
            ensure!(
                planned == asked,
                "{} is declared; {asked:?} was asked and the plan says {planned:?}",
                part.what
            );
            let rounded = plan.approximations.iter();
            let said = rounded.map(|it| &it.field).any(|it| *it == part.field);
            let approximated = matches!(part.support, Support::Approximated(..));
            ensure!(
                said || !approximated,
                "{} is approximated, and the plan does not say so",
                part.what
            );
            continue;
        }
        for result in [
            client.plan(desired).await.map(|_| ()),
            client.put_any(spec).await.map(|_| ()),
        ] {
            match result {
                Ok(()) => fail!("{} is not declared, and was accepted", part.what),
                Err(error) => refusal(&client, &error, from)?,
            }
        }
    }
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "what was refused left something: {}",
        differs.join(", ")
    );
    Ok(Pass::Holds)
}

/// A memory size between two sizes is rounded up and named; a size that exists is taken as it is.
async fn names_approximations(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("rounded");
    let sizes = &client.caps().resources.memory_mb;
    let exact = client.spec(&name, "a").build()?.memory_mb;
    let between = between(sizes);
    let asked = between.map_or(exact, |(asked, _)| asked);
    let spec = client.spec(&name, "a").memory_mb(asked).build()?;
    let plan = client
        .plan(client.desired(name.clone(), State::Present(Box::new(spec.clone()))))
        .await?;
    let outcome = client.put(spec).await?;
    for (what, said) in [
        ("plan", &plan.approximations),
        ("outcome", &outcome.approximations),
    ] {
        let said = said.iter().find(|said| said.field == "memory_mb");
        match (between, said) {
            (None, None) => {}
            (None, Some(said)) => fail!("the {what} rounds a size that exists: {said:?}"),
            (Some((asked, _)), None) => fail!("the {what} does not say that {asked} MB is rounded"),
            (Some((_, size)), Some(said)) => ensure!(
                said.actual.starts_with(&size.to_string()),
                "the {what} says {} and the next size is {size} MB",
                said.actual
            ),
        }
    }
    let want = between.map_or(exact, |(_, size)| size);
    let seen = client.status(&name).await?;
    let there = seen.fields.get("memory_mb").map(|value| value.expose());
    ensure!(
        there == Some(want.to_string().as_str()),
        "{want} MB was said and {there:?} is there"
    );
    Ok(Pass::Holds)
}

/// A number between two sizes, and the next larger size; none where every number is a size.
fn between(sizes: &Sizes) -> Option<(u32, u32)> {
    (sizes.min()..sizes.max())
        .take(4096)
        .find_map(|want| match sizes.fit(want) {
            Fit::Up(size) => Some((u32::try_from(want).ok()?, u32::try_from(size).ok()?)),
            _ => None,
        })
}
