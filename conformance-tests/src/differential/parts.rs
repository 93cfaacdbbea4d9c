//! The specs and calls behind the acts.

use std::sync::Arc;
use std::time::Duration;

use anyport_core::Digest;
use anyport_core::call::Call;
use anyport_core::content::Content;
use anyport_core::spec::{
    Arch, Artifact, Delivery, Name, Network, Packaging, Protocol, Spec, Trigger,
};
use anyport_testkit::probe::{Command, START};

use super::act::{Part, Payload};
use super::play::no_version;
use crate::cases::trigger_source;
use crate::harness::Reference;
use crate::scene::{Client, Scene, fitting};
use crate::verdict::Stop;

/// The spec that asks for this, and its artifact.
pub(super) fn spec(
    scene: &Scene,
    client: &Client,
    name: &Name,
    part: Part,
) -> Result<(Spec, Arc<dyn Content>), Stop> {
    let packed = scene.package("")?;
    let plain = client.spec_of(&packed, name, "a");
    let spec = match part {
        Part::Identity => plain.identity(scene.reference(Reference::Identity)),
        Part::Network => {
            let mut network = Network::default();
            network.subnets.push(scene.reference(Reference::Subnet));
            let group = scene.reference(Reference::SecurityGroup);
            network.security_groups.push(group);
            plain.network(network)
        }
        Part::EncryptionKey => plain.encryption_key(scene.reference(Reference::EncryptionKey)),
        Part::LogRetention => plain.log_retention_days(30),
        Part::Secret => plain.secret("DB_PASSWORD", "secret://file/none"),
        Part::Tags => plain.tag("team", "payments"),
        Part::Protection => plain.protect(true),
        Part::MostInstances => plain.max_instances(2),
        Part::Concurrency => plain.concurrency(3),
        Part::MemoryBetween => plain.memory_mb(333),
        Part::TooMuchMemory => plain.memory_mb(20_000),
        Part::TimeBetween => plain.timeout(Duration::from_millis(1_500)),
        Part::TooMuchTime => plain.timeout(Duration::from_secs(1_000)),
        Part::Server => {
            let mut server = packed.clone();
            server.artifact.packaging = Packaging::Zip {
                protocol: Protocol::Http,
            };
            client.spec_of(&server, name, "a")
        }
        Part::Image => {
            let image = Packaging::Image {
                repository: "registry.example/probe".to_owned(),
            };
            let artifact = Artifact::new(image, Digest::of(b"image"));
            Spec::builder(name.as_str(), artifact)
        }
        Part::Service => plain.service(1),
        Part::OtherArch => {
            let mut other = packed.clone();
            other.artifact.arch = match Arch::of_this_machine() {
                Some(Arch::Arm64) => Arch::X86_64,
                _ => Arch::Arm64,
            };
            client.spec_of(&other, name, "a")
        }
        Part::OtherProduct => plain.native("another-product", serde_json::json!({"a": 1})),
        Part::Trigger(kind) => {
            let unknown = || Stop::NotRun(format!("the suite has no source of kind {kind}"));
            let source = trigger_source(kind).ok_or_else(unknown)?;
            plain.trigger(Trigger::new("trigger", source))
        }
        Part::Pause => plain.delivery(Delivery {
            backoff: Duration::from_secs(7),
            ..Delivery::default()
        }),
        Part::LargeEnvironment => plain.env("LARGE", "x".repeat(5_000)),
        Part::CannotStart => plain.env(START, "exit"),
    };
    Ok((spec.build()?, packed.content))
}

/// A spec with the shortest limit on time that is not below a second.
pub(super) fn impatient(client: &Client, name: &Name) -> Result<Spec, Stop> {
    let limit = fitting(&client.caps().resources.timeout_ms, 1_000);
    let spec = client.spec(name, "a").timeout(Duration::from_millis(limit));
    Ok(spec.build()?)
}

/// A command whose handler returns an error.
pub(super) fn fails() -> Command {
    Command::Fail {
        kind: "Asked".to_owned(),
        message: "as asked".to_owned(),
    }
}

/// The call that sends this.
pub(super) fn call(client: &Client, name: &Name, payload: Payload) -> Call {
    let asks = |command: &Command| client.call(name, command);
    let sends = |content_type: &str, bytes: Vec<u8>| {
        let mut call = Call::new(name.clone(), bytes);
        call.content_type = content_type.to_owned();
        call
    };
    let json = "application/json";
    match payload {
        Payload::Who => asks(&Command::Who),
        Payload::Json => sends(json, b"{\"a\": [1, 2.50, null]}".to_vec()),
        Payload::OddJson => sends(
            "application/problem+json",
            b" {\"b\":1,\"a\" : 1e400 }\n".to_vec(),
        ),
        Payload::Binary => sends("image/png", (0..=255).cycle().take(5_000).collect()),
        Payload::Text => sends("text/plain; charset=utf-8", "na\u{ef}ve".into()),
        Payload::Nothing => sends("application/octet-stream", Vec::new()),
        Payload::SevenMegabytes => sends(json, text(7 << 20)),
        Payload::OverTheLimit => {
            let limit = usize::try_from(client.caps().invoke.max_request).unwrap_or(usize::MAX);
            sends(json, text(limit.saturating_add(1)))
        }
        Payload::WithKey => {
            let mut call = asks(&Command::Context);
            call.idempotency_key = Some("key-1".to_owned());
            call
        }
        Payload::OfNoVersion => {
            let mut call = asks(&Command::Who);
            call.qualifier = no_version();
            call
        }
        Payload::Streamed => asks(&Command::Stream {
            pieces: 3,
            size: 64,
            pause_ms: 0,
        }),
        Payload::Fails => asks(&fails()),
        Payload::Panics => asks(&Command::Panic {
            message: "about to panic".to_owned(),
        }),
        Payload::Exits => asks(&Command::Exit {
            message: "about to exit".to_owned(),
        }),
        Payload::Overruns => asks(&Command::Sleep {
            ms: 30_000,
            mark: String::new(),
        }),
    }
}

/// A JSON text of this many bytes.
fn text(size: usize) -> Vec<u8> {
    let mut text = vec![b'x'; size];
    if let [first, .., last] = &mut text[..] {
        (*first, *last) = (b'"', b'"');
    }
    text
}

/// A value in the probe's answer.
pub(super) fn value(body: &[u8], key: &str) -> String {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    answer[key].to_string()
}
