//! Invocations of real functions.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use super::{ACCOUNT, REGION, STREAMING, Stage};
use crate::answer::AnswerBody;
use crate::services::lambda::function::Function;
use crate::services::lambda::invoke;

fn log_of(output: &Map<String, Value>) -> String {
    let log = output["LogResult"].as_str().unwrap();
    String::from_utf8(BASE64.decode(log.as_bytes()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_runs_in_the_environment_of_the_real_one() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    stage.actor("hello", |settings| {
        let variables = settings.environment.as_mut().unwrap();
        variables.0.insert("MINE".to_owned(), "1".to_owned());
    });
    let (output, env) = stage.invoke("hello", r#"{"do":"env"}"#).await;
    assert_eq!(output["StatusCode"], 200);
    assert_eq!(output["ExecutedVersion"], "$LATEST");
    assert!(!output.contains_key("FunctionError"));
    assert_eq!(env["MINE"], "1");
    assert_eq!(env["_HANDLER"], "app.handler");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "hello");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(env["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/hello");
    assert_eq!(env["AWS_REGION"], REGION);
    assert_eq!(env["AWS_ENDPOINT_URL"], stage.aws.endpoint());
    let stream = env["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap();
    assert!(stream.contains("/[$LATEST]"), "{stream}");
    assert!(
        env["AWS_EXECUTION_ENV"]
            .as_str()
            .unwrap()
            .starts_with("AWS_Lambda_python3.")
    );
    assert!(
        env["_X_AMZN_TRACE_ID"]
            .as_str()
            .unwrap()
            .starts_with("Root=1-")
    );

    let input = json!({
        "FunctionName": "hello:$LATEST",
        "ClientContext": BASE64.encode(br#"{"custom":{"a":1}}"#),
    });
    let call = stage.call("Invoke", input, r#"{"do":"context"}"#);
    let id = call.cx.request_id.clone();
    let answer = invoke::call(call).await.unwrap();
    let AnswerBody::Bytes(body) = answer.payload else {
        panic!("no body");
    };
    let seen: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen[0], id);
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello:$LATEST");
    assert_eq!(seen[1], arn);
    assert_eq!(seen[2], stream, "the instance is used again");
    assert_eq!(seen[3], json!({ "a": 1 }));
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_the_shapes_of_the_real_one() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    stage.actor("f", |settings| settings.timeout = 2);
    let (output, body) = stage.invoke("f", r#"{"do":"raise"}"#).await;
    assert_eq!(output["FunctionError"], "Unhandled");
    assert_eq!(body["errorType"], "ValueError");
    assert_eq!(body["errorMessage"], "as asked");
    assert!(body["stackTrace"].is_array());
    let log = log_of(&output);
    assert!(log.starts_with("START RequestId: "), "{log}");
    assert!(
        log.contains("[ERROR] ValueError: as asked\nTraceback"),
        "{log}"
    );
    assert!(
        log.contains("\tInit Duration: ") && log.ends_with("\t\n"),
        "{log}"
    );

    let (output, body) = stage.invoke("f", r#"{"do":"exit","code":3}"#).await;
    assert_eq!(output["FunctionError"], "Unhandled");
    assert_eq!(body["errorType"], "Runtime.ExitError");
    let message = body["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with(" Error: Runtime exited with error: exit status 3"),
        "{message}"
    );
    let log = log_of(&output);
    assert!(log.contains("\ngoing\nRequestId: "), "{log}");
    assert!(
        log.contains("exit status 3\nRuntime.ExitError\nEND RequestId"),
        "{log}"
    );
    assert!(
        log.ends_with("\tStatus: error\tError Type: Runtime.ExitError\n"),
        "{log}"
    );

    let (output, body) = stage.invoke("f", r#"{"do":"sleep","seconds":30}"#).await;
    assert_eq!(output["FunctionError"], "Unhandled");
    assert_eq!(body["errorType"], "Sandbox.Timedout");
    let message = body["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with(" Error: Task timed out after 2.00 seconds"),
        "{message}"
    );
    assert!(log_of(&output).ends_with("\tStatus: timeout\n"));

    let (output, body) = stage.invoke("f", r#"{"do":"big","bytes":6300000}"#).await;
    assert_eq!(output["FunctionError"], "Unhandled");
    assert_eq!(body["errorType"], "Function.ResponseSizeTooLarge");

    // The next call works, and all is in the log group.
    assert_eq!(stage.invoke("f", r#"{"a":1}"#).await.1, json!({ "a": 1 }));
    let log = stage.log("f").await;
    let count = |text: &str| log.iter().filter(|line| line.starts_with(text)).count();
    assert_eq!(count("START RequestId"), 5);
    assert_eq!(count("REPORT RequestId"), 5);
    assert!(count("INIT_START Runtime Version: python:3.") >= 3);
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_does_not_start_says_why() {
    let stage = Stage::new().await;
    stage.function("empty", "readme", "nothing to run", |_| {});
    let (output, body) = stage.invoke("empty", "{}").await;
    assert_eq!(output["FunctionError"], "Unhandled");
    assert_eq!(body["errorType"], "Runtime.InvalidEntrypoint");
    let message = body["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
    );
    let log = log_of(&output);
    assert!(log.contains("INIT_REPORT Init Duration: "), "{log}");
    assert!(
        log.contains("\tPhase: init\tStatus: error\tError Type: Runtime.InvalidEntrypoint\nSTART")
    );

    stage.function(
        "quits",
        "bootstrap",
        "#!/bin/sh\necho bye\nexit 7\n",
        |_| {},
    );
    let (output, body) = stage.invoke("quits", "{}").await;
    assert_eq!(body["errorType"], "Runtime.ExitError");
    assert!(
        log_of(&output).starts_with("bye\nINIT_REPORT "),
        "{}",
        log_of(&output)
    );

    if stage.has_python() {
        stage.python("broken", "import nowhere_to_be_found", |_| {});
        let (output, body) = stage.invoke("broken", "{}").await;
        assert_eq!(output["FunctionError"], "Unhandled");
        assert_eq!(body["errorType"], "Runtime.ImportModuleError");
        let log = stage.log("broken").await.concat();
        assert!(
            log.contains("Status: error\tError Type: Runtime.ImportModuleError"),
            "{log}"
        );
    }
    stage.function("java", "app", "", |settings| {
        settings.runtime = "java21".to_owned()
    });
    let error = stage
        .try_invoke(json!({ "FunctionName": "java" }), "{}")
        .await
        .unwrap_err();
    assert_eq!(error.code, "InvalidRuntimeException");
    assert!(error.message.contains("java21"), "{}", error.message);
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_aws_refuses_are_refused() {
    let stage = Stage::new().await;
    stage.function("f", "bootstrap", "#!/bin/sh\nexit 1\n", |_| {});
    let refused = async |input: Value, payload: &str| {
        let error = stage.try_invoke(input, payload).await.unwrap_err();
        (error.code, error.status, error.message)
    };
    let f = || json!({ "FunctionName": "f" });
    let large = format!("\"{}\"", "x".repeat(6_291_455));
    let (code, status, message) = refused(f(), &large).await;
    assert_eq!((code, status), ("RequestTooLargeException", Some(413)));
    assert!(message.contains("6291456 bytes"), "{message}");
    let event = json!({ "FunctionName": "f", "InvocationType": "Event" });
    let (code, _, message) = refused(event, &large[..1_048_577]).await;
    assert_eq!(code, "RequestTooLargeException");
    assert!(message.contains("for the Event invocation type (limit 1048576 bytes)"));
    assert_eq!(refused(f(), "{").await.0, "InvalidRequestContentException");
    let context = json!({ "FunctionName": "f", "ClientContext": "e30x" });
    assert_eq!(
        refused(context, "{}").await.0,
        "InvalidRequestContentException"
    );
    let (code, _, message) = refused(json!({ "FunctionName": "g" }), "{}").await;
    assert_eq!(code, "ResourceNotFoundException");
    assert!(message.ends_with(":function:g:$LATEST"), "{message}");
    let dry = json!({ "FunctionName": "f", "InvocationType": "DryRun" });
    let answer = stage.try_invoke(dry, "").await.unwrap();
    assert_eq!(answer.status, Some(204));
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_is_limited_by_function_and_account() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    stage.actor("one", |_| {});
    let reserve = |reserved| {
        stage
            .cloud()
            .lambda
            .functions
            .region(ACCOUNT, REGION, |region| {
                region.functions.get_mut("one").unwrap().reserved = reserved;
            });
    };
    reserve(Some(1));
    let slow = r#"{"do":"sleep","seconds":1}"#;
    let (first, second) = tokio::join!(
        stage.try_invoke(json!({ "FunctionName": "one" }), slow),
        stage.try_invoke(json!({ "FunctionName": "one" }), slow),
    );
    assert!(first.is_ok());
    let error = second.unwrap_err();
    assert_eq!(error.code, "TooManyRequestsException");
    assert_eq!(error.message, "Rate Exceeded.");
    assert_eq!(
        error.fields["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    assert!(error.fields.contains_key("retryAfterSeconds"));
    // Its slot is free again.
    assert_eq!(stage.invoke("one", "7").await.0["StatusCode"], 200);
    reserve(None);
    stage
        .cloud()
        .lambda
        .functions
        .region(ACCOUNT, REGION, |region| {
            let other = Function::new(region.functions["one"].latest.clone());
            region.functions.insert("other".to_owned(), other);
            region.functions.get_mut("other").unwrap().reserved = Some(20);
        });
    let error = stage
        .try_invoke(json!({ "FunctionName": "one" }), "{}")
        .await;
    assert_eq!(
        error.unwrap_err().fields["Reason"],
        "ConcurrentInvocationLimitExceeded"
    );
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_exchanges_what_runs() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    stage.python("f", "def handler(event, context): return 1", |_| {});
    assert_eq!(stage.invoke("f", "{}").await.1, 1);
    stage.python("f", "def handler(event, context): return 2", |_| {});
    assert_eq!(stage.invoke("f", "{}").await.1, 2);
    let began = std::time::Instant::now();
    while stage.cloud().engine.live_instances() > 1 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the old one stays"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_what_runs_is_exchanged() {
    let stage = Arc::new(Stage::new().await);
    if !stage.has_python() {
        return;
    }
    let text = "def handler(event, context): return event";
    stage.python("f", text, |_| {});
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                for n in 0..40 {
                    let (output, body) = stage.invoke("f", &n.to_string()).await;
                    assert!(!output.contains_key("FunctionError"), "{body}");
                    assert_eq!(body, n);
                }
            })
        })
        .collect();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        stage.python("f", text, |_| {});
    }
    for caller in callers {
        caller.await.unwrap();
    }
    Arc::into_inner(stage).unwrap().aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_failed_to_start_is_tried_with_every_call() {
    let stage = Stage::new().await;
    let dir = tempfile::tempdir().unwrap();
    let flag = dir.path().join("ready");
    let text = format!(
        "#!/bin/sh\ntest -e {} || exit 9\nexec sleep 600\n",
        flag.display()
    );
    stage.function("f", "bootstrap", &text, |settings| settings.timeout = 1);
    for _ in 0..6 {
        let (_, body) = stage.invoke("f", "{}").await;
        assert_eq!(body["errorType"], "Runtime.ExitError", "{body}");
    }
    let began = stage.log("f").await;
    let began = began.iter().filter(|line| line.starts_with("INIT_START"));
    assert_eq!(began.count(), 6, "each call is a try");
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_streamed_as_they_come() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    stage.function("s", "bootstrap", STREAMING, |_| {});
    let dir = tempfile::tempdir().unwrap();
    let flag = dir.path().join("go");
    let input = || json!({ "FunctionName": "s", "LogType": "Tail" });
    let event = json!({ "parts": ["one", "two"], "wait": flag }).to_string();
    let call = stage.call("InvokeWithResponseStream", input(), &event);
    let answer = invoke::call(call).await.unwrap();
    assert_eq!(answer.output["ExecutedVersion"], "$LATEST");
    let AnswerBody::Events(mut events) = answer.payload else {
        panic!("no events");
    };
    let first = events.next().await.unwrap().unwrap();
    assert_eq!((first.name, &*first.payload), ("PayloadChunk", &b"one"[..]));
    // Only now may the function make the second one.
    fs::write(&flag, "").unwrap();
    let second = events.next().await.unwrap().unwrap();
    assert_eq!(&*second.payload, b"two");
    let last = events.next().await.unwrap().unwrap();
    assert_eq!(last.name, "InvokeComplete");
    let complete: Value = serde_json::from_slice(&last.payload).unwrap();
    assert!(complete.get("ErrorCode").is_none());
    assert!(log_of(complete.as_object().unwrap()).contains("REPORT RequestId: "));
    assert!(events.next().await.is_none());

    let event = json!({ "parts": ["one"], "fail": true }).to_string();
    let call = stage.call("InvokeWithResponseStream", input(), &event);
    let AnswerBody::Events(events) = invoke::call(call).await.unwrap().payload else {
        panic!("no events");
    };
    let events: Vec<_> = events.map(Result::unwrap).collect().await;
    assert_eq!(events.len(), 2);
    let complete: Value = serde_json::from_slice(&events[1].payload).unwrap();
    assert_eq!(complete["ErrorCode"], "Unhandled");
    let details: Value = serde_json::from_str(complete["ErrorDetails"].as_str().unwrap()).unwrap();
    assert_eq!(details["errorType"], "Late");

    // The same function, its answer whole.
    let event = json!({ "parts": ["\"a", "b\""] }).to_string();
    assert_eq!(stage.invoke("s", &event).await.1, "ab");
    stage.aws.shutdown().await;
}
