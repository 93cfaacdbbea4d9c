//! Requests as they go over the wire.

use anyport_core::Digest;
use anyport_core::plan::{Action, Base, Plan, Step, VersionId};
use anyport_core::spec::{Artifact, FieldChange, Network, Protocol};
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::test_util::capture_request;
use serde_json::{Value, json};

use super::*;
use crate::native;

fn zip() -> Packaging {
    Packaging::Zip {
        protocol: Protocol::RuntimeApi,
    }
}

fn spec() -> anyport_core::spec::SpecBuilder {
    let artifact = Artifact::new(zip(), Digest::of(b"zip")).with_arch(Arch::Arm64);
    Spec::builder("hello", artifact)
}

fn place() -> Place {
    Place {
        partition: "aws",
        region: "eu-west-1".to_owned(),
        account: "111122223333".to_owned(),
    }
}

fn settings(spec: &Spec, only: Only<'_>, before: &str) -> Settings {
    let native = native::read(spec, before).unwrap();
    let runtimes = ["python3.12".to_owned(), "python3.13".to_owned()];
    let role = Some("functions");
    Settings::of(
        spec,
        only,
        &place(),
        role,
        &runtimes,
        native,
        "mark".to_owned(),
    )
}

/// What a request is on the wire: its method, its path and its body.
macro_rules! wire {
    ($request:expr) => {{
        let (client, sent) = capture_request(None);
        let config = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKID", "SECRET", None, None, "test"))
            .http_client(client)
            .build();
        let lambda = aws_sdk_lambda::Client::from_conf(config);
        let _ = $request.send_with(&lambda).await;
        let sent = sent.expect_request();
        let path = sent.uri().split_once("amazonaws.com").unwrap().1.to_owned();
        let body = sent.body().bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        (format!("{} {path}", sent.method()), body)
    }};
}

#[tokio::test]
async fn a_plain_function_is_made_without_what_is_at_its_default() {
    let spec = spec().build().unwrap();
    let code = Code::Direct(Bytes::from_static(b"zip"));
    let request = create(
        &spec.name,
        Arch::Arm64,
        settings(&spec, Only::Everything, ""),
        code,
    );
    let (line, body) = wire!(request);
    assert_eq!(line, "POST /2015-03-31/functions");
    assert_eq!(
        body,
        json!({
            "FunctionName": "hello", "Description": "mark", "Publish": true,
            "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["arm64"],
            "Role": "arn:aws:iam::111122223333:role/functions",
            "MemorySize": 512, "Timeout": 30, "Code": {"ZipFile": "emlw"}
        })
    );
}

#[tokio::test]
async fn everything_that_is_asked_is_in_the_request() {
    let mut network = Network::default();
    network.subnets.push("subnet-1".to_owned());
    network.security_groups.push("sg-1".to_owned());
    let packaging = Packaging::Bundle {
        runtime: "python3".parse().unwrap(),
        handler: "app.handler".to_owned(),
    };
    let spec = Spec::builder("hello", Artifact::new(packaging, Digest::of(b"zip")))
        .env("GREETING", "hello")
        .identity("role/team/hello")
        .encryption_key("alias/hello")
        .network(network)
        .tag("team", "payments")
        .native(
            native::PRODUCT,
            json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}),
        )
        .build()
        .unwrap();
    let mut all = settings(&spec, Only::Everything, "");
    all.tags = Some([("team".to_owned(), "payments".to_owned())].into());
    let bucket = Code::Bucket {
        bucket: "code".to_owned(),
        key: "code/1.zip".to_owned(),
    };
    let (_, body) = wire!(create(&spec.name, Arch::X86_64, all, bucket));
    assert_eq!(
        body,
        json!({
            "FunctionName": "hello", "Description": "mark", "Publish": true,
            "Runtime": "python3.13", "Handler": "app.handler", "Architectures": ["x86_64"],
            "Role": "arn:aws:iam::111122223333:role/team/hello",
            "MemorySize": 512, "Timeout": 30,
            "Code": {"S3Bucket": "code", "S3Key": "code/1.zip"},
            "Environment": {"Variables": {"GREETING": "hello"}},
            "KMSKeyArn": "arn:aws:kms:eu-west-1:111122223333:alias/hello",
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            "SnapStart": {"ApplyOn": "PublishedVersions"},
            "Tags": {"team": "payments"}
        })
    );
}

fn step(fields: &[&str]) -> Step {
    let why = fields.iter().map(|field| FieldChange {
        field: (*field).to_owned(),
        from: None,
        to: None,
    });
    let owner = anyport_core::mark::Owner::new("app", "test");
    let state = anyport_core::plan::State::Adopt;
    let desired = anyport_core::plan::Desired::new("hello".parse().unwrap(), owner, state);
    let mut plan = Plan::new(
        "lambda://eu-west-1",
        desired,
        Base::Any,
        anyport_core::plan::Change::Updated,
    );
    plan.push(Action::Configure, Base::Any, why.collect());
    plan.steps.remove(0)
}

#[tokio::test]
async fn a_configuration_has_only_what_changed_and_takes_away_what_was_dropped() {
    let spec = spec().build().unwrap();
    let changed = step(&["memory_mb", "env.GREETING"]);
    let only = settings(&spec, Only::Changed(&changed), "");
    let (line, body) = wire!(configure(&spec.name, "rev-1", only));
    assert_eq!(line, "PUT /2015-03-31/functions/hello/configuration");
    assert_eq!(
        body,
        json!({"Description": "mark", "RevisionId": "rev-1", "MemorySize": 512, "Environment": {"Variables": {}}})
    );
    let dropped = step(&["network", "encryption_key", "native.lambda"]);
    let only = settings(&spec, Only::Changed(&dropped), "te");
    let (_, body) = wire!(configure(&spec.name, "rev-1", only));
    assert_eq!(
        body,
        json!({
            "Description": "mark", "RevisionId": "rev-1", "KMSKeyArn": "",
            "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
            "TracingConfig": {"Mode": "PassThrough"}, "EphemeralStorage": {"Size": 512}
        })
    );
    let (_, body) = wire!(describe(&spec.name, "rev-1", "words".to_owned()));
    assert_eq!(body, json!({"Description": "words", "RevisionId": "rev-1"}));
}

#[tokio::test]
async fn code_is_changed_and_published_in_one_request() {
    let code = Code::Direct(Bytes::from_static(b"zip"));
    let name: Name = "hello".parse().unwrap();
    let (line, body) = wire!(update_code(&name, Arch::X86_64, "rev-1", code));
    assert_eq!(line, "PUT /2015-03-31/functions/hello/code");
    assert_eq!(
        body,
        json!({"ZipFile": "emlw", "Architectures": ["x86_64"], "Publish": true, "RevisionId": "rev-1"})
    );
}

#[tokio::test]
async fn traffic_goes_to_the_larger_share_and_a_whole_one_ends_a_split() {
    let name: Name = "hello".parse().unwrap();
    let split = Split::new([(VersionId::new("2"), 30), (VersionId::new("10"), 70)]).unwrap();
    let (line, body) = wire!(update_alias(&name, "rev-1", &split, None));
    assert_eq!(line, "PUT /2015-03-31/functions/hello/aliases/live");
    assert_eq!(
        body,
        json!({"FunctionVersion": "10", "RevisionId": "rev-1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.3}}})
    );
    let label = Label {
        released: Some(3),
        content: "abc".to_owned(),
    };
    let all = Split::all_to(VersionId::new("3"));
    let (_, body) = wire!(update_alias(&name, "rev-1", &all, Some(&label)));
    assert_eq!(
        body,
        json!({
            "FunctionVersion": "3", "RevisionId": "rev-1", "Description": "anyport released=3 content=abc",
            "RoutingConfig": {"AdditionalVersionWeights": {}}
        })
    );
    let (line, body) = wire!(create_alias(&name, "3", &label));
    assert_eq!(line, "POST /2015-03-31/functions/hello/aliases");
    assert_eq!(
        body,
        json!({"Name": "live", "FunctionVersion": "3", "Description": "anyport released=3 content=abc"})
    );
}

#[tokio::test]
async fn delivery_is_set_on_the_alias_with_a_place_for_what_is_given_up() {
    let name: Name = "hello".parse().unwrap();
    let usual = Delivery::default();
    let arn = place().queue_arn(&queue(&name));
    let (line, body) = wire!(delivery(&name, &usual, &arn));
    assert_eq!(
        line,
        "PUT /2019-09-25/functions/hello/event-invoke-config?Qualifier=live"
    );
    assert_eq!(
        body,
        json!({
            "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600,
            "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:111122223333:anyport-hello-dead"}}
        })
    );
}

#[test]
fn references_become_arns_of_this_account() {
    let place = place();
    for (reference, arn) in [
        (
            "arn:aws:iam::999999999999:role/x",
            "arn:aws:iam::999999999999:role/x",
        ),
        ("x", "arn:aws:iam::111122223333:role/x"),
        ("role/x", "arn:aws:iam::111122223333:role/x"),
    ] {
        assert_eq!(role_arn(&place, reference), arn);
    }
    for (reference, arn) in [
        ("alias/x", "arn:aws:kms:eu-west-1:111122223333:alias/x"),
        ("key/x", "arn:aws:kms:eu-west-1:111122223333:key/x"),
        ("x", "arn:aws:kms:eu-west-1:111122223333:key/x"),
    ] {
        assert_eq!(key_arn(&place, reference), arn);
    }
}

#[test]
fn runtimes_are_found_by_family_and_version() {
    let runtimes = ["python3.12", "python3.13", "nodejs22.x"].map(str::to_owned);
    let launch = |runtime: &str| {
        let packaging = Packaging::Bundle {
            runtime: runtime.parse().unwrap(),
            handler: "app.handler".to_owned(),
        };
        (
            super::launch(&packaging, &runtimes).unwrap().0,
            renamed(&packaging),
        )
    };
    for (asked, actual, keeps) in [
        ("python3.12", "python3.12", false),
        ("python3", "python3.13", true),
        ("nodejs22", "nodejs22.x", true),
        ("nodejs22.x", "nodejs22.x", false),
    ] {
        let kept = keeps.then(|| asked.to_owned());
        assert_eq!(launch(asked), (actual.to_owned(), kept), "{asked}");
    }
}
