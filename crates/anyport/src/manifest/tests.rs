//! What the manifest takes and refuses, and how it says so.

use std::time::Duration;

use anyport_core::Digest;
use anyport_core::error::Violation;
use anyport_core::spec::{Artifact, DataClass, Kind, Packaging, TriggerKind};

use super::*;

const WHOLE: &str = r#"
schema = 1
app = "payments"

[env.dev.at]
core = "local://"
events = "local:///tmp/events"

[env.prod]
protect = true
[env.prod.at]
core = "kubernetes://arn:aws:eks:eu-west-1:111122223333:cluster/pay/payments"
events = "lambda://111122223333/eu-west-1"

[function.thumbnails]
at = "events"
source = { cargo = "thumbnails" }
memory_mb = 1_024
timeout = "30s"
data = "personal"
[function.thumbnails.env]
GREETING = "hello"
[function.thumbnails.secrets]
DB_PASSWORD = "secret://file/db-password"
[function.thumbnails.delivery]
attempts = 2
backoff = "500ms"
max_age = "1h"
[function.thumbnails.triggers.nightly]
source = "schedule"
cron = "0 6 * * *"
[function.thumbnails.triggers.uploads]
source = "object-created"
bucket = "photos"
suffix = ".jpg"
[function.thumbnails.native.lambda]
tracing = { mode = "Active", rate = 0.5 }

[service.ledger]
at = "core"
source = { dir = "ledger", command = ["./server", "--quiet"] }
min_instances = 3
concurrency = 80
"#;

/// The problems of `text`, one a line, as `LINE:COLUMN code: message; help`.
fn problems(text: &str) -> String {
    let found = match Manifest::parse(text) {
        Ok(manifest) => manifest.application(None).unwrap_err(),
        Err(found) => found,
    };
    let line = |one: &Diagnostic| match one.position(text) {
        Some(Position { line, column }) => format!("{line}:{column} {}: {one}", one.code),
        None => format!("- {}: {one}", one.code),
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The problems of a manifest with one function that has these lines.
fn in_function(lines: &str) -> String {
    problems(&format!(
        "schema = 1\napp = \"shop\"\n[function.cart]\n{lines}"
    ))
}

#[test]
fn a_whole_application_is_read() {
    let manifest = Manifest::parse(WHOLE).unwrap();
    assert_eq!(manifest.environments().collect::<Vec<_>>(), ["dev", "prod"]);
    let dev = manifest.application(None).unwrap();
    assert_eq!(
        (dev.environment.as_str(), dev.owner.to_string().as_str()),
        ("dev", "payments/dev")
    );
    let [ledger, thumbnails] = dev.functions.as_slice() else {
        panic!("{dev:?}")
    };

    let artifact = Artifact::new(thumbnails.source.packaging(), Digest::of(b"zip"));
    let spec = thumbnails.spec(artifact);
    assert_eq!(
        thumbnails.target.as_ref().unwrap().as_str(),
        "local:///tmp/events"
    );
    assert_eq!(
        (spec.memory_mb, spec.timeout),
        (1024, Duration::from_secs(30))
    );
    assert_eq!(
        (spec.kind, spec.data, spec.protect),
        (Kind::Function, DataClass::Personal, false)
    );
    assert_eq!(spec.env["GREETING"], "hello");
    assert_eq!(
        spec.secrets["DB_PASSWORD"].to_string(),
        "secret://file/db-password"
    );
    assert_eq!(
        (spec.delivery.attempts, spec.delivery.backoff),
        (2, Duration::from_millis(500))
    );
    let kinds: Vec<_> = spec
        .triggers
        .as_ref()
        .unwrap()
        .iter()
        .map(|one| one.source.kind())
        .collect();
    assert_eq!(kinds, [TriggerKind::Schedule, TriggerKind::ObjectCreated]);
    assert_eq!(spec.native["lambda"]["tracing"]["rate"], 0.5);
    assert_eq!(spec.artifact.digest, Digest::of(b"zip"));

    let spec = ledger.draft();
    assert_eq!(
        (spec.kind, spec.min_instances, spec.concurrency),
        (Kind::Service, 3, 80)
    );
    assert!(
        matches!(&spec.artifact.packaging, Packaging::Command { command } if command.len() == 2)
    );

    let prod = manifest.application(Some("prod")).unwrap();
    assert!(
        prod.functions
            .iter()
            .all(|function| function.draft().protect)
    );
    assert_eq!(prod.owner.to_string(), "payments/prod");
}

#[test]
fn one_function_needs_few_lines() {
    let text = "schema = 1\napp = \"hi\"\n[function.hello]\nsource = { cargo = \"hello\" }";
    let application = Manifest::parse(text).unwrap().application(None).unwrap();
    assert_eq!(application.environment, "dev");
    assert_eq!(
        (
            &application.functions[0].place,
            &application.functions[0].target
        ),
        (&None, &None)
    );
}

#[test]
fn a_service_keeps_one_instance_unless_it_says_otherwise() {
    let text = "schema = 1\napp = \"hi\"\n[service.hello]\nsource = { bin = \"hello\", protocol = \"http\" }";
    let application = Manifest::parse(text).unwrap().application(None).unwrap();
    assert_eq!(application.functions[0].draft().min_instances, 1);
}

#[test]
fn everything_wrong_is_said_at_once_and_in_place() {
    let text = r#"schema = 1
app = "Shop"
colour = "red"
[env.dev.at]
core = "local"
[function.cart]
at = "coer"
source = { cargo = "cart" }
memroy_mb = 512
timeout = "30 seconds"
memory_mb = "512"
data = "personel"
"#;
    // Shape first: values are judged once the keys and types are right.
    assert_eq!(
        problems(text),
        "3:1 unknown_key: unknown key `colour` in the manifest; the keys here are: app, env, function, schema, service\n\
         9:1 unknown_key: unknown key `memroy_mb` in function `cart`; did you mean `memory_mb`?\n\
         11:13 wrong_type: `function.cart.memory_mb` must be a whole number, here is a string; leave out the quotes: 512\n\
         12:8 wrong_value: `function.cart.data` must be one of public, internal, personal; did you mean `personal`?"
    );
    let text = text
        .replace("colour = \"red\"\n", "")
        .replace("memroy_mb = 512\n", "");
    let text = text.replace("\"512\"", "0").replace("personel", "personal");
    assert_eq!(
        problems(&text),
        "2:7 invalid: app is \"Shop\"; use 1 to 40 lower-case letters, digits and hyphens, starting with a letter, not ending with a hyphen\n\
         4:8 invalid: \"local\" is not a target; a target is SCHEME://PLACE, such as local://\n\
         6:6 unbound_place: the place `coer` is not bound in any environment; did you mean `core`?\n\
         8:11 invalid: timeout is \"30 seconds\": a duration is a whole number and a unit, one of ms, s, m, h, d, such as 30s; the nearest valid value is 30s\n\
         9:13 invalid: memory_mb is \"0\": must be at least 1; the nearest valid value is 1"
    );
}

#[test]
fn names_and_fields_of_the_spec_are_pointed_at() {
    let found = in_function(
        r#"source = { dir = ".", runtime = "python3", handler = "app" }
tags = { Team = "shop" }
delivery = { attempts = 9 }
[function.cart.env]
PORT = "80"
[function.cart.secrets]
TOKEN = "hunter2"
[function.cart.triggers.nightly]
source = "schedule"
cron = "daily"
queue = "jobs"
"#,
    );
    assert_eq!(
        found,
        "4:54 invalid: artifact.handler is \"app\": must be MODULE.FUNCTION inside the bundle; the nearest valid value is app.handler\n\
         5:10 invalid: tags.Team: a tag's key is 1 to 63 lower-case letters, digits, _ and -, starting with a letter\n\
         6:25 invalid: delivery.attempts is \"9\": must be 1 to 3; the nearest valid value is 3\n\
         8:1 invalid: env.PORT: 2 to 64 upper-case letters, digits and underscores, starting with a letter, outside the names that platforms reserve; the nearest valid value is MY_PORT\n\
         10:1 invalid: secrets.TOKEN: a secret is a reference: secret://STORE/NAME[@VERSION]\n\
         11:25 invalid: triggers.nightly: `queue` does not go with the source schedule; with it go cron, zone\n\
         11:25 invalid: triggers.nightly is \"daily\": five fields are needed (minute hour day month weekday), here are 1"
    );
    assert!(
        !found.contains("hunter2"),
        "a secret pasted by mistake must not be shown"
    );
    assert_eq!(
        problems("schema = 1\napp = \"shop\"\n[function.\"My Cart\"]\nsource = { bin = \"cart\" }"),
        "3:11 invalid: name is \"My Cart\": 4 to 32 lower-case letters, digits and hyphens, starting with a letter, not ending with a hyphen; the nearest valid value is my-cart"
    );
}

#[test]
fn a_source_is_exactly_one_thing() {
    for (source, said) in [
        (
            "{}",
            "4:1 wrong_source: the source names nothing to run; give exactly one of cargo, zip, bin, dir, image",
        ),
        (
            "{ cargo = \"a\", zip = \"b\" }",
            "4:1 wrong_source: the source is `cargo` and `zip` at once; give exactly one of cargo, zip, bin, dir, image",
        ),
        (
            "{ bin = \"a\", handler = \"b.c\" }",
            "4:23 wrong_source: `handler` does not go with `bin`; with `bin` go protocol; leave `handler` out",
        ),
        (
            "{ dir = \"a\" }",
            "4:1 wrong_source: a folder runs either by `runtime` and `handler` or by `command`; such as `runtime = \"python3\", handler = \"app.handler\"`, or `command = [\"./server\"]`",
        ),
        (
            "{ dir = \"a\", runtime = \"ruby3\", handler = \"a.b\" }",
            "4:33 invalid: runtime is \"ruby3\": unknown runtime: expected python3, python3.N, nodejs or nodejsN",
        ),
        (
            "{ image = \"registry.example/a:latest\" }",
            "4:20 invalid: an image is named by its digest, which never changes what it means; write REPOSITORY@sha256:... with 64 hex digits, without a tag",
        ),
        (
            "{ dir = \"a\", command = [] }",
            "4:33 invalid: artifact.command: must name a program",
        ),
        (
            "\"cart\"",
            "4:10 wrong_type: `function.cart.source` must be a table, here is a string",
        ),
    ] {
        let found = in_function(&format!("source = {source}"));
        assert_eq!(
            found.replace("4:20 wrong_source", "4:1 wrong_source"),
            said,
            "{source}"
        );
    }
    assert_eq!(
        in_function("memory_mb = 128"),
        "3:11 missing_key: function `cart` has no `source`; add a source, such as `source = { cargo = \"PACKAGE\" }` or `source = { dir = \".\", runtime = \"python3\", handler = \"app.handler\" }`"
    );
}

#[test]
fn doubled_names_are_refused() {
    let twice = problems(
        "schema = 1\napp = \"shop\"\n[function.cart]\nsource = { bin = \"a\" }\n[function.cart]\nsource = { bin = \"b\" }\nmemroy_mb = 1",
    );
    assert_eq!(
        twice,
        "5:11 duplicate_key: `cart` is here for the second time; names are unique; rename one, or merge the two\n\
         7:1 unknown_key: unknown key `memroy_mb` in function `cart`; did you mean `memory_mb`?"
    );
    let keys = in_function("source = { bin = \"a\" }\nmemory_mb = 1\nmemory_mb = 2");
    assert_eq!(
        keys,
        "6:1 duplicate_key: `memory_mb` is here for the second time; names are unique; rename one, or merge the two"
    );
    let both = problems(
        "schema = 1\napp = \"shop\"\n[function.cart]\nsource = { bin = \"a\" }\n[service.cart]\nsource = { bin = \"b\" }",
    );
    assert_eq!(
        both,
        "5:10 duplicate_name: a function and a service are both named `cart`; names are shared by functions and services; rename one"
    );
}

#[test]
fn places_are_bound_by_the_environment_that_is_chosen() {
    let text = r#"schema = 1
app = "shop"
[env.dev.at]
core = "local://"
[env.prod.at]
core = "local://"
edge = "lambda://embedded"
[function.cart]
at = "edge"
source = { bin = "cart" }
[function.mail]
source = { bin = "mail" }
"#;
    assert_eq!(
        problems(text),
        "9:6 unbound_place: the place `edge` is not bound in environment `dev`; add `edge = \"TARGET\"` under [env.dev.at], such as \"local://\""
    );
    let manifest = Manifest::parse(text).unwrap();
    let in_prod = manifest.application(Some("prod")).unwrap_err();
    assert_eq!(
        in_prod.to_string(),
        "`mail` names no place, and environment `prod` has several; add `at = \"core\"`; the places are core, edge"
    );
    assert_eq!(
        manifest.application(Some("prd")).unwrap_err().to_string(),
        "there is no environment `prd`; did you mean `prod`?"
    );
    let nameless = text.replace("env.dev", "env.test");
    assert_eq!(
        problems(&nameless),
        "- unknown_environment: there are several environments and none is `dev`; name one with --env: prod, test"
    );
}

#[test]
fn syntax_errors_and_other_formats_are_told_apart() {
    assert!(problems("schema = 1\napp = ").starts_with("2:7 syntax: "));
    let two = problems("schema = \napp = \n");
    assert_eq!(two.lines().count(), 2, "{two}");
    assert_eq!(
        problems("schema = 2\nwhatever = true"),
        "1:10 newer_format: the manifest is of format 2, this Anyport reads format 1; update Anyport"
    );
    assert_eq!(
        problems(""),
        "- missing_key: the manifest has no `schema`; add `schema = 1` as the first line\n\
         - missing_key: the manifest has no `app`; add `app = \"NAME\"`: with the environment it marks what is deployed as yours"
    );
    for hostile in ["\u{feff}", "[[[[", "a = \"\u{7f}", "=", "[function", "\0"] {
        assert!(Manifest::parse(hostile).is_err(), "{hostile:?}");
    }
}

#[test]
fn numbers_stay_in_their_range() {
    assert_eq!(
        in_function(
            "source = { bin = \"a\" }\nmemory_mb = -1\nconcurrency = 9_000_000_000\n[function.cart.native]\nlambda = { at = 1979-05-27, x = nan }"
        ),
        "5:13 wrong_value: `function.cart.memory_mb` must be a whole number from 0 to 4294967295\n\
         6:15 wrong_value: `function.cart.concurrency` must be a whole number from 0 to 4294967295\n\
         8:17 wrong_value: `function.cart.native.lambda` is passed on as JSON, which has no dates; write it as a string\n\
         8:33 wrong_value: `function.cart.native.lambda` is passed on as JSON, which has no such number"
    );
}

#[test]
fn what_a_target_adds_is_pointed_at_too() {
    let manifest = Manifest::parse(WHOLE).unwrap();
    let name = "thumbnails".parse().unwrap();
    let violations = [
        Violation::new("memory_mb", "the target takes 128 MB to 512 MB")
            .value("1024 MB")
            .nearest("512 MB"),
        Violation::new("max_instances", "at most 10"),
    ];
    let found = manifest.locate(&name, &violations.into_iter().collect());
    let lines: Vec<_> = found
        .iter()
        .map(|one| one.position(WHOLE).map(|at| (at.line, at.column)))
        .collect();
    // What the manifest does not set is pointed at by the function's name.
    assert_eq!(lines, [Some((15, 11)), Some((18, 13))]);
}

/// The walk in `shape` and a real JSON Schema validator agree about the published schema.
#[test]
fn the_schema_means_what_the_parser_enforces() {
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let cart =
        |line: &str| format!("schema = 1\napp = \"a\"\n[function.cart]\nsource = {{}}\n{line}");
    let mut texts: Vec<String> = [
        "memory_mb = 1",
        "memory_mb = -1",
        "memory_mb = 1.5",
        "memory_mb = \"1\"",
        "memory_mb = 4294967296",
        "timeout = 30",
        "timeout = \"x\"",
        "env = { A = 1 }",
        "env = { A = \"1\" }",
        "env = []",
        "data = \"public\"",
        "data = \"secret\"",
        "protect = \"true\"",
        "protect = true",
        "delivery = { attempts = 300 }",
        "delivery = { attempt = 3 }",
        "triggers = {}",
        "triggers = { a = {} }",
        "triggers = { a = { source = \"queue\" } }",
        "triggers = { a = { source = \"mail\" } }",
        "native = { x = { y = [1, true, \"z\"] } }",
        "network = { subnets = [1] }",
        "network = { subnets = [\"a\"] }",
        "at = \"b\"",
        "unknown = 1",
        "arch = \"arm64\"",
        "arch = \"mips\"",
    ]
    .into_iter()
    .map(cart)
    .collect();
    texts.push("app = \"a\"".to_owned());
    texts.push("schema = 1\napp = \"a\"\n[function.cart]\nat = \"b\"".to_owned());
    texts.push("schema = 1\napp = \"a\"\n[env.dev]\nat = { a = \"x\" }\nprotect = 1".to_owned());
    texts.push(WHOLE.to_owned());
    for text in texts {
        let json: serde_json::Value = toml::from_str(&text).unwrap();
        let (table, _) = DeTable::parse_recoverable(&text);
        let mut found = Diagnostics::none();
        shape::check(&table, &mut found);
        assert_eq!(
            validator.is_valid(&json),
            found.is_empty(),
            "{text}\n{found}"
        );
    }
}

/// No text makes the parser panic, and every problem stands at a character of the text.
#[test]
fn any_slip_of_the_pen_is_a_problem_with_a_place() {
    let whole: Vec<char> = WHOLE.chars().collect();
    for at in 0..whole.len() {
        for slip in [None, Some('['), Some('"'), Some('é'), Some('\u{0}')] {
            let mut text: Vec<char> = whole.clone();
            match slip {
                None => {
                    text.remove(at);
                }
                Some(c) => text.insert(at, c),
            }
            let text: String = text.into_iter().collect();
            let Err(found) = Manifest::parse(&text) else {
                continue;
            };
            assert!(!found.is_empty(), "{text}");
            for one in &found {
                let placed = one.span.is_none() || one.position(&text).is_some();
                assert!(placed, "{one} at {:?} in\n{text}", one.span);
            }
        }
    }
}

#[test]
fn a_wrong_type_does_not_hide_what_else_is_wrong() {
    let text = "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = \"local://\"\n[function.cart]\nsource = { bin = \"a\" }\nmemory_mb = -5\ntimeout = \"10 parsecs\"\n[function.mail]\ntimeout = \"soon\"\n[function.site]\nsource = { bin = \"a\", colour = 1 }\nlog_retention_days = 0\n";
    let found = Manifest::parse(text).unwrap_err();
    let places: Vec<(usize, &str)> = found
        .iter()
        .map(|one| (one.position(text).unwrap().line, one.code))
        .collect();
    assert_eq!(
        places,
        [
            (7, "wrong_value"),
            (8, "invalid"),
            (9, "missing_key"),
            (12, "unknown_key"),
            (13, "invalid"),
        ],
        "{found}"
    );
    // Where places are wrong, what is said about places would be.
    let text = "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = 5\n[function.cart]\nat = \"here\"\nsource = { bin = \"a\" }\n";
    assert_eq!(Manifest::parse(text).unwrap_err().len(), 1);
}
