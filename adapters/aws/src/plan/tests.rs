//! Plans from what was read.

use anyport_core::Digest;
use anyport_core::mark::Owner;
use anyport_core::plan::{EventCounts, VersionId};
use anyport_core::spec::{Artifact, Packaging, Protocol, Spec, SpecBuilder};
use aws_sdk_lambda::types::{Architecture, EnvironmentResponse, FunctionConfiguration, Runtime};
use data_encoding::BASE64;

use super::*;
use crate::alias::{Alias, Label};
use crate::capability::capabilities;
use crate::lift;
use crate::sight::Sight;
use crate::words::Words;

const ROLE: &str = "arn:aws:iam::111122223333:role/functions";

fn config() -> Config {
    Config::default().execution_role(ROLE)
}

fn owner() -> Owner {
    Owner::new("app", "test")
}

fn spec(code: &[u8], variant: &str) -> SpecBuilder {
    let packaging = Packaging::Zip {
        protocol: Protocol::RuntimeApi,
    };
    let artifact = Artifact::new(packaging, Digest::of(code)).with_sizes(3, 3);
    Spec::builder("hello", artifact).env("VARIANT", variant)
}

/// The draft, or a version, that a release of `spec` makes.
fn made(spec: &Spec, release: u64, version: &str) -> FunctionConfiguration {
    let variables = spec.env.clone().into_iter().collect();
    FunctionConfiguration::builder()
        .function_arn("arn:aws:lambda:eu-west-1:111122223333:function:hello")
        .runtime(Runtime::from("provided.al2023"))
        .handler("bootstrap")
        .architectures(Architecture::X8664)
        .role(ROLE)
        .code_sha256(BASE64.encode(spec.artifact.digest.as_bytes()))
        .memory_size(512)
        .timeout(30)
        .description(Words::of(&owner(), spec, release).to_string())
        .environment(
            EnvironmentResponse::builder()
                .set_variables(Some(variables))
                .build(),
        )
        .revision_id(format!("rev-{version}"))
        .version(version)
        .build()
}

/// A function with these versions, of which `live` serves and `released` is the newest that ever did.
fn sight(
    versions: &[FunctionConfiguration],
    draft: &FunctionConfiguration,
    live: &str,
    released: u64,
) -> Sight {
    let mut sight = Sight::new(draft.clone());
    sight.versions = versions.to_vec();
    let newest = versions
        .iter()
        .find(|it| lift::number(it) == Some(released));
    sight.alias = Some(Alias {
        arn: "arn:aws:lambda:eu-west-1:111122223333:function:hello:live".to_owned(),
        revision: "rev-live".to_owned(),
        split: Some(Split::all_to(VersionId::new(live))),
        label: Label {
            released: Some(released),
            content: lift::content(newest.unwrap_or(draft)),
        },
    });
    sight
}

fn seen(sight: &Sight) -> Observed {
    lift::observed(&"hello".parse().unwrap(), sight, Some(ROLE))
}

fn planned(state: State, seen: Option<&Observed>) -> Result<Plan> {
    let config = config();
    let want = Desired::new("hello".parse().unwrap(), owner(), state);
    plan(
        "lambda://eu-west-1",
        &config,
        &capabilities(&config),
        &want,
        seen,
    )
}

fn deploy(spec: &Spec, seen: Option<&Observed>) -> Vec<String> {
    let plan = planned(State::Present(Box::new(spec.clone())), seen).unwrap();
    plan.steps.iter().map(ToString::to_string).collect()
}

const QUEUE: &str = "make the queue for dead letters";
const DELIVERY: &str = "set how events are delivered";
const ROUTE: &str = "send all traffic to the new version";
const CONFIGURE: &str = "update the configuration";
const PUBLISH: &str = "publish a new version";
const CODE: &str = "update the code";

#[test]
fn a_new_name() {
    let spec = spec(b"a", "a").build().unwrap();
    assert_eq!(
        deploy(&spec, None),
        [QUEUE, "create the function", ROUTE, DELIVERY]
    );
}

#[test]
fn nothing_a_changed_field_and_changed_code() {
    let one = spec(b"a", "a").build().unwrap();
    let version = made(&one, 1, "1");
    let draft = made(&one, 1, "$LATEST");
    // As a deploy reads it: the alias says that the draft is what serves.
    let seen = seen(&sight(&[], &draft, "1", 1));
    assert!(deploy(&one, Some(&seen)).is_empty(), "{:?}", seen.fields);
    let full = super::tests::seen(&sight(&[version], &draft, "1", 1));
    assert!(deploy(&one, Some(&full)).is_empty());
    assert_eq!(seen.fields, full.fields);
    let two = spec(b"a", "b").build().unwrap();
    assert_eq!(deploy(&two, Some(&seen)), [CONFIGURE, PUBLISH, ROUTE]);
    let three = spec(b"b", "a").build().unwrap();
    assert_eq!(deploy(&three, Some(&seen)), [CONFIGURE, CODE, ROUTE]);
}

#[test]
fn what_an_interrupted_update_left_is_finished_or_cleared() {
    let (one, two) = (
        spec(b"a", "a").build().unwrap(),
        spec(b"b", "b").build().unwrap(),
    );
    let three = spec(b"c", "c").build().unwrap();
    let first = made(&one, 1, "1");
    // Cut after the configuration: the draft has the new one with the old code.
    let mut half = two.clone();
    half.artifact.digest = one.artifact.digest;
    let mut draft = made(&half, 2, "$LATEST");
    draft.description = Some(Words::of(&owner(), &two, 2).to_string());
    let seen = seen(&sight(std::slice::from_ref(&first), &draft, "1", 1));
    assert_eq!(seen.residue, [CHANGES]);
    assert_eq!(deploy(&two, Some(&seen)), [CONFIGURE, CODE, ROUTE]);
    assert_eq!(deploy(&one, Some(&seen)), [CONFIGURE, PUBLISH, ROUTE]);
    // Cut after the code: a version that nothing goes to.
    let draft = made(&two, 2, "$LATEST");
    let second = made(&two, 2, "2");
    let seen = super::tests::seen(&sight(&[first, second], &draft, "1", 1));
    assert_eq!(seen.versions.len(), 1);
    assert_eq!(deploy(&two, Some(&seen)), ["send 100% to version 2"]);
    let clear = "clear versions that were never put into service: 2";
    assert_eq!(deploy(&three, Some(&seen)), [clear, CONFIGURE, CODE, ROUTE]);
}

#[test]
fn what_an_interrupted_creation_left_is_finished() {
    let one = spec(b"a", "a").build().unwrap();
    let (draft, first) = (made(&one, 1, "$LATEST"), made(&one, 1, "1"));
    // Cut before the alias.
    let mut bare = sight(std::slice::from_ref(&first), &draft, "1", 1);
    bare.alias = None;
    let seen = seen(&bare);
    assert_eq!((&seen.split, seen.residue.len()), (&None, 1));
    assert_eq!(
        deploy(&one, Some(&seen)),
        [QUEUE, "send 100% to version 1", DELIVERY]
    );
    // Cut between the alias and its delivery.
    let mut open = sight(&[first], &draft, "1", 1);
    open.alias.as_mut().unwrap().label.content.clear();
    let seen = super::tests::seen(&open);
    assert_eq!(seen.residue.len(), 1, "{:?}", seen.residue);
    assert_eq!(
        deploy(&one, Some(&seen)),
        [QUEUE, DELIVERY, "send 100% to version 1"]
    );
}

#[test]
fn after_a_rollback_the_fields_are_those_of_the_version_that_serves() {
    let (one, two) = (
        spec(b"a", "a").build().unwrap(),
        spec(b"b", "b").build().unwrap(),
    );
    let versions = [made(&one, 1, "1"), made(&two, 2, "2")];
    let draft = made(&two, 2, "$LATEST");
    let seen = seen(&sight(&versions, &draft, "1", 2));
    assert_eq!(seen.fields["env.VARIANT"].expose(), "a");
    assert!(seen.residue.is_empty(), "{:?}", seen.residue);
    assert!(deploy(&one, Some(&seen)).is_empty());
    assert_eq!(deploy(&two, Some(&seen)), [CONFIGURE, PUBLISH, ROUTE]);
}

#[test]
fn only_what_holds_for_the_function_is_set_beside_the_release() {
    let one = spec(b"a", "a").build().unwrap();
    let draft = made(&one, 1, "$LATEST");
    let seen = seen(&sight(&[], &draft, "1", 1));
    let more = spec(b"a", "a")
        .max_instances(3)
        .tag("team", "x")
        .build()
        .unwrap();
    let settings = "set what holds for the whole function";
    assert_eq!(
        deploy(&more, Some(&seen)),
        [CONFIGURE, PUBLISH, settings, ROUTE]
    );
    assert_eq!(
        deploy(&more, None),
        [QUEUE, "create the function", settings, ROUTE, DELIVERY]
    );
}

#[test]
fn old_versions_are_collected_once_there_are_more_than_are_kept() {
    let (one, two) = (
        spec(b"a", "a").build().unwrap(),
        spec(b"a", "b").build().unwrap(),
    );
    let draft = made(&one, 6, "$LATEST");
    let seen = seen(&sight(&[], &draft, "6", 6));
    let collect = "remove versions older than the 5 that are kept";
    assert_eq!(
        deploy(&two, Some(&seen)),
        [CONFIGURE, PUBLISH, ROUTE, collect]
    );
}

#[test]
fn large_code_goes_through_the_bucket_first() {
    let mut large = spec(b"a", "a").build().unwrap();
    large.artifact.size = crate::upload::MAX_DIRECT + 1;
    let steps = deploy(&large, None);
    assert!(steps[1].starts_with("make the bucket"), "{steps:?}");
    assert!(steps[2].starts_with("upload artifact"), "{steps:?}");
}

#[test]
fn what_lambda_cannot_run_is_refused_with_every_violation() {
    let http = Packaging::Zip {
        protocol: Protocol::Http,
    };
    let server = Spec::builder("hello", Artifact::new(http, Digest::of(b"a")));
    let refused = planned(State::Present(Box::new(server.build().unwrap())), None);
    assert_eq!(refused.unwrap_err().kind().name(), "unsupported");
    let mut network = anyport_core::spec::Network::default();
    network.connector = Some("connector".to_owned());
    let wrong = spec(b"a", &"x".repeat(4090))
        .network(network)
        .native("lambda", serde_json::json!({"Handler": "x"}))
        .build()
        .unwrap();
    let without = Config::default();
    let want = Desired::new(
        "hello".parse().unwrap(),
        owner(),
        State::Present(Box::new(wrong)),
    );
    let refused = plan(
        "lambda://eu-west-1",
        &without,
        &capabilities(&without),
        &want,
        None,
    );
    let error = refused.unwrap_err();
    let anyport_core::ErrorKind::InvalidSpec(found) = error.kind() else {
        panic!("{error}");
    };
    let fields: Vec<_> = found.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "env",
            "identity",
            "native.lambda.Handler",
            "network.connector"
        ]
    );
}

#[test]
fn a_removal_keeps_letters_and_names_them() {
    let one = spec(b"a", "a").build().unwrap();
    let draft = made(&one, 1, "$LATEST");
    let mut seen = seen(&sight(&[], &draft, "1", 1));
    seen.events = EventCounts {
        waiting: 0,
        dead: 2,
    };
    let plan = planned(State::Absent { purge: false }, Some(&seen)).unwrap();
    assert_eq!((plan.steps.len(), plan.kept.len()), (1, 1));
    let queue = crate::sight::Queue {
        url: "https://sqs/q".to_owned(),
        letters: 2,
        mark: Some(anyport_core::mark::Mark::new(&owner(), one.hash())),
        owner: owner().to_string(),
    };
    let left = lift::leftover(&"hello".parse().unwrap(), &queue);
    let plan = planned(State::Absent { purge: false }, Some(&left)).unwrap();
    assert_eq!((plan.change, plan.kept.len()), (Change::Absent, 1));
    let plan = planned(State::Absent { purge: true }, Some(&left)).unwrap();
    assert_eq!((plan.change, plan.steps.len()), (Change::Removed, 1));
    // The name can be used again: its letters stay.
    let steps = deploy(&one, Some(&left));
    assert_eq!(steps[1], "create the function");
}

#[test]
fn nobody_elses_function_is_planned_on() {
    let one = spec(b"a", "a").build().unwrap();
    let mut draft = made(&one, 1, "$LATEST");
    draft.description = Some("made by hand".to_owned());
    let mut foreign = Sight::new(draft);
    foreign.tags.insert(
        "aws:cloudformation:stack-name".to_owned(),
        "payments".to_owned(),
    );
    let seen = seen(&foreign);
    let refused = planned(State::Present(Box::new(one)), Some(&seen)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("the CloudFormation stack payments"),
        "{refused}"
    );
}
