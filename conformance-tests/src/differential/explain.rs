//! Which declared capabilities an act depends on: the only things that may explain a difference.

use anyport_core::spec::TriggerKind;
use serde_json::Value;

use super::act::{Act, Part, Payload};
use super::seen::Seen;

const VERSIONS: &str = "/versions";
const TRAFFIC: &str = "/traffic";

/// The capabilities, as paths in their JSON form, that this aspect of this act depends on.
pub(super) fn depends_on(act: Act, aspect: &str) -> Vec<&'static str> {
    let mut keys = of_act(act).to_vec();
    keys.extend(of_aspect(aspect));
    keys
}

fn of_act(act: Act) -> &'static [&'static str] {
    match act {
        Act::Ask(part) => of_part(part),
        Act::Invoke(payload) => of_payload(payload),
        Act::Enqueue | Act::GiveUp => &["/enqueue"],
        Act::Logs => &["/logs"],
        Act::Rollback => &[VERSIONS],
        Act::Split => &[TRAFFIC],
        Act::Join => &[TRAFFIC, VERSIONS],
        Act::Deploy(_)
        | Act::Remove
        | Act::Release
        | Act::Adopt
        | Act::Tamper
        | Act::Restart
        | Act::List => &[],
    }
}

fn of_part(part: Part) -> &'static [&'static str] {
    match part {
        Part::Identity => &["/governance/identity"],
        Part::Network => &["/governance/network"],
        Part::EncryptionKey => &["/governance/encryption_key"],
        Part::LogRetention => &["/governance/log_retention"],
        Part::Secret => &["/governance/secrets"],
        Part::MostInstances => &["/resources/max_instances"],
        Part::Concurrency => &["/resources/concurrency"],
        Part::MemoryBetween | Part::TooMuchMemory => &["/resources/memory_mb"],
        Part::TimeBetween | Part::TooMuchTime => &["/resources/timeout_ms"],
        Part::Server => &["/artifacts/http"],
        Part::Image => &["/artifacts/image"],
        Part::Service => &["/artifacts/services", "/resources/min_instances"],
        Part::OtherArch => &["/artifacts/archs"],
        Part::Trigger(TriggerKind::Http) => &["/triggers/http"],
        Part::Trigger(TriggerKind::Schedule) => &["/triggers/schedule"],
        Part::Trigger(TriggerKind::Queue) => &["/triggers/queue"],
        Part::Trigger(TriggerKind::Topic) => &["/triggers/topic"],
        Part::Trigger(_) => &["/triggers"],
        Part::Pause => &["/enqueue"],
        Part::LargeEnvironment => &["/resources/env_bytes"],
        Part::CannotStart => &["/deploy/start_check"],
        Part::Tags | Part::Protection | Part::OtherProduct => &[],
    }
}

fn of_payload(payload: Payload) -> &'static [&'static str] {
    match payload {
        Payload::Binary | Payload::Text | Payload::Nothing => &["/invoke/media"],
        Payload::SevenMegabytes => &["/invoke/max_request", "/invoke/max_reply"],
        Payload::WithKey => &["/invoke/idempotency_key"],
        Payload::OfNoVersion => &["/invoke/by_version"],
        Payload::Streamed => &["/invoke/streaming", "/invoke/max_reply"],
        Payload::Overruns => &["/invoke/stops_code"],
        Payload::Who
        | Payload::Json
        | Payload::OddJson
        | Payload::OverTheLimit
        | Payload::Fails
        | Payload::Panics
        | Payload::Exits => &[],
    }
}

fn of_aspect(aspect: &str) -> &'static [&'static str] {
    match aspect {
        "version" | "status.versions" => &[VERSIONS],
        "status.split" => &[VERSIONS, TRAFFIC],
        "status.events" => &["/enqueue"],
        "status.field.memory_mb" => &["/resources/memory_mb"],
        "status.field.timeout_ms" => &["/resources/timeout_ms"],
        _ => &[],
    }
}

/// The first of `keys` that the two targets declare differently, in words, as long as what came out on each fits what it declares.
pub(super) fn explanation(
    keys: &[&'static str],
    caps: [&Value; 2],
    seen: [&Seen; 2],
) -> Option<String> {
    keys.iter().find_map(|key| {
        let declared = caps.map(|caps| caps.pointer(key).unwrap_or(&Value::Null));
        if declared[0] == declared[1] {
            return None;
        }
        let fits = |side: usize| match declared[side] {
            declared if seen[side].result() == "unsupported" => is_refusal(declared),
            _ => true,
        };
        (fits(0) && fits(1)).then(|| {
            let path = key.trim_start_matches('/').replace('/', ".");
            format!(
                "{path} is {} and {}",
                words(declared[0]),
                words(declared[1])
            )
        })
    })
}

/// Sizes and lists refuse by what is not in them.
fn is_refusal(declared: &Value) -> bool {
    match declared {
        Value::Object(support) => !["native", "emulated", "approximated"]
            .iter()
            .any(|it| support.contains_key(*it)),
        Value::Null | Value::Array(_) => true,
        _ => false,
    }
}

/// A capability, short enough for a line.
fn words(declared: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match declared {
        Value::Null => return "not there".to_owned(),
        Value::Object(support) if support.len() == 1 => {
            let (word, details) = support
                .iter()
                .next()
                .map_or(("", &Value::Null), |(k, v)| (k, v));
            match details {
                Value::Null | Value::String(_) => word.to_owned(),
                details => format!("{word} {details}"),
            }
        }
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(result: &str) -> Seen {
        let mut seen = Seen::default();
        seen.set("result", result);
        seen
    }

    #[test]
    fn only_a_declared_difference_explains_and_only_what_fits_it() {
        let has = json!({"governance": {"identity": {"native": null}}});
        let lacks = json!({"governance": {"identity": {"refused": "no roles"}}});
        let key = ["/governance/identity"];
        let (done, refused) = (seen("created"), seen("unsupported"));
        let said = explanation(&key, [&has, &lacks], [&done, &refused]);
        assert_eq!(said.unwrap(), "governance.identity is native and refused");
        assert_eq!(explanation(&key, [&has, &has], [&done, &refused]), None);
        // The one that declares it refused it.
        assert_eq!(explanation(&key, [&has, &lacks], [&refused, &done]), None);
        assert_eq!(explanation(&[], [&has, &lacks], [&done, &refused]), None);
    }

    #[test]
    fn every_difference_that_a_table_explains_is_in_the_capabilities() {
        use anyport_core::capability::{Artifacts, Capabilities, Deploy, Invoke, Resources, Sizes};
        use anyport_core::capability::{Lock, StartCheck, Switch};
        let one = || Sizes::only(1);
        let caps = Capabilities::new(
            Artifacts::none(""),
            Resources::new(one(), one(), one(), one(), one(), 1),
            Deploy::new(Lock::None, Switch::Restart, StartCheck::None),
            Invoke::new(1, 1),
        );
        let caps = serde_json::to_value(caps).unwrap();
        for sequence in super::super::act::sequences(0) {
            for act in sequence.acts {
                for key in depends_on(act, "status.split") {
                    let is_trigger = key.starts_with("/triggers/");
                    assert!(is_trigger || caps.pointer(key).is_some(), "{act}: {key}");
                }
            }
        }
    }
}
