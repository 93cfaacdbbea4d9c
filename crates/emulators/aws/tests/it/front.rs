//! What holds for all services: connections, bounds, protocols, faults.

use std::time::Duration;

use anyport_emulator_aws::{Emulator, Fault, FaultRule, Limits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, encode, quick, start};

#[tokio::test]
async fn only_this_machine_is_served() {
    let aws = start().await;
    let client = Client::of(&aws);
    client
        .host("example.com")
        .send("lambda", "GET", "/2015-03-31/functions", "")
        .await
        .expect(403);
    for host in ["localhost", "lambda.us-east-1.localhost", "[::1]"] {
        client
            .host(host)
            .lambda("GET", "/2015-03-31/functions", Value::Null)
            .await
            .expect(200);
    }
    aws.shutdown().await;
}

#[tokio::test]
async fn what_is_unknown_is_said_in_each_services_words() {
    let aws = start().await;
    let client = Client::of(&aws);
    let reply = client
        .lambda("GET", "/2015-03-31/nonsense", Value::Null)
        .await
        .expect(404);
    assert_eq!(
        reply.header("x-amzn-errortype"),
        "UnknownOperationException"
    );
    let reply = client.query("iam", "Nonsense", &[]).await.expect(400);
    assert_eq!(reply.element("Code"), Some("InvalidAction"));
    let reply = client.logs("Nonsense", json!({})).await.expect(400);
    assert_eq!(reply.json()["__type"], "UnknownOperationException");
    let reply = client.s3("POST", "/", "").await.expect(405);
    assert_eq!(reply.element("Code"), Some("MethodNotAllowed"));
    aws.shutdown().await;
}

#[tokio::test]
async fn what_is_known_and_not_served_says_so() {
    let aws = start().await;
    let client = Client::of(&aws);
    let reply = client
        .lambda(
            "GET",
            "/2018-10-31/layers/mine/versions/1/policy",
            Value::Null,
        )
        .await
        .expect(501);
    assert_eq!(
        reply.json()["message"],
        "lambda:GetLayerVersionPolicy is not served by the embedded AWS"
    );
    let reply = client
        .s3("POST", "/bucket/key?select&select-type=2", "")
        .await
        .expect(501);
    assert_eq!(reply.element("Code"), Some("NotImplemented"));
    let reply = client
        .query("sts", "AssumeRoleWithSAML", &[])
        .await
        .expect(501);
    assert!(reply.text().contains("is not served by the embedded AWS"));
    assert_eq!(
        aws.cloud().calls(),
        [
            ("lambda".to_owned(), "GetLayerVersionPolicy".to_owned(), 501),
            ("s3".to_owned(), "SelectObjectContent".to_owned(), 501),
            ("sts".to_owned(), "AssumeRoleWithSAML".to_owned(), 501),
        ]
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn constraints_are_told_with_a_request_id() {
    let aws = start().await;
    let client = Client::of(&aws);
    let reply = client
        .lambda(
            "GET",
            &format!("/2015-03-31/functions/{}", encode("a b")),
            Value::Null,
        )
        .await
        .expect(400);
    assert_eq!(reply.header("x-amzn-errortype"), "ValidationException");
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.starts_with("1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: "),
        "{message}"
    );
    assert_eq!(reply.header("x-amzn-requestid").len(), 36);
    aws.shutdown().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_read_no_further() {
    let aws = start().await;
    let client = Client::of(&aws);
    let reply = client
        .lambda(
            "POST",
            "/2015-03-31/functions/f/invocations",
            Value::String("x".repeat(9 << 20)),
        )
        .await
        .expect(413);
    assert_eq!(
        reply.json()["message"],
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn a_client_that_asks_to_continue_is_told_to() {
    let aws = start().await;
    let client = Client::of(&aws).by(None);
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    // In two chunks; the service then asks who it is.
    let body = "15\r\nAction=GetCallerIdent\r\n16\r\nity&Version=2011-06-15\r\n0\r\n\r\n";
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(aws.cloud().calls()[0].1, "GetCallerIdentity");
    aws.shutdown().await;
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_garbage_ends_it() {
    let aws = start().await;
    let mut stream = TcpStream::connect(Client::of(&aws).address())
        .await
        .unwrap();
    for _ in 0..3 {
        stream
            .write_all(b"GET /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 403 "));
    }
    stream
        .write_all(b"\x16\x03\x01 what\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    aws.shutdown().await;
}

fn list_functions() -> (&'static str, &'static str, Value) {
    ("GET", "/2015-03-31/functions", Value::Null)
}

#[tokio::test]
async fn faults_strike_whom_they_are_for() {
    let aws = start().await;
    let client = Client::of(&aws);
    let (method, path, body) = list_functions();
    let list = || client.lambda(method, path, body.clone());
    let admin = aws.cloud();
    let faults = admin.faults();
    faults.add(
        FaultRule::new(Fault::Throttle(Some(7)))
            .service("lambda")
            .operation("ListFunctions")
            .skip(1)
            .times(1),
    );
    list().await.expect(200);
    let reply = list().await.expect(429);
    assert_eq!(reply.header("retry-after"), "7");
    assert_eq!(reply.header("x-amzn-errortype"), "TooManyRequestsException");
    list().await.expect(200);
    assert_eq!(faults.struck(), 1);
    faults.clear();

    faults.add(FaultRule::new(Fault::Fail(503)).service("s3"));
    list().await.expect(200);
    client.s3("GET", "/", "").await.expect(503);
    faults.clear();

    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::Truncate(3)] {
        faults.add(FaultRule::new(fault).times(1));
        client
            .try_send("lambda", method, path, "")
            .await
            .unwrap_err();
        list().await.expect(200);
        faults.clear();
    }
    faults.add(FaultRule::new(Fault::Corrupt).times(1));
    assert!(serde_json::from_slice::<Value>(&list().await.expect(200).body).is_err());
    list().await.expect(200).json();
    faults.clear();
    faults.add(FaultRule::new(Fault::Delay(Duration::from_millis(30))));
    let before = std::time::Instant::now();
    list().await.expect(200);
    assert!(before.elapsed() >= Duration::from_millis(30));
    aws.shutdown().await;
}

#[tokio::test]
async fn what_was_reset_after_it_was_done_is_done() {
    let aws = start().await;
    let client = Client::of(&aws);
    let reset = FaultRule::new(Fault::ResetAfter).operation("CreateLogGroup");
    aws.cloud().faults().add(reset);
    client
        .header("x-amz-target", "Logs_20140328.CreateLogGroup")
        .try_send("logs", "POST", "/", r#"{"logGroupName":"group"}"#)
        .await
        .unwrap_err();
    let groups = client
        .logs("DescribeLogGroups", json!({}))
        .await
        .expect(200);
    assert_eq!(groups.json()["logGroups"][0]["logGroupName"], "group");
    aws.shutdown().await;
}

#[tokio::test]
async fn the_control_plane_has_a_rate() {
    let aws = Emulator::start(quick().limits(Limits::default()))
        .await
        .unwrap();
    let client = Client::of(&aws);
    let (method, path, body) = list_functions();
    let mut throttled = None;
    for _ in 0..200 {
        let reply = client.lambda(method, path, body.clone()).await;
        if reply.status == 429 {
            throttled = Some(reply);
            break;
        }
    }
    let reply = throttled.expect("nothing was throttled");
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.json()["Reason"], "CallerRateLimitExceeded");
    aws.shutdown().await;
}

#[tokio::test]
async fn after_the_end_nobody_listens() {
    let aws = start().await;
    let address = Client::of(&aws).address().to_owned();
    let idle = TcpStream::connect(&address).await.unwrap();
    aws.shutdown().await;
    TcpStream::connect(&address).await.unwrap_err();
    drop(idle);

    let aws = start().await;
    let address = Client::of(&aws).address().to_owned();
    drop(aws);
    for _ in 0..500 {
        if TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("a dropped emulator still listens");
}
#[tokio::test]
async fn a_bucket_may_be_in_the_host() {
    let aws = start().await;
    let client = Client::of(&aws);
    client
        .host("bucket.localhost")
        .s3("PUT", "/", "")
        .await
        .expect(200);
    client
        .host("bucket.s3.us-east-1.localhost")
        .s3("PUT", "/a/b%20c", "hello")
        .await
        .expect(200);
    let reply = client.s3("GET", "/bucket/a/b%20c", "").await.expect(200);
    assert_eq!(reply.text(), "hello");
    let head = client.s3("HEAD", "/bucket/a/b%20c", "").await.expect(200);
    assert_eq!(head.header("content-length"), "5");
    assert!(head.body.is_empty());
    aws.shutdown().await;
}
