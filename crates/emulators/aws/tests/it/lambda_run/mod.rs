//! Functions that run, over HTTP: answers, streams, URLs, events and logs.

mod durable;

use std::time::{Duration, Instant, SystemTime};

use anyport_emulator_aws::{Clock, Config, Credentials, Delays, Emulator, Limits};
use data_encoding::BASE64;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::client::{Client, Reply, encode, quick};
use crate::lambda_control::ROLE;

/// A runtime that does what its event says, with nothing but Python's standard library.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import http.client, json, os, time
host = os.environ["AWS_LAMBDA_RUNTIME_API"]
api = http.client.HTTPConnection(host)
path = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", path + "next")
    got = api.getresponse()
    body = got.read()
    event = json.loads(body)
    id = got.headers["Lambda-Runtime-Aws-Request-Id"]
    print("RUN " + id + " " + json.dumps(event), flush=True)
    do = event.get("do") if isinstance(event, dict) else None
    if do == "exit":
        os._exit(event["code"])
    elif do == "error":
        error = json.dumps({"errorType": "Asked", "errorMessage": event["error"]})
        api.request("POST", path + id + "/error", error, {"Lambda-Runtime-Function-Error-Type": "Asked"})
        api.getresponse().read()
        continue
    elif do == "stream":
        out = http.client.HTTPConnection(host)
        out.putrequest("POST", path + id + "/response")
        out.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        out.putheader("Transfer-Encoding", "chunked")
        out.endheaders()
        for part in event["parts"]:
            data = part.encode()
            out.send(b"%x\r\n%s\r\n" % (len(data), data))
        out.send(b"0\r\n\r\n")
        out.getresponse().read()
        continue
    elif do == "headers":
        body = json.dumps(dict((name.lower(), value) for name, value in got.headers.items()))
    elif do == "env":
        body = json.dumps(dict(os.environ))
    api.request("POST", path + id + "/response", body)
    api.getresponse().read()
"#;

const PATIENCE: Duration = Duration::from_secs(60);

/// Whether functions of these tests can run: they need `python3`.
fn have_python() -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("python3").is_file()));
    if !found {
        let required = std::env::var("ANYPORT_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name == "python3"),
            "python3 is required and missing"
        );
        println!("not run: no python3");
    }
    found
}

/// A package whose executable `bootstrap` is the runtime.
fn package() -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    std::fs::create_dir(&source).unwrap();
    let file = source.join("bootstrap");
    std::fs::write(&file, BOOTSTRAP).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let archive = dir.path().join("code.zip");
    let packer = anyport_package::Packer::new(anyport_package::Limits::default());
    packer.dir(&source, &archive).unwrap();
    BASE64.encode(&std::fs::read(&archive).unwrap())
}

async fn create(client: &Client, name: &str, more: Value) {
    let mut body = json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Role": ROLE, "Handler": "bootstrap",
        "Timeout": 20, "MemorySize": 256, "Code": { "ZipFile": package() },
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        body[member] = value.clone();
    }
    client
        .lambda("POST", "/2015-03-31/functions", body)
        .await
        .expect(201);
}

async fn invoke(client: &Client, name: &str, payload: Value) -> Reply {
    let path = format!("/2015-03-31/functions/{}/invocations", encode(name));
    client.lambda("POST", &path, payload).await
}

/// Waits for something that surely comes.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !done().await {
        assert!(began.elapsed() < PATIENCE, "did not come: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The runs that the function's log tells of: id and event.
async fn runs(client: &Client, name: &str) -> Vec<(String, Value)> {
    let input = json!({ "logGroupName": format!("/aws/lambda/{name}"), "filterPattern": "RUN" });
    let reply = client.logs("FilterLogEvents", input).await;
    if reply.status == 400 {
        return Vec::new();
    }
    let events = reply.expect(200).json()["events"].clone();
    let events = events.as_array().unwrap().iter();
    events
        .map(|event| {
            let line = event["message"].as_str().unwrap();
            let (id, event) = line["RUN ".len()..].split_once(' ').unwrap();
            (id.to_owned(), serde_json::from_str(event).unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_tells_what_ran() {
    if !have_python() {
        return;
    }
    let aws = Emulator::start(quick()).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "f", json!({ "Publish": true })).await;
    let reply = invoke(
        &client.header("x-amz-log-type", "Tail"),
        "f",
        json!({ "a": 1 }),
    )
    .await;
    let reply = reply.expect(200);
    assert_eq!(reply.json(), json!({ "a": 1 }));
    assert_eq!(reply.header("x-amz-executed-version"), "$LATEST");
    assert_eq!(reply.header("x-amz-function-error"), "");
    let id = reply.header("x-amzn-requestid").to_owned();
    let log = BASE64.decode(reply.header("x-amz-log-result").as_bytes());
    let log = String::from_utf8(log.unwrap()).unwrap();
    let begins = format!(
        "START RequestId: {id} Version: $LATEST\nRUN {id} {{\"a\": 1}}\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: "
    );
    assert!(log.starts_with(&begins), "{log}");

    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let context = BASE64.encode(br#"{"custom":{"k":"v"}}"#);
    let traced = client
        .header("x-amzn-trace-id", trace)
        .header("x-amz-client-context", &context);
    let reply = invoke(&traced, "f:1", json!({ "do": "headers" }))
        .await
        .expect(200);
    assert_eq!(reply.header("x-amz-executed-version"), "1");
    let seen = reply.json();
    assert_eq!(
        seen["lambda-runtime-client-context"],
        r#"{"custom":{"k":"v"}}"#
    );
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f:1";
    assert_eq!(seen["lambda-runtime-invoked-function-arn"], arn);
    let passed = seen["lambda-runtime-trace-id"].as_str().unwrap();
    assert!(passed.starts_with(trace), "{passed}");

    let failed = invoke(&client, "f", json!({ "do": "exit", "code": 4 }))
        .await
        .expect(200);
    assert_eq!(failed.header("x-amz-function-error"), "Unhandled");
    assert_eq!(failed.json()["errorType"], "Runtime.ExitError");
    let failed = invoke(&client, "f", json!({ "do": "error", "error": "no" }))
        .await
        .expect(200);
    assert_eq!(failed.header("x-amz-function-error"), "Unhandled");
    assert_eq!(
        failed.json(),
        json!({ "errorType": "Asked", "errorMessage": "no" })
    );

    let dry = client.header("x-amz-invocation-type", "DryRun");
    invoke(&dry, "f", Value::Null).await.expect(204);
    let old = "/2014-11-13/functions/f/invoke-async";
    client
        .lambda("POST", old, json!({ "n": 9 }))
        .await
        .expect(202);
    until("the event", async || {
        let runs = runs(&client, "f").await;
        runs.iter().any(|(_, event)| *event == json!({ "n": 9 }))
    })
    .await;
    aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_reaches_its_cloud_as_its_role() {
    if !have_python() {
        return;
    }
    let aws = Emulator::start(quick()).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "f", json!({})).await;
    let env = invoke(&client, "f", json!({ "do": "env" }))
        .await
        .expect(200)
        .json();
    let text = |name: &str| env[name].as_str().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(text("AWS_ENDPOINT_URL"), aws.endpoint());
    assert_eq!(
        env.get("AWS_EXECUTION_ENV"),
        None,
        "an OS-only runtime has none"
    );
    let role = Credentials::new(text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"))
        .session_token(text("AWS_SESSION_TOKEN"));
    let who = client
        .by(Some(role))
        .query("sts", "GetCallerIdentity", &[])
        .await;
    let arn = who.expect(200);
    let arn = arn.element("Arn").unwrap();
    assert_eq!(
        arn,
        "arn:aws:sts::000000000000:assumed-role/anyport-embedded/f"
    );
    aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_has_no_logs() {
    if !have_python() {
        return;
    }
    let aws = Emulator::start(quick()).await.unwrap();
    let client = Client::of(&aws);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" },
    }] });
    let members = [
        ("RoleName", "mute"),
        ("AssumeRolePolicyDocument", &trust.to_string()),
    ];
    client
        .query("iam", "CreateRole", &members)
        .await
        .expect(200);
    create(
        &client,
        "f",
        json!({ "Role": "arn:aws:iam::000000000000:role/mute" }),
    )
    .await;
    let reply = invoke(&client.header("x-amz-log-type", "Tail"), "f", json!(1))
        .await
        .expect(200);
    assert!(!reply.header("x-amz-log-result").is_empty());
    let groups = client
        .logs("DescribeLogGroups", json!({}))
        .await
        .expect(200);
    assert_eq!(groups.json()["logGroups"], json!([]));
    aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_is_an_event_stream() {
    if !have_python() {
        return;
    }
    let aws = Emulator::start(quick()).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "f", json!({})).await;
    let path = "/2021-11-15/functions/f/response-streaming-invocations";
    let event = json!({ "do": "stream", "parts": ["one", "two"] });
    let request = client.request("lambda", "POST", path, event.to_string());
    let response = client.open(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "application/vnd.amazon.eventstream"
    );
    assert_eq!(response.headers()["x-amz-executed-version"], "$LATEST");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let mut rest = &body[..];
    let mut payloads = Vec::new();
    while !rest.is_empty() {
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let (total, headers) = (number(0), number(4));
        payloads.push(String::from_utf8_lossy(&rest[12 + headers..total - 4]).into_owned());
        rest = &rest[total..];
    }
    assert_eq!(payloads, ["one", "two", "{}"]);
    aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_open_when_both_statements_say_so() {
    if !have_python() {
        return;
    }
    let aws = Emulator::start(quick()).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "f", json!({})).await;
    let config = json!({ "AuthType": "NONE" });
    let path = "/2021-10-31/functions/f/url";
    let url = client.lambda("POST", path, config).await.expect(201).json();
    let url = url["FunctionUrl"].as_str().unwrap().to_owned();
    let host = url
        .trim_start_matches("http://")
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    let web = client.by(None).host(&host);
    let allow = async |body: Value| {
        let path = "/2015-03-31/functions/f/policy";
        client.lambda("POST", path, body).await.expect(201);
    };
    web.send("lambda", "GET", "/x?a=1", "").await.expect(403);
    allow(json!({
        "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    }))
    .await;
    let reply = web.send("lambda", "GET", "/x?a=1", "").await.expect(403);
    assert_eq!(reply.header("x-amzn-errortype"), "AccessDeniedException");
    allow(json!({
        "StatementId": "call", "Action": "lambda:InvokeFunction", "Principal": "*",
        "InvokedViaFunctionUrl": true,
    }))
    .await;
    let event = web
        .send("lambda", "GET", "/x?a=1", "")
        .await
        .expect(200)
        .json();
    assert_eq!(event["rawPath"], "/x");
    assert_eq!(event["requestContext"]["domainName"], host);

    // Signed, and by the path that needs no name to be resolved.
    let config = json!({ "AuthType": "AWS_IAM" });
    client.lambda("PUT", path, config).await.expect(200);
    web.send("lambda", "GET", "/", "").await.expect(403);
    let id = host.split('.').next().unwrap();
    let direct = format!("/_anyport/url/us-east-1/{id}/y");
    let event = client
        .send("lambda", "GET", &direct, "")
        .await
        .expect(200)
        .json();
    assert_eq!(event["rawPath"], "/y");
    let iam = &event["requestContext"]["authorizer"]["iam"];
    assert_eq!(iam["accountId"], "000000000000");
    aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_ends_in_its_dead_letter_queue() {
    if !have_python() {
        return;
    }
    let clock = Clock::manual(SystemTime::now());
    let aws = Emulator::start(quick().clock(clock.clone())).await.unwrap();
    let client = Client::of(&aws);
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*" },
    ] });
    let members = [
        ("RoleName", "anyport-embedded"),
        ("PolicyName", "send"),
        ("PolicyDocument", &policy.to_string()),
    ];
    client
        .query("iam", "PutRolePolicy", &members)
        .await
        .expect(200);
    let queue = client
        .sqs("CreateQueue", json!({ "QueueName": "dead" }))
        .await
        .expect(200);
    let queue = queue.json()["QueueUrl"].as_str().unwrap().to_owned();
    let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
    create(
        &client,
        "f",
        json!({ "DeadLetterConfig": { "TargetArn": arn } }),
    )
    .await;
    let event = json!({ "do": "error", "error": "no" });
    let asynchronous = client.header("x-amz-invocation-type", "Event");
    let reply = invoke(&asynchronous, "f", event.clone()).await.expect(202);
    assert_eq!(reply.body, "");
    let id = reply.header("x-amzn-requestid").to_owned();
    let mut message = Value::Null;
    for attempt in 1..=3 {
        until("an attempt", async || {
            runs(&client, "f").await.len() == attempt
        })
        .await;
        // The attempt is reported a moment later; the next is due a minute or two after that.
        until("the next attempt or the dead letter", async || {
            clock.advance(Duration::from_secs(60));
            let input = json!({ "QueueUrl": queue, "MessageAttributeNames": ["All"] });
            let got = client.sqs("ReceiveMessage", input).await.expect(200).json();
            if let Some(first) = got["Messages"].get(0) {
                message = first.clone();
            }
            !message.is_null() || runs(&client, "f").await.len() > attempt
        })
        .await;
    }
    let runs = runs(&client, "f").await;
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| *run == (id.clone(), event.clone())));
    let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body, event);
    let attribute = |name: &str| message["MessageAttributes"][name]["StringValue"].clone();
    assert_eq!(attribute("RequestID"), id);
    assert_eq!(attribute("ErrorCode"), "200");
    assert_eq!(attribute("ErrorMessage"), "no");
    aws.shutdown().await;
}
