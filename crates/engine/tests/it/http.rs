//! Functions that listen, ours and others.

use std::fs;
use std::time::Duration;

use anyport_engine::{InvokeError, Launch, Request};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{PATIENCE, Stage, call, function_error, have, json, request, runs, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_gets_the_whole_call() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::HttpBootstrap);
    let mut asked = request(r#"{"do":"headers"}"#);
    asked.idempotency_key = Some("once".to_owned());
    asked.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let id = asked.request_id.clone();
    let seen = json(pool.invoke(asked).await.unwrap()).await;
    assert_eq!(seen["x-anyport-request-id"], id);
    assert_eq!(seen["x-anyport-function"], "staged");
    assert_eq!(seen["x-anyport-version"], "7");
    assert_eq!(seen["idempotency-key"], "once");
    assert!(seen["traceparent"].as_str().unwrap().starts_with("00-0af7"));
    assert!(
        seen["x-anyport-deadline-ms"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 1_700_000_000_000
    );

    let mut call = Request::new("bin", &b"\0\xff"[..]);
    call.content_type = Some("image/png".to_owned());
    let reply = pool.invoke(call).await.unwrap();
    assert_eq!(reply.content_type.as_deref(), Some("image/png"));
    assert!(!reply.streaming);
    assert_eq!(reply.body.collect(10).await.unwrap(), &b"\0\xff"[..]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_asked_for() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::HttpBootstrap, |spec| {
        spec.env.insert("UNREADY_MS".to_owned(), "200".to_owned());
    });
    assert!(pool.probe().await.unwrap() >= Duration::from_millis(200));
    let pool = stage.pool_with(Launch::HttpBootstrap, |spec| {
        spec.env
            .insert("UNREADY_MS".to_owned(), "600000".to_owned());
        spec.init_timeout = Duration::from_millis(300);
    });
    let failure = pool.probe().await.unwrap_err();
    assert!(
        matches!(
            failure.kind,
            anyport_engine::StartFailureKind::Timeout { .. }
        ),
        "{failure}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_mean_what_they_should() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::HttpBootstrap);
    let reply = pool
        .invoke(request(r#"{"do":"status","status":"404 Not Here"}"#))
        .await
        .unwrap();
    assert_eq!(reply.status, 404);
    let error = function_error(pool.invoke(request(r#"{"do":"error"}"#)).await.unwrap_err());
    assert!(error.handled && error.error_type == "Refused" && error.status == Some(500));
    let error = function_error(pool.invoke(request(r#"{"do":"panic"}"#)).await.unwrap_err());
    assert!(!error.handled && error.error_type == "Runtime.Panic");
    let plain = pool
        .invoke(request(r#"{"do":"status","status":"503 Busy"}"#))
        .await
        .unwrap_err();
    let error = function_error(plain);
    assert!(error.handled && error.error_type == "Http.503" && error.payload == "plain words");
    let error = function_error(
        pool.invoke(request(r#"{"do":"exit","code":5}"#))
            .await
            .unwrap_err(),
    );
    assert!(
        !error.handled && error.message.ends_with("exit status 5"),
        "{}",
        error.message
    );
    assert_eq!(
        call(&pool, r#"{"do":"print","text":"x"}"#).await["text"],
        "x"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_serves_many_calls_at_once() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::HttpBootstrap, |spec| {
        spec.max_instances = 1;
        spec.per_instance_concurrency = 8;
    });
    pool.probe().await.unwrap();
    let calls = (0..8).map(|_| pool.invoke(request(r#"{"do":"together","count":8}"#)));
    for reply in join_all(calls).await {
        assert_eq!(reply.unwrap().body.collect(100).await.unwrap(), "together");
    }
    let calls = (0..8).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            pool.invoke(request(r#"{"do":"sleep","ms":500}"#))
                .await
                .map(|_| ())
        })
    });
    let calls: Vec<_> = calls.collect();
    until("all are in flight", || pool.stats().in_flight == 8).await;
    let ninth = pool.invoke(request("{}")).await;
    assert!(
        matches!(ninth, Err(InvokeError::Overloaded { .. })),
        "{ninth:?}"
    );
    for call in calls {
        call.await.unwrap().unwrap();
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timed_out_call_does_not_take_its_neighbours_along() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::HttpBootstrap, |spec| {
        spec.per_instance_concurrency = 4;
        spec.timeout = PATIENCE;
    });
    let pid = call(&pool, r#"{"do":"pid"}"#).await.as_u64().unwrap();
    until("it is idle", || pool.stats().idle == 1).await;
    let neighbour = {
        let pool = pool.clone();
        tokio::spawn(async move { call(&pool, r#"{"do":"sleep","ms":1500}"#).await })
    };
    until("it works", || pool.stats().in_flight == 1).await;
    let mut endless = request(r#"{"do":"sleep","ms":600000}"#);
    endless.timeout = Some(Duration::from_millis(100));
    assert!(matches!(
        pool.invoke(endless).await,
        Err(InvokeError::Timeout { .. })
    ));
    // The instance takes no new calls, but serves its neighbour to the end.
    assert_ne!(call(&pool, r#"{"do":"pid"}"#).await.as_u64().unwrap(), pid);
    assert_eq!(neighbour.await.unwrap()["ms"], 1500);
    until("then it is stopped", || !runs(pid)).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_unknown_size_are_streamed() {
    let stage = Stage::new().await;
    let gate = stage.dir.path().join("gate");
    fs::create_dir(&gate).unwrap();
    let pool = stage.pool(Launch::HttpBootstrap);
    fs::write(gate.join("0"), "").unwrap();
    let asked = json!({"do": "chunks", "gate": gate}).to_string();
    let mut reply = pool.invoke(request(&asked)).await.unwrap();
    assert!(reply.streaming);
    assert_eq!(reply.body.chunk().await.unwrap().unwrap(), "piece 0\n");
    fs::write(gate.join("1"), "").unwrap();
    fs::write(gate.join("2"), "").unwrap();
    assert_eq!(reply.body.collect(100).await.unwrap(), "piece 1\npiece 2\n");
    let reply = pool
        .invoke(request(r#"{"do":"chunks","break":1}"#))
        .await
        .unwrap();
    let error = function_error(reply.body.collect(100).await.unwrap_err());
    assert!(
        !error.handled && error.message.ends_with("exit status 4"),
        "{}",
        error.message
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_nothing_of_us() {
    if !have("python3") {
        return;
    }
    let stage = Stage::empty().await;
    stage.file(
        "app.py",
        r#"
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Shout(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(201)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(body.upper())
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shout).serve_forever()
"#,
    );
    let command = vec!["python3".to_owned(), "app.py".to_owned()];
    let pool = stage.pool_with(Launch::Http { command }, |spec| {
        // A version manager's shim wants its owner's home; the interpreter itself does not.
        if let Ok(root) = std::env::var("PYENV_ROOT") {
            spec.env.insert("PYENV_ROOT".to_owned(), root);
        }
    });
    for _ in 0..3 {
        let reply = pool.invoke(request("hello")).await.unwrap();
        assert_eq!(reply.status, 201);
        // It closes each connection and sends no length.
        assert_eq!(reply.body.collect(100).await.unwrap(), "HELLO");
    }
    stage.end().await;
}

/// Takes the port of each of the first `times` starts away, and returns what the pool's probe says.
async fn probe_with_stolen_ports(
    times: usize,
    stays: bool,
) -> Result<Duration, anyport_engine::StartFailure> {
    let stage = Stage::new().await;
    let theft = stage.dir.path().join("theft");
    fs::create_dir(&theft).unwrap();
    let pool = stage.pool_with(Launch::HttpBootstrap, |spec| {
        let env = &mut spec.env;
        env.insert("LOSE_PORT".to_owned(), theft.to_str().unwrap().to_owned());
        env.insert("LOSE_TIMES".to_owned(), times.to_string());
        if stays {
            env.insert("STAY".to_owned(), "1".to_owned());
        }
    });
    let probe = tokio::spawn({
        let pool = pool.clone();
        async move { pool.probe().await }
    });
    let mut thieves = Vec::new();
    for start in 0..times {
        let asked = theft.join(format!("port-{start}"));
        until("a function names its port", || asked.exists()).await;
        let port: u16 = fs::read_to_string(&asked).unwrap().parse().unwrap();
        thieves.push(std::net::TcpListener::bind(("127.0.0.1", port)).unwrap());
        fs::write(theft.join(format!("taken-{start}")), "").unwrap();
    }
    let outcome = probe.await.unwrap();
    if outcome.is_ok() {
        assert_eq!(
            call(&pool, r#"{"do":"print","text":"x"}"#).await["text"],
            "x"
        );
    }
    stage.end().await;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_was_taken_is_replaced() {
    probe_with_stolen_ports(2, false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_on_the_port_is_not_taken_for_the_function() {
    probe_with_stolen_ports(1, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_that_are_taken_each_time_are_given_up() {
    let failure = probe_with_stolen_ports(4, false).await.unwrap_err();
    assert!(
        matches!(
            failure.kind,
            anyport_engine::StartFailureKind::Crash { .. }
                | anyport_engine::StartFailureKind::Machine { .. }
        ),
        "{failure}"
    );
}
