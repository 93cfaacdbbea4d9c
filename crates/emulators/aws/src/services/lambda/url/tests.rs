//! Function URLs of real functions.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Reply, UrlCall, serve};
use crate::answer::AnswerBody;
use crate::services::lambda::function::UrlConfig;
use crate::services::lambda::ids;
use crate::services::lambda::invoke::tests::{ACCOUNT, REGION, STREAMING, Stage};

const ECHO: &str = r#"
import json
def handler(event, context):
    if event["rawPath"] == "/fail":
        raise ValueError("secret")
    if event["rawPath"] == "/plain":
        return "hello"
    return {"statusCode": 418, "headers": {"x-own": "1"}, "cookies": ["a=b"], "body": json.dumps(event)}
"#;

fn add_url(stage: &Stage, name: &str, mode: &str, cors: Option<Value>) {
    let url = UrlConfig {
        id: format!("{name}-url"),
        auth_type: "NONE".to_owned(),
        invoke_mode: mode.to_owned(),
        cors,
        created: SystemTime::UNIX_EPOCH,
        modified: SystemTime::UNIX_EPOCH,
    };
    stage
        .cloud()
        .lambda
        .functions
        .region(ACCOUNT, REGION, |region| {
            let function = region.functions.get_mut(name).unwrap();
            function.urls.insert("$LATEST".to_owned(), url);
        });
}

async fn get(stage: &Stage, name: &str, request: http::request::Builder, body: &str) -> Reply {
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let path_and_query = parts.uri.to_string();
    serve(UrlCall {
        url_id: format!("{name}-url"),
        region: REGION.to_owned(),
        parts,
        path_and_query,
        body: Bytes::from(body.to_owned()),
        request_id: ids::uuid(),
        cloud: Arc::clone(stage.cloud()),
    })
    .await
}

fn bytes(reply: Reply) -> Bytes {
    match reply.into_body() {
        AnswerBody::Bytes(bytes) => bytes,
        other => panic!("no bytes: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_an_event_and_an_answer_a_reply() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    stage.python("web", ECHO, |_| {});
    add_url(
        &stage,
        "web",
        "BUFFERED",
        Some(json!({ "AllowOrigins": ["*"] })),
    );
    let request = http::Request::post("/a%20b/c?x=1&x=2")
        .header("Content-Type", "text/plain")
        .header("Cookie", "k=v; l=w")
        .header("Origin", "https://a")
        .header("X-Two", "1")
        .header("X-Two", "2");
    let reply = get(&stage, "web", request, "body").await;
    assert_eq!(reply.status(), 418);
    assert_eq!(reply.headers()["x-own"], "1");
    assert_eq!(reply.headers()["set-cookie"], "a=b");
    assert_eq!(reply.headers()["access-control-allow-origin"], "*");
    let id = reply.headers()["x-amzn-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    let event: Value = serde_json::from_slice(&bytes(reply)).unwrap();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["rawPath"], "/a%20b/c");
    assert_eq!(event["rawQueryString"], "x=1&x=2");
    assert_eq!(event["queryStringParameters"], json!({ "x": "1,2" }));
    assert_eq!(event["cookies"], json!(["k=v", "l=w"]));
    assert_eq!(event["headers"]["x-two"], "1,2");
    assert_eq!(event["body"], "body");
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["requestContext"]["requestId"], id);
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["requestContext"]["accountId"], "anonymous");

    let reply = get(&stage, "web", http::Request::get("/plain"), "").await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "application/json");
    assert_eq!(bytes(reply), "hello");

    let reply = get(&stage, "web", http::Request::get("/fail"), "").await;
    assert_eq!(reply.status(), 502);
    assert_eq!(bytes(reply), "Internal Server Error");

    let reply = get(&stage, "other", http::Request::get("/"), "").await;
    assert_eq!(reply.status(), 403);
    stage.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_reply_has_its_head_from_the_prelude() {
    let stage = Stage::new().await;
    if !stage.has_python() {
        return;
    }
    // The runtime of the streaming tests, its event in the body.
    let runtime = STREAMING.replace(
        "event = json.loads(got.read())",
        "event = json.loads(json.loads(got.read())[\"body\"])",
    );
    stage.function("s", "bootstrap", &runtime, |_| {});
    add_url(&stage, "s", "RESPONSE_STREAM", None);
    let post = || http::Request::post("/").header("Content-Type", "application/json");
    let prelude = r#"{"statusCode":203,"headers":{"Content-Type":"text/css"}}"#;
    let event = json!({
        "type": super::stream::INTEGRATION,
        "parts": [&prelude[..20], format!("{}\0\0\0\0", &prelude[20..]), "\0\0\0\0one", "two"],
    });
    let reply = get(&stage, "s", post(), &event.to_string()).await;
    assert_eq!(reply.status(), 203);
    assert_eq!(reply.headers()["content-type"], "text/css");
    let AnswerBody::Stream(body, None) = reply.into_body() else {
        panic!("no stream");
    };
    let pieces: Vec<_> = body.map(Result::unwrap).collect().await;
    assert_eq!(pieces.concat(), b"onetwo");

    let event = json!({ "parts": ["one"], "fail": true });
    let reply = get(&stage, "s", post(), &event.to_string()).await;
    assert_eq!(reply.headers()["content-type"], "text/plain");
    let AnswerBody::Stream(body, None) = reply.into_body() else {
        panic!("no stream");
    };
    let pieces: Vec<_> = body.collect().await;
    assert!(pieces[0].is_ok() && pieces[1].is_err());

    let event = json!({ "type": super::stream::INTEGRATION, "parts": ["nonsense"] });
    let reply = get(&stage, "s", post(), &event.to_string()).await;
    assert_eq!(reply.status(), 502);
    stage.aws.shutdown().await;
}
