//! Calling: media, failures, limits, streams, and several versions at once.

use std::time::{Duration, Instant};

use anyport_core::call::{Body, Call};
use anyport_core::error::{ErrorKind, Retry, TimedOut};
use anyport_core::spec::{Artifact, Packaging};
use anyport_local::Config;
use anyport_package::{FileContent, Packer};
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn bytes_and_media_types_arrive_exactly() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    let binary: Vec<u8> = (0..1_000_000u32)
        .map(|n| (n % 65_521 * 31 % 251) as u8)
        .collect();
    for (media, body) in [
        ("application/json", b"{\"a\": 1}".to_vec()),
        ("text/plain; charset=utf-8", "žluťoučký".as_bytes().to_vec()),
        ("application/octet-stream", Vec::new()),
        ("image/png", binary),
    ] {
        let mut call = Call::new(name("hello"), body.clone());
        call.content_type = media.to_owned();
        let reply = target.invoke(call).await.unwrap();
        assert_eq!(reply.content_type, media);
        assert!(matches!(reply.body, Body::Bytes(_)));
        assert!(
            reply.body.collect(1 << 25).await.unwrap() == body,
            "{media}"
        );
    }
    let limit = vec![b'x'; 32 << 20];
    let whole = Call::new(name("hello"), limit.clone());
    let mut whole = whole;
    whole.content_type = "text/plain".to_owned();
    let reply = target.invoke(whole).await.unwrap();
    assert_eq!(
        reply.body.collect(1 << 26).await.unwrap().len(),
        limit.len()
    );
    let over = Call::new(name("hello"), vec![b'x'; (32 << 20) + 1]);
    assert_eq!(
        kind(&target.invoke(over).await.unwrap_err()),
        "payload_too_large"
    );
    let answer = Command::Fill {
        bytes: (32 << 20) + 1,
    };
    let over = invoke(&target, "hello", &answer).await.unwrap_err();
    assert_eq!(kind(&over), "payload_too_large");
    assert!(over.user_code_may_have_run());
    assert_eq!(who(&target, "hello").await.unwrap(), "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_the_function_are_told_apart_and_the_next_call_works() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    let message = "boom".to_owned();
    let fail = Command::Fail {
        kind: "Mine".to_owned(),
        message: message.clone(),
    };
    let panic = Command::Panic {
        message: message.clone(),
    };
    let exit = Command::Exit { message };
    for (command, handled, has_logs) in [
        (fail, true, false),
        (panic, false, true),
        (exit, false, true),
    ] {
        let error = invoke(&target, "hello", &command).await.unwrap_err();
        let ErrorKind::Function(failure) = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(failure.handled, handled, "{failure:?}");
        assert!(!failure.error_type.is_empty());
        let logged = failure.logs.iter().any(|line| line.contains("boom"));
        assert_eq!(logged, has_logs, "{failure:?}");
        assert!(error.user_code_may_have_run() && error.retry() == Retry::No);
        assert!(error.request_id().is_some());
        assert_eq!(who(&target, "hello").await.unwrap(), "one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_stops_the_code_and_the_cap_on_instances_rejects() {
    let state = State::new();
    let target = state.open();
    let spec = probe("hello", "one")
        .timeout(Duration::from_millis(700))
        .max_instances(2);
    deploy(&target, spec).await.unwrap();
    let sleep = |ms| Command::Sleep {
        ms,
        mark: "MARK".to_owned(),
    };
    let started = Instant::now();
    let error = invoke(&target, "hello", &sleep(60_000)).await.unwrap_err();
    let limit = Duration::from_millis(700);
    assert_eq!(
        error.kind(),
        &ErrorKind::Timeout(TimedOut::Function { limit })
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    let marks = async || {
        let lines = crate::logs::lines(&target, "hello").await;
        lines
            .iter()
            .filter(|line| line.text.starts_with("MARK"))
            .count()
    };
    // The code would go on for a minute: that it does not is seen at once.
    let before = marks().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(marks().await, before);

    // Without retries, which would wait until there is room; of one client, because each has its own instances.
    let one = once(&state);
    let calls = (0..6).map(|_| one.invoke(call("hello", &sleep(300))));
    let outcomes = futures_util::future::join_all(calls).await;
    let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(served, 2);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(kind(&error), "throttled");
        assert!(!error.user_code_may_have_run());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_keeps_its_floor_and_one_instance_serves_many() {
    let state = State::new();
    let target = state.open();
    let marker = format!("floor-test-{}", std::process::id());
    let mut packed = packed("");
    let protocol = anyport_core::spec::Protocol::Http;
    packed.artifact.packaging = Packaging::Zip { protocol };
    let spec = spec_of("hello", &packed).env("PROBE_VARIANT", &marker);
    let spec = spec.service(2).max_instances(2).concurrency(8);
    target
        .deploy(spec.build().unwrap(), packed.content)
        .await
        .unwrap();
    let running = || crate::kill::carrying(&marker);
    assert_eq!(running().len(), 2);
    let sleep = Command::Sleep {
        ms: 300,
        mark: String::new(),
    };
    let calls = (0..16).map(|_| invoke(&target, "hello", &sleep));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    let victim = nix::unistd::Pid::from_raw(running()[0]);
    nix::sys::signal::kill(victim, nix::sys::signal::Signal::SIGKILL).unwrap();
    let refilled = || async { running().len() == 2 && !running().contains(&victim.as_raw()) };
    until("the floor is there again", refilled).await;
    drop(target);
    until("nothing is left", || async { running().is_empty() }).await;
}

/// A client that makes each call once.
fn once(state: &State) -> anyport_client::Target {
    let url = format!("local://{}", state.path().display())
        .parse()
        .unwrap();
    let provider = anyport_local::connect(&url, Config::new(state.path())).unwrap();
    let owner = anyport_core::mark::Owner::new("app", "test");
    let retry = anyport_core::context::RetryPolicy::never();
    anyport_client::Target::new(
        provider,
        anyport_client::Options::new(owner).with_retry(retry),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_arrives_while_it_is_made() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    let stream = Command::Stream {
        pieces: 4,
        size: 1_000,
        pause_ms: 300,
    };
    let reply = invoke(&target, "hello", &stream).await.unwrap();
    let mut body = reply.body.into_stream();
    let started = Instant::now();
    let first = body.next().await.unwrap().unwrap();
    // The rest takes 900 ms to make: what is here now came before it.
    let rest = body.map(|piece| piece.unwrap().len());
    let size = first.len() + rest.fold(0, async |sum, size| sum + size).await;
    assert_eq!(size, 4_000);
    assert!(started.elapsed() > Duration::from_millis(600));
    // A client that goes away in the middle takes nothing with it.
    let reply = invoke(&target, "hello", &stream).await.unwrap();
    drop(reply);
    assert_eq!(who(&target, "hello").await.unwrap(), "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_and_plain_servers_run_unmodified() {
    let state = State::new();
    let target = state.open();
    let caps = target.capabilities().await.unwrap();
    let runtimes = caps.artifacts.bundle.get().unwrap().clone();
    if !runtimes.iter().any(|runtime| runtime.starts_with("python")) {
        let required = std::env::var("ANYPORT_REQUIRE").unwrap_or_default();
        assert!(
            !required.contains("python3"),
            "python3 is required and was not found"
        );
        println!("not run: no python3");
        return;
    }
    let source = tempfile::tempdir().unwrap();
    let app = "def handler(event, context):\n    return {'hello': event['name']}\n";
    std::fs::write(source.path().join("app.py"), app).unwrap();
    let bundle = Packaging::Bundle {
        runtime: "python3".parse().unwrap(),
        handler: "app.handler".to_owned(),
    };
    let server = "import os\nfrom http.server import *\n\nclass Hello(BaseHTTPRequestHandler):\n    def do_POST(self):\n        body = self.rfile.read(int(self.headers['content-length']))\n        self.send_response(201)\n        self.send_header('content-length', str(len(body)))\n        self.send_header('content-type', 'text/x-echo')\n        self.end_headers()\n        self.wfile.write(body)\n\nThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Hello).serve_forever()\n";
    std::fs::write(source.path().join("server.py"), server).unwrap();
    let command = Packaging::Command {
        command: vec!["python3".to_owned(), "server.py".to_owned()],
    };
    let archive = source.path().with_extension("zip");
    let packed = Packer::default().dir(source.path(), &archive).unwrap();
    let content = std::sync::Arc::new(FileContent::from(&packed));
    for (function, packaging) in [("bundle", bundle), ("server", command)] {
        let artifact = Artifact::new(packaging, packed.digest)
            .with_arch(anyport_core::spec::Arch::of_this_machine().unwrap_or_default());
        let spec = anyport_core::spec::Spec::builder(function, artifact)
            .build()
            .unwrap();
        target.deploy(spec, content.clone()).await.unwrap();
    }
    std::fs::remove_file(archive).unwrap();
    let reply = target
        .invoke(Call::new(name("bundle"), r#"{"name": "Ada"}"#))
        .await
        .unwrap();
    assert_eq!(reply.status, None);
    assert_eq!(json(reply).await, serde_json::json!({"hello": "Ada"}));
    let reply = target
        .invoke(Call::new(name("server"), "bytes"))
        .await
        .unwrap();
    assert_eq!(
        (reply.status, reply.content_type.as_str()),
        (Some(201), "text/x-echo")
    );
    assert_eq!(reply.body.collect(100).await.unwrap(), "bytes");
    let missing = Packaging::Bundle {
        runtime: "python3.2".parse().unwrap(),
        handler: "app.handler".to_owned(),
    };
    let spec = anyport_core::spec::Spec::builder("bundle", Artifact::new(missing, packed.digest));
    let refused = target
        .deploy(spec.build().unwrap(), content)
        .await
        .unwrap_err();
    assert_eq!(kind(&refused), "unsupported");
}
