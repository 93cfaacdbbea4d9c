//! What the owner of a pool is told, and adds to an instance.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyport_engine::{
    Exit, Language, Launch, LogLine, LogSink, LogStream, Observer, StartFailureKind,
};
use serde_json::json;

use crate::support::{Stage, function_error, have, json as answer, request, until};

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Notes {
    fn starting(&self, instance: &str) -> Vec<(String, Option<String>)> {
        self.add(format!("starting {instance}"));
        vec![
            (
                "AWS_LAMBDA_LOG_STREAM_NAME".to_owned(),
                Some(format!("stream-{instance}")),
            ),
            ("AWS_EXECUTION_ENV".to_owned(), None),
        ]
    }

    fn ready(&self, instance: &str, took: Duration) {
        assert!(!took.is_zero());
        self.add(format!("ready {instance}"));
    }

    fn called(&self, instance: &str, request_id: &str) {
        self.add(format!("called {instance} {request_id}"));
    }

    fn ended(&self, instance: &str, exit: Exit) {
        self.add(format!("ended {instance} {exit:?}"));
    }
}

impl LogSink for Notes {
    fn line(&self, line: &LogLine) {
        if line.stream != LogStream::Platform {
            self.add(format!("line {} {}", line.instance, line.text));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_follows_an_instance_and_gives_it_variables() {
    let stage = Stage::new().await;
    let notes = Arc::new(Notes::default());
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.observer = notes.clone();
        spec.logs = notes.clone();
    });
    let (reply, trail) = pool.invoke_traced(request(r#"{"do":"env"}"#)).await;
    let (env, trail) = (answer(reply.unwrap()).await, trail.unwrap());
    let id = trail.instance().to_owned();
    assert_eq!(env["AWS_LAMBDA_LOG_STREAM_NAME"], format!("stream-{id}"));
    assert_eq!(env.get("AWS_EXECUTION_ENV"), None);
    assert!(trail.metrics().init_duration.is_some());

    let last = request(r#"{"do":"exit","code":3}"#);
    let last_id = last.request_id.clone();
    let (reply, trail) = pool.invoke_traced(last).await;
    let error = function_error(reply.unwrap_err());
    assert_eq!(error.exit, Some(Exit::Code(3)));
    assert_eq!(trail.unwrap().metrics().init_duration, None);
    until("the end is told", || {
        notes.all().iter().any(|note| note.starts_with("ended"))
    })
    .await;
    let all = notes.all();
    let at = |note: String| all.iter().position(|one| *one == note);
    assert_eq!(at(format!("starting {id}")), Some(0));
    assert!(at(format!("ready {id}")) < at(format!("called {id} {last_id}")));
    assert_eq!(at(format!("ended {id} Code(3)")), Some(all.len() - 1));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_header_is_passed_on_as_it_is() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    let mut asked = request(r#"{"do":"headers"}"#);
    asked.trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".to_owned());
    let seen = answer(pool.invoke(asked).await.unwrap()).await;
    assert_eq!(
        seen["lambda-runtime-trace-id"],
        "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_runs_on_the_interpreter_it_names() {
    if !have("python3") {
        return;
    }
    let stage = Stage::empty().await;
    stage.file(
        "app.py",
        "import sys\ndef handler(event, context):\n    return sys.executable\n",
    );
    let found = stage
        .engine
        .interpreter(Language::Python, None)
        .await
        .unwrap();
    assert!(found.version.starts_with("3."), "{}", found.version);
    let launch = Launch::Python {
        handler: "app.handler".to_owned(),
    };
    let pool = stage.pool_with(launch.clone(), |spec| {
        spec.interpreter = Some(found.program.clone());
    });
    let ran = answer(pool.invoke(request("{}")).await.unwrap()).await;
    assert_eq!(ran, json!(found.program));

    let pool = stage.pool_with(launch, |spec| spec.interpreter = Some("python0.1".into()));
    let failure = pool.probe().await.unwrap_err();
    assert!(matches!(
        failure.kind,
        StartFailureKind::MissingInterpreter { .. }
    ));
    let failure = stage
        .engine
        .interpreter(Language::Node, Some("no-such-node".as_ref()))
        .await;
    assert!(failure.is_err());
    stage.end().await;
}
