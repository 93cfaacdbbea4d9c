//! Lambda's control plane: functions, versions, aliases and what is set on them.

use std::time::{Duration, SystemTime};

use anyport_emulator_aws::{Clock, Config, Emulator, Limits};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::client::{Client, Reply, encode, quick, start};

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/anyport-embedded";
const FUNCTIONS: &str = "/2015-03-31/functions";

/// A package whose `bootstrap` is this text.
pub(crate) fn package(text: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("bootstrap"), text).unwrap();
    let archive = dir.path().join("code.zip");
    let packer = anyport_package::Packer::new(anyport_package::Limits::default());
    packer.dir(&source, &archive).unwrap();
    std::fs::read(&archive).unwrap()
}

fn zip_file(text: &str) -> String {
    BASE64.encode(&package(text))
}

fn creation(name: &str) -> Value {
    json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Role": ROLE,
        "Handler": "bootstrap", "Code": { "ZipFile": zip_file("#!/bin/sh\n") },
    })
}

async fn create(client: &Client, name: &str) -> Value {
    let reply = client.lambda("POST", FUNCTIONS, creation(name)).await;
    reply.expect(201).json()
}

async fn get(client: &Client, path: &str) -> Value {
    let path = format!("{FUNCTIONS}/{path}");
    client.lambda("GET", &path, Value::Null).await.expect(200).json()
}

#[track_caller]
fn refused(reply: Reply, status: u16, code: &str, message: &str) {
    let reply = reply.expect(status);
    assert_eq!(reply.header("x-amzn-errortype"), code, "{reply:?}");
    let body = reply.json();
    let said = body["message"].as_str().or(body["Message"].as_str());
    let said = said.unwrap_or_else(|| panic!("no message: {body}"));
    assert!(said.contains(message), "{said}");
}

/// An AWS whose time stands still until it is moved.
async fn standing() -> (Emulator, Client) {
    let clock = Clock::manual(SystemTime::now());
    let mut delays = anyport_emulator_aws::Delays::default();
    delays.role = Duration::ZERO;
    let config = Config::new().clock(clock).limits(Limits::off()).delays(delays);
    let aws = Emulator::start(config).await.unwrap();
    let client = Client::of(&aws);
    (aws, client)
}

const A_WHILE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_function_goes_through_its_states() {
    let (aws, client) = standing().await;
    let made = create(&client, "hello").await;
    assert_eq!(made["State"], "Pending");
    assert_eq!(made["StateReasonCode"], "Creating");
    assert_eq!(made["Version"], "$LATEST");
    assert!(made.get("LastUpdateStatus").is_none());
    let path = format!("{FUNCTIONS}/hello");
    let pending = "The function is currently in the following state: Pending";
    let code = json!({ "ZipFile": zip_file("two") });
    let reply = client.lambda("PUT", &format!("{path}/code"), code.clone()).await;
    refused(reply, 409, "ResourceConflictException", pending);
    let reply = client.lambda("POST", &format!("{path}/versions"), json!({})).await;
    refused(reply, 409, "ResourceConflictException", pending);

    aws.cloud().advance(A_WHILE);
    let active = get(&client, "hello/configuration").await;
    assert_eq!(active["State"], "Active");
    assert_eq!(active["LastUpdateStatus"], "Successful");
    assert!(active.get("StateReason").is_none());
    assert_ne!(active["RevisionId"], made["RevisionId"]);

    let stale = json!({ "Timeout": 9, "RevisionId": made["RevisionId"] });
    let settings = format!("{path}/configuration");
    let reply = client.lambda("PUT", &settings, stale).await;
    refused(reply, 412, "PreconditionFailedException", "The Revision Id provided does not match");
    let fresh = json!({ "Timeout": 9, "RevisionId": active["RevisionId"] });
    let updating = client.lambda("PUT", &settings, fresh).await.expect(200).json();
    assert_eq!(updating["Timeout"], 9);
    assert_eq!(updating["State"], "Active");
    assert_eq!(updating["LastUpdateStatus"], "InProgress");
    let reply = client.lambda("PUT", &format!("{path}/code"), code.clone()).await;
    refused(reply, 409, "ResourceConflictException", "An update is in progress for resource: arn:aws:lambda:us-east-1:000000000000:function:hello");

    aws.cloud().advance(A_WHILE);
    let updated = get(&client, "hello/configuration").await;
    assert_eq!(updated["LastUpdateStatus"], "Successful");
    assert_ne!(updated["RevisionId"], updating["RevisionId"]);
    let changed = client.lambda("PUT", &format!("{path}/code"), code).await.expect(200).json();
    assert_ne!(changed["CodeSha256"], made["CodeSha256"]);
    client.lambda("DELETE", &path, Value::Null).await.expect(204);
    let reply = client.lambda("GET", &path, Value::Null).await;
    refused(reply, 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello");
    aws.shutdown().await;
}

#[tokio::test]
async fn a_change_that_fails_says_why() {
    let (aws, client) = standing().await;
    aws.cloud().fail_next_change("The role went away.", "InsufficientRolePermissions");
    create(&client, "hello").await;
    aws.cloud().advance(A_WHILE);
    let failed = get(&client, "hello/configuration").await;
    assert_eq!(failed["State"], "Failed");
    assert_eq!(failed["StateReason"], "The role went away.");
    assert_eq!(failed["StateReasonCode"], "InsufficientRolePermissions");
    aws.shutdown().await;
}

#[tokio::test]
async fn versions_are_published_only_when_something_changed() {
    let aws = start().await;
    let client = Client::of(&aws);
    let made = create(&client, "hello").await;
    let versions = format!("{FUNCTIONS}/hello/versions");
    let wrong = json!({ "CodeSha256": "AAAA" });
    let reply = client.lambda("POST", &versions, wrong).await;
    refused(reply, 400, "InvalidParameterValueException", "CodeSHA256 (AAAA) is different from current CodeSHA256 in $LATEST");
    let one = json!({ "CodeSha256": made["CodeSha256"], "Description": "first" });
    let one = client.lambda("POST", &versions, one).await.expect(201).json();
    assert_eq!(one["Version"], "1");
    assert_eq!(one["Description"], "first");
    assert_eq!(one["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:hello:1");
    let again = client.lambda("POST", &versions, json!({})).await.expect(201).json();
    assert_eq!(again["Version"], "1");
    let code = json!({ "ZipFile": zip_file("two"), "Publish": true });
    let path = format!("{FUNCTIONS}/hello/code");
    let two = client.lambda("PUT", &path, code).await.expect(200).json();
    assert_eq!(two["Version"], "2");
    let dry = json!({ "ZipFile": zip_file("three"), "DryRun": true });
    let dry = client.lambda("PUT", &path, dry).await.expect(200).json();
    assert_ne!(dry["CodeSha256"], two["CodeSha256"]);
    assert_eq!(get(&client, "hello/configuration").await["CodeSha256"], two["CodeSha256"]);
    let list = get(&client, "hello/versions").await;
    let names: Vec<&str> = list["Versions"].as_array().unwrap().iter().map(|version| version["Version"].as_str().unwrap()).collect();
    assert_eq!(names, ["$LATEST", "1", "2"]);
    assert!(list["Versions"][0].get("State").is_none());
    // A version that was there is never there again.
    client.lambda("DELETE", &format!("{FUNCTIONS}/hello?Qualifier=2"), Value::Null).await.expect(204);
    client.lambda("DELETE", &format!("{FUNCTIONS}/hello?Qualifier=99"), Value::Null).await.expect(204);
    let three = client.lambda("POST", &versions, json!({})).await.expect(201).json();
    assert_eq!(three["Version"], "3");
    let reply = client.lambda("DELETE", &format!("{FUNCTIONS}/hello?Qualifier=%24LATEST"), Value::Null).await;
    refused(reply, 400, "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function.");
    aws.shutdown().await;
}

#[tokio::test]
async fn aliases_point_to_versions_and_hold_them() {
    let aws = start().await;
    let client = Client::of(&aws);
    let mut creation = creation("hello");
    creation["Publish"] = json!(true);
    let made = client.lambda("POST", FUNCTIONS, creation).await.expect(201).json();
    assert_eq!(made["Version"], "1");
    let code = json!({ "ZipFile": zip_file("two"), "Publish": true });
    client.lambda("PUT", &format!("{FUNCTIONS}/hello/code"), code).await.expect(200);
    let aliases = format!("{FUNCTIONS}/hello/aliases");
    let live = json!({ "Name": "live", "FunctionVersion": "1" });
    let made = client.lambda("POST", &aliases, live.clone()).await.expect(201).json();
    assert_eq!(made["AliasArn"], "arn:aws:lambda:us-east-1:000000000000:function:hello:live");
    assert_eq!(made["Description"], "");
    let reply = client.lambda("POST", &aliases, live).await;
    refused(reply, 409, "ResourceConflictException", "Alias already exists: ");
    let reply = client.lambda("POST", &aliases, json!({ "Name": "9", "FunctionVersion": "1" })).await;
    refused(reply, 400, "ValidationException", "'name' failed to satisfy constraint");
    let reply = client.lambda("POST", &aliases, json!({ "Name": "x", "FunctionVersion": "7" })).await;
    refused(reply, 404, "ResourceNotFoundException", "function:hello:7");

    let path = format!("{aliases}/live");
    let weights = |weights: Value| json!({ "RoutingConfig": { "AdditionalVersionWeights": weights } });
    let reply = client.lambda("PUT", &path, weights(json!({ "1": 0.5 }))).await;
    refused(reply, 400, "InvalidParameterValueException", "already included in routing configuration");
    let reply = client.lambda("PUT", &path, weights(json!({ "1": 0.5, "2": 0.1 }))).await;
    refused(reply, 400, "InvalidParameterValueException", "cannot be greater than 1");
    let split = client.lambda("PUT", &path, weights(json!({ "2": 0.25 }))).await.expect(200).json();
    assert_eq!(split["RoutingConfig"]["AdditionalVersionWeights"]["2"], 0.25);
    assert_ne!(split["RevisionId"], made["RevisionId"]);
    let stale = json!({ "FunctionVersion": "2", "RevisionId": made["RevisionId"] });
    refused(client.lambda("PUT", &path, stale).await, 412, "PreconditionFailedException", "GetFunction/GetAlias");
    for version in ["1", "2"] {
        let path = format!("{FUNCTIONS}/hello?Qualifier={version}");
        let reply = client.lambda("DELETE", &path, Value::Null).await;
        refused(reply, 409, "ResourceConflictException", "Unable to delete version because the following aliases reference it: [live]");
    }
    let moved = json!({ "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": {} } });
    let moved = client.lambda("PUT", &path, moved).await.expect(200).json();
    assert!(moved.get("RoutingConfig").is_none());
    assert_eq!(get(&client, "hello?Qualifier=live").await["Configuration"]["Version"], "2");
    assert_eq!(get(&client, "hello/aliases?FunctionVersion=1").await["Aliases"], json!([]));
    client.lambda("DELETE", &path, Value::Null).await.expect(204);
    client.lambda("DELETE", &path, Value::Null).await.expect(204);
    refused(client.lambda("GET", &path, Value::Null).await, 404, "ResourceNotFoundException", "Cannot find alias arn: ");
    aws.shutdown().await;
}

#[tokio::test]
async fn a_function_has_many_names() {
    let aws = start().await;
    let client = Client::of(&aws);
    create(&client, "hello").await;
    client.lambda("POST", &format!("{FUNCTIONS}/hello/versions"), json!({})).await.expect(201);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:hello";
    for (name, version) in [
        ("hello".to_owned(), "$LATEST"),
        ("000000000000:function:hello".to_owned(), "$LATEST"),
        (arn.to_owned(), "$LATEST"),
        (format!("{arn}:1"), "1"),
        ("hello:1".to_owned(), "1"),
    ] {
        let path = format!("{}/configuration", encode(&name));
        assert_eq!(get(&client, &path).await["Version"], version, "{name}");
    }
    let elsewhere = encode(&arn.replace("us-east-1", "eu-west-1"));
    let reply = client.lambda("GET", &format!("{FUNCTIONS}/{elsewhere}"), Value::Null).await;
    refused(reply, 404, "ResourceNotFoundException", "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
    let reply = client.lambda("GET", &format!("{FUNCTIONS}/hello:1?Qualifier=2"), Value::Null).await;
    refused(reply, 400, "InvalidParameterValueException", "does not match the specified qualifier");
    let reply = client.lambda("PUT", &format!("{FUNCTIONS}/hello:1/configuration"), json!({ "Timeout": 4 })).await;
    refused(reply, 400, "InvalidParameterValueException", "does not support versions other than $LATEST");
    // Each region has its own functions.
    let mut other = client.clone();
    other.region = "eu-west-1".to_owned();
    other.lambda("GET", &format!("{FUNCTIONS}/hello"), Value::Null).await.expect(404);
    aws.shutdown().await;
}

#[tokio::test]
async fn lists_come_in_pages_of_fifty_without_gaps() {
    let aws = start().await;
    let client = Client::of(&aws);
    let names: Vec<String> = (0..60).map(|number| format!("f{number:02}")).collect();
    for name in &names {
        create(&client, name).await;
    }
    let (mut seen, mut marker) = (Vec::new(), String::new());
    let mut pages = 0;
    loop {
        let path = format!("{FUNCTIONS}/?MaxItems=1000{marker}");
        let page = client.lambda("GET", &path, Value::Null).await.expect(200).json();
        for function in page["Functions"].as_array().unwrap() {
            seen.push(function["FunctionName"].as_str().unwrap().to_owned());
        }
        pages += 1;
        // What is removed behind the marker hides nothing after it.
        let last = seen.last().unwrap().clone();
        client.lambda("DELETE", &format!("{FUNCTIONS}/{last}"), Value::Null).await.expect(204);
        match page["NextMarker"].as_str() {
            Some(next) => marker = format!("&Marker={}", encode(next)),
            None => break,
        }
    }
    assert_eq!((pages, &seen), (2, &names));
    let reply = client.lambda("GET", &format!("{FUNCTIONS}/?Marker=%21"), Value::Null).await;
    refused(reply, 400, "InvalidParameterValueException", "token");
    aws.shutdown().await;
}

#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let aws = start().await;
    let client = Client::of(&aws);
    let invalid = "InvalidParameterValueException";
    let cases: [(&str, Value, u16, &str, &str); 17] = [
        ("Code", json!({ "ZipFile": BASE64.encode(b"garbage") }), 400, invalid, "Could not unzip uploaded file. Please check your file, then try to upload again."),
        ("Code", json!({}), 400, invalid, "Please provide a source for function code."),
        ("Code", json!({ "ZipFile": zip_file("x"), "S3Bucket": "bucket", "S3Key": "key" }), 400, invalid, "Please do not provide other FunctionCode parameters when providing a ZipFile."),
        ("Code", json!({ "S3Bucket": "missing", "S3Key": "key" }), 400, invalid, "Error occurred while GetObject. S3 Error Code: NoSuchBucket"),
        ("Code", json!({ "ImageUri": "image" }), 400, invalid, "not served"),
        ("Handler", Value::Null, 400, invalid, "Runtime and Handler are mandatory parameters"),
        ("Runtime", json!("go1.x"), 400, invalid, "The runtime parameter of go1.x is no longer supported"),
        ("Runtime", json!("java21"), 400, invalid, "java21"),
        ("Runtime", json!("cobol"), 400, invalid, "Value cobol at 'runtime' failed to satisfy constraint"),
        ("Timeout", json!(901), 400, "ValidationException", "less than or equal to 900"),
        ("Timeout", json!(0), 400, "ValidationException", "'timeout' failed to satisfy constraint"),
        ("MemorySize", json!(127), 400, "ValidationException", "'memorySize' failed to satisfy constraint"),
        ("MemorySize", json!(10241), 400, invalid, "less than or equal to 10240"),
        ("FunctionName", json!("a b"), 400, "ValidationException", "'functionName' failed to satisfy constraint"),
        ("Role", json!("arn:aws:iam::000000000000:role/nobody"), 400, invalid, "The role defined for the function cannot be assumed by Lambda."),
        ("Role", json!("arn:aws:iam::111122223333:role/other"), 403, "AccessDeniedException", "Cross-account pass role is not allowed."),
        ("Environment", json!({ "Variables": { "AWS_REGION": "x" } }), 400, invalid, "Reserved keys used in this request: AWS_REGION"),
    ];
    for (member, value, status, code, message) in cases {
        let mut creation = creation("hello");
        creation[member] = value;
        if creation[member].is_null() {
            creation.as_object_mut().unwrap().remove(member);
        }
        let reply = client.lambda("POST", FUNCTIONS, creation).await;
        refused(reply, status, code, message);
    }
    let none = client.lambda("GET", &format!("{FUNCTIONS}/"), Value::Null).await.expect(200).json();
    assert_eq!(none["Functions"], json!([]));
    aws.shutdown().await;
}

#[tokio::test]
async fn code_comes_from_s3_and_can_be_had_again() {
    let aws = start().await;
    let client = Client::of(&aws);
    let bytes = package("from s3");
    client.s3("PUT", "/artifacts", "").await.expect(200);
    client.s3("PUT", "/artifacts/code.zip", bytes.clone()).await.expect(200);
    let mut creation = creation("hello");
    creation["Code"] = json!({ "S3Bucket": "artifacts", "S3Key": "code.zip" });
    let made = client.lambda("POST", FUNCTIONS, creation.clone()).await.expect(201).json();
    assert_eq!(made["CodeSize"], bytes.len());
    creation["FunctionName"] = json!("other");
    creation["Code"]["S3Key"] = json!("gone.zip");
    let reply = client.lambda("POST", FUNCTIONS, creation).await;
    refused(reply, 400, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey.");
    let found = get(&client, "hello").await;
    assert_eq!(found["Code"]["RepositoryType"], "S3");
    let url = found["Code"]["Location"].as_str().unwrap();
    let path = url.strip_prefix(aws.endpoint()).unwrap();
    let anybody = client.by(None);
    let loaded = anybody.send("s3", "GET", path, "").await.expect(200);
    assert_eq!(loaded.body, bytes);
    let forged = path.replace("/hello-", "/other-");
    anybody.send("s3", "GET", &forged, "").await.expect(403);
    aws.shutdown().await;
}

#[tokio::test]
async fn settings_of_functions_are_set_read_and_unset() {
    let aws = start().await;
    let client = Client::of(&aws);
    create(&client, "hello").await;
    // Reserved concurrency leaves a hundred for the others.
    let path = "/2017-10-31/functions/hello/concurrency";
    let wanted = |count: u32| json!({ "ReservedConcurrentExecutions": count });
    let reply = client.lambda("PUT", path, wanted(901)).await;
    refused(reply, 400, "InvalidParameterValueException", "below its minimum value of [100].");
    client.lambda("PUT", path, wanted(900)).await.expect(200);
    let account = client.lambda("GET", "/2016-08-19/account-settings", Value::Null).await.expect(200).json();
    assert_eq!(account["AccountLimit"]["UnreservedConcurrentExecutions"], 100);
    assert_eq!(get(&client, "hello").await["Concurrency"], wanted(900));
    client.lambda("DELETE", path, Value::Null).await.expect(204);
    let read = "/2019-09-30/functions/hello/concurrency";
    assert_eq!(client.lambda("GET", read, Value::Null).await.expect(200).json(), json!({}));

    let path = "/2019-09-25/functions/hello/event-invoke-config";
    refused(client.lambda("PUT", path, json!({})).await, 400, "InvalidParameterValueException", "You must specify at least one");
    let itself = json!({ "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:lambda:us-east-1:000000000000:function:hello" } } });
    refused(client.lambda("PUT", path, itself).await, 400, "InvalidParameterValueException", "as a destination for itself");
    client.lambda("PUT", path, json!({ "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60 })).await.expect(200);
    let both = client.lambda("POST", path, json!({ "MaximumRetryAttempts": 0 })).await.expect(200).json();
    assert_eq!((&both["MaximumRetryAttempts"], &both["MaximumEventAgeInSeconds"]), (&json!(0), &json!(60)));
    assert_eq!(both["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST");
    let one = client.lambda("PUT", path, json!({ "MaximumRetryAttempts": 2 })).await.expect(200).json();
    assert!(one.get("MaximumEventAgeInSeconds").is_none());
    client.lambda("DELETE", path, Value::Null).await.expect(204);
    refused(client.lambda("GET", path, Value::Null).await, 404, "ResourceNotFoundException", "doesn't have an EventInvokeConfig");

    let path = "/2021-10-31/functions/hello/url";
    let url = client.lambda("POST", path, json!({ "AuthType": "NONE" })).await.expect(201).json();
    assert!(url["FunctionUrl"].as_str().unwrap().contains(".lambda-url.us-east-1.localhost:"));
    refused(client.lambda("POST", path, json!({ "AuthType": "NONE" })).await, 409, "ResourceConflictException", "FunctionUrlConfig exists for this Lambda function");
    let url = client.lambda("PUT", path, json!({ "InvokeMode": "RESPONSE_STREAM" })).await.expect(200).json();
    assert_eq!((&url["AuthType"], &url["InvokeMode"]), (&json!("NONE"), &json!("RESPONSE_STREAM")));
    client.lambda("DELETE", path, Value::Null).await.expect(204);
    refused(client.lambda("GET", path, Value::Null).await, 404, "ResourceNotFoundException", "The resource you requested does not exist.");

    let arn = encode("arn:aws:lambda:us-east-1:000000000000:function:hello");
    let path = format!("/2017-03-31/tags/{arn}");
    let before = get(&client, "hello/configuration").await["RevisionId"].clone();
    client.lambda("POST", &path, json!({ "Tags": { "team": "pay", "tier": "1" } })).await.expect(204);
    assert_ne!(get(&client, "hello/configuration").await["RevisionId"], before);
    client.lambda("DELETE", &format!("{path}?tagKeys=tier"), Value::Null).await.expect(204);
    assert_eq!(get(&client, "hello").await["Tags"], json!({ "team": "pay" }));
    refused(client.lambda("GET", &format!("{path}%3A1"), Value::Null).await, 400, "InvalidParameterValueException", "Tags on function aliases and versions are not supported");
    aws.shutdown().await;
}

#[tokio::test]
async fn resource_policies_are_made_of_statements() {
    let aws = start().await;
    let client = Client::of(&aws);
    create(&client, "hello").await;
    let path = format!("{FUNCTIONS}/hello/policy");
    let statement = json!({
        "StatementId": "bucket", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::pictures", "SourceAccount": "000000000000",
    });
    let added = client.lambda("POST", &path, statement.clone()).await.expect(201).json();
    let added: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    assert_eq!(added["Principal"]["Service"], "s3.amazonaws.com");
    assert_eq!(added["Condition"]["ArnLike"]["AWS:SourceArn"], "arn:aws:s3:::pictures");
    refused(client.lambda("POST", &path, statement.clone()).await, 409, "ResourceConflictException", "The statement id (bucket) provided already exists");
    let policy = client.lambda("GET", &path, Value::Null).await.expect(200).json();
    let document: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(document["Statement"], json!([added]));
    let mut stale = statement.clone();
    stale["StatementId"] = json!("two");
    stale["RevisionId"] = json!("00000000-0000-4000-8000-000000000000");
    refused(client.lambda("POST", &path, stale).await, 412, "PreconditionFailedException", "GetPolicy");
    let mut whoever = statement;
    whoever["StatementId"] = json!("three");
    whoever["Principal"] = json!("somebody");
    refused(client.lambda("POST", &path, whoever).await, 400, "InvalidParameterValueException", "The provided principal was invalid");
    refused(client.lambda("DELETE", &format!("{path}/other"), Value::Null).await, 404, "ResourceNotFoundException", "Statement other is not found");
    client.lambda("DELETE", &format!("{path}/bucket"), Value::Null).await.expect(204);
    refused(client.lambda("GET", &path, Value::Null).await, 404, "ResourceNotFoundException", "The resource you requested does not exist.");
    aws.shutdown().await;
}

#[tokio::test]
async fn enforced_code_signing_refuses_unsigned_code() {
    let aws = start().await;
    let client = Client::of(&aws);
    let configs = "/2020-04-22/code-signing-configs";
    let config = json!({
        "AllowedPublishers": { "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/ours/1"] },
        "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": "Enforce" },
    });
    let made = client.lambda("POST", configs, config).await.expect(201).json();
    let arn = made["CodeSigningConfig"]["CodeSigningConfigArn"].as_str().unwrap();
    let mut creation = creation("hello");
    creation["CodeSigningConfigArn"] = json!(arn);
    let reply = client.lambda("POST", FUNCTIONS, creation.clone()).await;
    refused(reply, 400, "CodeVerificationFailedException", "Lambda cannot deploy the function.");
    let warn = json!({ "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": "Warn" } });
    let path = format!("{configs}/{}", encode(arn));
    client.lambda("PUT", &path, warn).await.expect(200);
    client.lambda("POST", FUNCTIONS, creation).await.expect(201);
    client.lambda("DELETE", &path, Value::Null).await.expect(409);
    let of_function = "/2020-06-30/functions/hello/code-signing-config";
    let found = client.lambda("GET", of_function, Value::Null).await.expect(200).json();
    assert_eq!(found["CodeSigningConfigArn"], arn);
    client.lambda("DELETE", of_function, Value::Null).await.expect(204);
    client.lambda("DELETE", &path, Value::Null).await.expect(204);
    aws.shutdown().await;
}

#[tokio::test]
async fn functions_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = Emulator::start(quick().state(folder.path())).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "hello").await;
    client.lambda("POST", &format!("{FUNCTIONS}/hello/versions"), json!({})).await.expect(201);
    let live = json!({ "Name": "live", "FunctionVersion": "1" });
    client.lambda("POST", &format!("{FUNCTIONS}/hello/aliases"), live).await.expect(201);
    let inventory = aws.cloud().inventory();
    let before = get(&client, "hello/configuration").await;
    aws.shutdown().await;

    let aws = Emulator::start(quick().state(folder.path())).await.unwrap();
    let client = Client::of(&aws);
    assert_eq!(aws.cloud().inventory(), inventory);
    assert_eq!(get(&client, "hello/configuration").await, before);
    let found = get(&client, "hello:live").await;
    let url = found["Code"]["Location"].as_str().unwrap();
    let path = url.strip_prefix(aws.endpoint()).unwrap();
    let loaded = client.by(None).send("s3", "GET", path, "").await.expect(200);
    assert_eq!(loaded.body, package("#!/bin/sh\n"));
    aws.shutdown().await;
}
