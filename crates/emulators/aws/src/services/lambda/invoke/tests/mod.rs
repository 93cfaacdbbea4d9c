//! A cloud with functions put into it by hand, to invoke without HTTP in front.

mod cases;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyport_engine::Language;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::access::Caller;
use crate::answer::{Answer, AnswerBody, ApiError};
use crate::call::{Call, CallCx, Service};
use crate::cloud::Cloud;
use crate::config::{Config, Delays, Limits};
use crate::services::lambda::function::Function;
use crate::services::lambda::ids;
use crate::services::lambda::version::{
    Code, Logging, Settings, Variables, Version, VersionConfig,
};
use crate::{Clock, Emulator};

/// A function that does what its event says.
const PYTHON: &str = r#"
import os, sys, time
count = 0
def handler(event, context):
    global count
    count += 1
    do = event.get("do", "echo")
    if do == "env":
        return dict(os.environ)
    if do == "context":
        custom = context.client_context and context.client_context.custom
        return [context.aws_request_id, context.invoked_function_arn, context.log_stream_name, custom]
    if do == "raise":
        raise ValueError("as asked")
    if do == "exit":
        print("going", flush=True)
        os._exit(event["code"])
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "big":
        return "x" * event["bytes"]
    if do == "print":
        print(event["text"])
        return count
    return event
"#;

/// A runtime of its own: answers in two pieces, or breaks off after the first.
pub(crate) const STREAMING: &str = r#"#!/usr/bin/env python3
import base64, http.client, json, os
host = os.environ["AWS_LAMBDA_RUNTIME_API"]
api = http.client.HTTPConnection(host)
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    got = api.getresponse()
    event = json.loads(got.read())
    id = got.headers["Lambda-Runtime-Aws-Request-Id"]
    out = http.client.HTTPConnection(host)
    out.putrequest("POST", "/2018-06-01/runtime/invocation/%s/response" % id)
    out.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    out.putheader("Content-Type", event.get("type", "text/plain"))
    out.putheader("Transfer-Encoding", "chunked")
    if event.get("fail"):
        out.putheader("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
    out.endheaders()
    def piece(data):
        out.send(b"%x\r\n%s\r\n" % (len(data), data))
    for part in event["parts"]:
        piece(part.encode())
        if event.get("wait"):
            while not os.path.exists(event["wait"]):
                pass
    if event.get("fail"):
        body = base64.b64encode(json.dumps({"errorType": "Late", "errorMessage": "as asked"}).encode())
        out.send(b"0\r\nLambda-Runtime-Function-Error-Type: Late\r\nLambda-Runtime-Function-Error-Body: " + body + b"\r\n\r\n")
    else:
        out.send(b"0\r\n\r\n")
    out.getresponse().read()
    out.close()
"#;

/// A cloud with functions put into it by hand.
pub(crate) struct Stage {
    pub(crate) aws: Emulator,
    python: Option<String>,
}

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "us-east-1";

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::over(Clock::system()).await
    }

    pub(crate) async fn over(clock: Clock) -> Self {
        let config = Config::new()
            .enforce_permissions(false)
            .delays(Delays::zero())
            .limits(Limits::off().concurrency(20))
            .clock(clock);
        let aws = Emulator::start(config).await.unwrap();
        let engine = &aws.inner().engine;
        let python = engine.interpreter(Language::Python, None).await.ok();
        if python.is_none() {
            let required = std::env::var("ANYPORT_REQUIRE").unwrap_or_default();
            assert!(
                !required.contains("python3"),
                "python3 is required and missing"
            );
            println!("not run: no python3");
        }
        Self {
            aws,
            python: python.map(|found| found.version),
        }
    }

    pub(crate) fn cloud(&self) -> &Arc<Cloud> {
        self.aws.inner()
    }

    /// Whether Python functions run here.
    pub(crate) fn has_python(&self) -> bool {
        self.python.is_some()
    }

    /// Adds a Python function of this text.
    pub(crate) fn python(&self, name: &str, text: &str, change: impl FnOnce(&mut Settings)) {
        let runtime = format!("python{}", self.python.as_deref().unwrap());
        self.function(name, "app.py", text, |settings| {
            settings.runtime = runtime;
            settings.handler = "app.handler".to_owned();
            change(settings);
        });
    }

    /// Adds the function that does what its event says.
    pub(crate) fn actor(&self, name: &str, change: impl FnOnce(&mut Settings)) {
        self.python(name, PYTHON, change);
    }

    /// Adds a function of one file.
    pub(crate) fn function(
        &self,
        name: &str,
        file: &str,
        text: &str,
        change: impl FnOnce(&mut Settings),
    ) {
        let cloud = self.cloud();
        let mut settings = Settings {
            description: String::new(),
            role: format!("arn:aws:iam::{ACCOUNT}:role/anyport-embedded"),
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
            timeout: 30,
            memory: 256,
            architecture: "x86_64".to_owned(),
            ephemeral_storage: 512,
            environment: Some(Variables::default()),
            kms_key: None,
            dead_letter: None,
            tracing: "PassThrough".to_owned(),
            vpc: None,
            logging: Logging::of(name),
            snap_start: "None".to_owned(),
        };
        change(&mut settings);
        let config = VersionConfig {
            id: ids::uuid(),
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            function: name.to_owned(),
            version: "$LATEST".to_owned(),
            code: package(cloud, file, text),
            settings,
            modified: SystemTime::UNIX_EPOCH,
        };
        let functions = &cloud.lambda.functions;
        let version = Version::new(config, functions.now(), Duration::ZERO, None);
        let function = Function::new(version);
        functions.region(ACCOUNT, REGION, |region| {
            region.functions.insert(name.to_owned(), function)
        });
        functions.changed();
    }

    /// A call of an operation.
    pub(crate) fn call(&self, operation: &'static str, input: Value, payload: &str) -> Call {
        let mut caller = Caller::anonymous();
        caller.account = ACCOUNT.to_owned();
        let input = match input {
            Value::Object(input) => input,
            _ => Map::new(),
        };
        Call {
            service: Service::Lambda,
            operation,
            input,
            payload: Bytes::from(payload.to_owned()),
            headers: http::HeaderMap::new(),
            cx: CallCx {
                request_id: ids::uuid(),
                caller,
                account: ACCOUNT.to_owned(),
                region: REGION.to_owned(),
                cloud: Arc::clone(self.cloud()),
            },
        }
    }

    pub(super) async fn try_invoke(&self, input: Value, payload: &str) -> Result<Answer, ApiError> {
        crate::services::lambda::invoke::call(self.call("Invoke", input, payload)).await
    }

    pub(crate) async fn invoke(&self, name: &str, payload: &str) -> (Map<String, Value>, Value) {
        let input = json!({ "FunctionName": name, "LogType": "Tail" });
        let answer = self.try_invoke(input, payload).await.unwrap();
        let AnswerBody::Bytes(body) = answer.payload else {
            panic!("no body");
        };
        (answer.output, serde_json::from_slice(&body).unwrap())
    }

    /// The messages of the function's log group.
    pub(crate) async fn log(&self, name: &str) -> Vec<String> {
        let input = json!({ "logGroupName": format!("/aws/lambda/{name}") });
        let mut call = self.call("FilterLogEvents", input, "");
        call.service = Service::Logs;
        let answer = crate::services::logs::call(call).await.unwrap();
        let events = answer.output["events"].as_array().unwrap().clone();
        let text = |event: Value| event["message"].as_str().unwrap().to_owned();
        events.into_iter().map(text).collect()
    }
}

/// Puts a package of one file where the cloud looks for it.
fn package(cloud: &Cloud, file: &str, text: &str) -> Code {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join(file), text).unwrap();
    executable(&source.join(file));
    let archive = dir.path().join("code.zip");
    let packer = anyport_package::Packer::new(anyport_package::Limits::default());
    packer.dir(&source, &archive).unwrap();
    let bytes = fs::read(&archive).unwrap();
    Code::new(cloud.blobs.put(&bytes).unwrap(), text.len() as u64)
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
