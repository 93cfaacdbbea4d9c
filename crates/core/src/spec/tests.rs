//! Properties of specs: differences are exact, a hash stands for all fields, violations are complete and stable in order.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Digest;

fn artifact(code: &str) -> Artifact {
    let protocol = Protocol::RuntimeApi;
    Artifact::new(Packaging::Zip { protocol }, Digest::of(code.as_bytes()))
}

fn specs() -> impl Strategy<Value = Spec> {
    let numbers = (
        1u32..5,
        1u64..5,
        1u32..3,
        0u32..2,
        prop::option::of(2u32..4),
    );
    let words = (
        prop::collection::btree_map("MY_[A-C]", "[a-b]{0,2}", 0..3),
        prop::collection::btree_map("[a-c]{1,2}", "[a-b]{0,2}", 0..3),
        prop::option::of("[a-b]"),
        prop::option::of(1u32..3),
    );
    let rest = (
        any::<bool>(),
        prop::option::of(prop::collection::btree_set("trig-[a-c]", 0..3)),
        prop::option::of(0u8..3),
        prop::collection::btree_set("SECRET_[A-C]", 0..2),
    );
    ("[a-c]", numbers, words, rest).prop_map(|(code, numbers, words, rest)| {
        let (memory, seconds, concurrency, min, max) = numbers;
        let (env, tags, identity, days) = words;
        let (protect, triggers, native, secrets) = rest;
        let mut builder = Spec::builder("hello", artifact(&code))
            .memory_mb(memory)
            .timeout(Duration::from_secs(seconds))
            .concurrency(concurrency)
            .min_instances(min)
            .protect(protect);
        for (name, value) in env {
            builder = builder.env(name, value);
        }
        for (key, value) in tags {
            builder = builder.tag(key, value);
        }
        for name in secrets {
            builder = builder.secret(name, "secret://file/token");
        }
        if let Some(max) = max {
            builder = builder.max_instances(max);
        }
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        if let Some(days) = days {
            builder = builder.log_retention_days(days);
        }
        if let Some(value) = native {
            builder = builder.native("lambda", value.into());
        }
        if let Some(triggers) = triggers {
            builder = builder.no_triggers();
            for name in triggers {
                builder = builder.trigger(Trigger::new(name, TriggerSource::Http { public: true }));
            }
        }
        builder.build().unwrap()
    })
}

type Fault = (&'static str, fn(SpecBuilder) -> SpecBuilder);

/// Every way to break a rule, with the field that is named for it. Any set of them may come together.
const FAULTS: [Fault; 18] = [
    ("artifact.handler", |b| b),
    ("concurrency", |b| b.concurrency(0)),
    ("delivery.attempts", |b| b),
    ("encryption_key", |b| b.encryption_key(" ")),
    ("env.PATH", |b| b.env("PATH", "x")),
    ("env.VALUE", |b| b.env("VALUE", "nul\0")),
    ("env.lower", |b| b.env("lower", "x")),
    ("identity", |b| b.identity("")),
    ("log_retention_days", |b| b.log_retention_days(0)),
    ("max_instances", |b| b.min_instances(7).max_instances(3)),
    ("memory_mb", |b| b.memory_mb(0)),
    ("name", |b| b),
    ("secrets.TOKEN", |b| b.secret("TOKEN", "hunter2")),
    ("secrets.TWICE", |b| {
        b.secret("TWICE", "secret://file/x").env("TWICE", "y")
    }),
    ("tags.BIG", |b| b.tag("BIG", "x")),
    ("timeout", |b| b.timeout(Duration::ZERO)),
    ("triggers.Bad Name", |b| {
        b.trigger(Trigger::new(
            "Bad Name",
            TriggerSource::Http { public: false },
        ))
    }),
    ("triggers.again", |b| {
        let queue = || TriggerSource::Queue { queue: "q".into() };
        b.trigger(Trigger::new("again", queue()))
            .trigger(Trigger::new("again", queue()))
    }),
];

/// Builds a spec with the faults of this set, made in this order.
fn broken(order: &[usize]) -> Vec<crate::error::Violation> {
    let has = |field| order.iter().any(|fault| FAULTS[*fault].0 == field);
    // Three faults are in what the builder starts with or takes whole.
    let name = if has("name") { "No" } else { "hello" };
    let handler = if has("artifact.handler") {
        "nothing"
    } else {
        "app.handler"
    };
    let packaging = Packaging::Bundle {
        runtime: "python3".parse().unwrap(),
        handler: handler.to_owned(),
    };
    let mut builder = Spec::builder(name, Artifact::new(packaging, Digest::of(b"x")));
    if has("delivery.attempts") {
        builder = builder.delivery(Delivery {
            attempts: 9,
            ..Delivery::default()
        });
    }
    for fault in order {
        builder = FAULTS[*fault].1(builder);
    }
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(found) => found.into_iter().collect(),
    }
}

proptest! {
    #[test]
    fn a_spec_comes_back_from_its_fields(spec in specs()) {
        let fields = spec.fields();
        let back = Spec::from_fields(&spec.name, &fields).unwrap();
        prop_assert_eq!(back.fields(), fields);
    }

    #[test]
    fn a_spec_does_not_differ_from_what_it_produced(spec in specs()) {
        prop_assert!(diff(&spec.fields(), &spec.fields()).is_empty());
        let text = serde_json::to_string(&spec).unwrap();
        let read: Spec = serde_json::from_str(&text).unwrap();
        prop_assert!(diff(&spec.fields(), &read.fields()).is_empty());
        prop_assert_eq!(&read, &spec);
        prop_assert_eq!(read.hash(), spec.hash());
    }

    #[test]
    fn the_differences_applied_to_what_is_there_give_what_is_asked(there in specs(), asked in specs()) {
        let (seen, want) = (there.fields(), asked.fields());
        let changes = diff(&seen, &want);
        let mut model = seen.clone();
        for change in &changes {
            match want.get(&change.field) {
                Some(value) => {
                    prop_assert_eq!(change.to.as_deref(), Some(&*value.to_string()));
                    model.insert(change.field.clone(), value.clone());
                }
                None => {
                    prop_assert!(change.to.is_none());
                    model.remove(&change.field);
                }
            }
        }
        prop_assert_eq!(&model, &want);
        prop_assert!(diff(&model, &want).is_empty());
        prop_assert_eq!(changes.is_empty(), there.hash() == asked.hash());
        // Ordered by path, each path once, and the way back names the same paths.
        prop_assert!(changes.windows(2).all(|pair| pair[0].field < pair[1].field));
        let back = diff(&want, &seen);
        prop_assert!(changes.iter().map(|c| &c.field).eq(back.iter().map(|c| &c.field)));
    }

    #[test]
    fn no_difference_shows_an_environment_value(value in "[a-z]{12}", other in "[a-z]{12}") {
        let spec = |value: &str| Spec::builder("hello", artifact("a")).env("TOKEN", value).build().unwrap();
        for change in diff(&spec(&value).fields(), &spec(&other).fields()) {
            let shown = format!("{change} {change:?}");
            prop_assert!(!shown.contains(&value) && !shown.contains(&other));
        }
        let shown = format!("{:?}", spec(&value));
        prop_assert!(!shown.contains(&value));
    }

    #[test]
    fn violations_are_complete_and_do_not_depend_on_order(
        order in prop::sample::subsequence((0..FAULTS.len()).collect::<Vec<_>>(), 0..=FAULTS.len()).prop_shuffle(),
    ) {
        let found = broken(&order);
        let mut expected: BTreeMap<&str, ()> = BTreeMap::new();
        for fault in &order {
            expected.insert(FAULTS[*fault].0, ());
        }
        let fields: Vec<&str> = found.iter().map(|violation| violation.field.as_str()).collect();
        prop_assert_eq!(&fields, &expected.into_keys().collect::<Vec<_>>());
        let mut sorted = order;
        sorted.sort_unstable();
        prop_assert_eq!(&found, &broken(&sorted));
        let shown = format!("{found:?}");
        prop_assert!(!shown.contains("hunter2"));
    }
}

#[test]
fn what_breaks_a_rule_after_it_was_built_is_found_again() {
    let spec = || Spec::builder("hello", artifact("code")).build().unwrap();
    assert!(spec().check().is_ok());
    let mut broken = spec();
    broken.memory_mb = 0;
    broken.env.insert("LD_PRELOAD".to_owned(), "/x".to_owned());
    let found = broken.check().unwrap_err();
    let fields: Vec<&str> = found.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["env.LD_PRELOAD", "memory_mb"]);
}

#[test]
fn fields_that_no_spec_has_are_named() {
    let mut fields = Fields::new();
    let mut put = |field: &str, text: &str| {
        fields.insert(field.to_owned(), FieldValue::Plain(text.to_owned()));
    };
    put("artifact.kind", "zip");
    put("artifact.digest", "nonsense");
    put("memory_mb", "much");
    put("colour", "red");
    let broken = Spec::from_fields(&"hello".parse().unwrap(), &fields).unwrap_err();
    let named: Vec<&str> = broken.iter().map(|found| found.field.as_str()).collect();
    assert_eq!(named, ["artifact.digest", "colour", "memory_mb"]);
}

#[test]
fn every_packaging_comes_back_from_its_fields() {
    let runtime = "python3.13".parse().unwrap();
    for packaging in [
        Packaging::Zip {
            protocol: Protocol::Http,
        },
        Packaging::Bundle {
            runtime,
            handler: "app.handler".to_owned(),
        },
        Packaging::Command {
            command: vec!["serve".to_owned(), "--fast".to_owned()],
        },
        Packaging::Image {
            repository: "registry.example/ledger".to_owned(),
        },
    ] {
        let artifact = Artifact::new(packaging, Digest::of(b"x")).with_arch(Arch::Arm64);
        let spec = Spec::builder("hello", artifact).service(2).build().unwrap();
        let back = Spec::from_fields(&spec.name, &spec.fields()).unwrap();
        assert_eq!(back, spec);
    }
}
