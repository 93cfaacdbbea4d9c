//! Getting ready, and failing to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyport_engine::{
    Engine, EngineConfig, EngineError, Exit, InvokeError, Launch, StartFailure, StartFailureKind,
};

use crate::support::{Stage, call, request};

async fn failure(stage: &Stage, launch: Launch, init: Option<&str>) -> StartFailure {
    let pool = stage.pool_with(launch, |spec| {
        if let Some(init) = init {
            spec.env.insert("INIT".to_owned(), init.to_owned());
        }
        if init == Some("hang") {
            spec.init_timeout = Duration::from_millis(300);
        }
        spec.memory_mb = 96;
    });
    let failure = pool.probe().await.unwrap_err();
    assert_eq!(pool.stats().instances, 0);
    // A call learns the same.
    match pool.invoke(request("{}")).await.unwrap_err() {
        InvokeError::StartFailed(same) => assert_eq!(same.kind, failure.kind),
        other => panic!("{other:?}"),
    }
    failure
}

fn executable(stage: &Stage, name: &str, bytes: &[u8]) {
    let path = stage.code().join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_artifact_gets_ready_and_stays() {
    let stage = Stage::new().await;
    let pool = stage.pool(Launch::Bootstrap);
    assert!(pool.probe().await.unwrap() > Duration::ZERO);
    assert_eq!(pool.stats().idle, 1);
    let first = pool.invoke(request("{}")).await.unwrap();
    assert!(first.cold && first.metrics.init_duration.is_some());
    assert!(first.metrics.max_memory_bytes > 0);
    let second = pool.invoke(request("{}")).await.unwrap();
    assert!(!second.cold && second.instance == first.instance && second.version == "7");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_artifacts_are_told_apart() {
    let stage = Stage::empty().await;
    let kind = failure(&stage, Launch::Bootstrap, None).await.kind;
    assert!(
        matches!(&kind, StartFailureKind::Missing { path } if path.ends_with("bootstrap")),
        "{kind}"
    );

    stage.file("bootstrap", "#!/bin/sh\n");
    let kind = failure(&stage, Launch::Bootstrap, None).await.kind;
    assert!(kind.to_string().contains("chmod +x"), "{kind}");
    assert!(kind.is_bad_artifact());

    executable(&stage, "bootstrap", b"#!/no/such/shell\n");
    let kind = failure(&stage, Launch::Bootstrap, None).await.kind;
    assert!(
        matches!(kind, StartFailureKind::MissingInterpreter { .. }),
        "{kind}"
    );

    executable(&stage, "bootstrap", b"");
    let kind = failure(&stage, Launch::Bootstrap, None).await.kind;
    assert!(
        matches!(kind, StartFailureKind::NotExecutable { .. }),
        "{kind}"
    );

    let mut foreign = fs::read(crate::support::stage_binary()).unwrap();
    foreign[18] = if cfg!(target_arch = "x86_64") {
        183
    } else {
        62
    };
    executable(&stage, "bootstrap", &foreign);
    let kind = failure(&stage, Launch::Bootstrap, None).await.kind;
    assert!(
        matches!(kind, StartFailureKind::WrongArchitecture { .. }),
        "{kind}"
    );

    fs::remove_file(stage.code().join("bootstrap")).unwrap();
    fs::create_dir(stage.code().join("bootstrap")).unwrap();
    let kind = failure(&stage, Launch::Bootstrap, None).await.kind;
    assert!(
        matches!(kind, StartFailureKind::NotExecutable { .. }),
        "{kind}"
    );

    let command = vec!["no-such-program".to_owned()];
    let kind = failure(&stage, Launch::Http { command }, None).await.kind;
    assert!(
        matches!(kind, StartFailureKind::MissingInterpreter { .. }),
        "{kind}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_do_not_get_ready_say_why() {
    let stage = Stage::new().await;
    let failed = failure(&stage, Launch::Bootstrap, Some("exit")).await;
    assert_eq!(
        failed.kind,
        StartFailureKind::Crash {
            exit: Exit::Code(7)
        }
    );
    assert_eq!(failed.log_tail, ["about to give up"]);

    let failed = failure(&stage, Launch::Bootstrap, Some("error")).await;
    let StartFailureKind::InitError {
        error_type,
        message,
        payload,
    } = failed.kind
    else {
        panic!("{failed:?}");
    };
    assert_eq!(
        (error_type.as_str(), message.as_str()),
        ("Stage.Unready", "not today")
    );
    assert!(payload.starts_with(b"{"));

    let failed = failure(&stage, Launch::Bootstrap, Some("hang")).await;
    assert!(matches!(failed.kind, StartFailureKind::Timeout { .. }));

    let failed = failure(&stage, Launch::Bootstrap, Some("alloc")).await;
    assert_eq!(failed.kind, StartFailureKind::OutOfMemory { limit_mb: 96 });
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_held_back_and_a_bad_artifact_is_not() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.env.insert("INIT".to_owned(), "exit".to_owned());
    });
    let mut held = None;
    for _ in 0..4 {
        let Err(InvokeError::StartFailed(failure)) = pool.invoke(request("{}")).await else {
            panic!("it started");
        };
        held = failure.retry_in;
    }
    assert!(held.is_some(), "the fourth call started a process again");
    // A probe tries all the same.
    assert_eq!(pool.probe().await.unwrap_err().retry_in, None);

    fs::remove_file(stage.code().join("bootstrap")).unwrap();
    let pool = stage.pool(Launch::Bootstrap);
    for _ in 0..4 {
        assert!(pool.invoke(request("{}")).await.is_err());
    }
    // As soon as it is there it runs: nothing was held back.
    crate::support::install(&stage.code());
    assert_eq!(call(&pool, r#"{"a":1}"#).await["a"], 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_clean_and_what_functions_expect() {
    let stage = Stage::new().await;
    let pool = stage.pool_with(Launch::Bootstrap, |spec| {
        spec.env.insert("GREETING".to_owned(), "hej".to_owned());
        spec.env.insert("HOME".to_owned(), "/elsewhere".to_owned());
    });
    let env = call(&pool, r#"{"do":"env"}"#).await;
    assert_eq!(env["GREETING"], "hej");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "staged");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_VERSION"], "7");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(env["AWS_REGION"], "us-east-1");
    assert_eq!(env["TZ"], ":UTC");
    assert_eq!(env["LAMBDA_TASK_ROOT"], stage.code().to_str().unwrap());
    assert_ne!(env["HOME"], "/elsewhere");
    // Nothing of this process's own environment shines through but the path.
    for (name, value) in std::env::vars() {
        let same = env.get(&name).is_some_and(|seen| *seen == value);
        assert!(
            !same || matches!(name.as_str(), "PATH" | "LANG" | "TZ"),
            "{name} is inherited"
        );
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_refused() {
    let stage = Stage::empty().await;
    let mut spec = stage.spec(Launch::Bootstrap);
    spec.max_instances = 0;
    assert!(matches!(
        stage.engine.pool(spec),
        Err(EngineError::Spec { .. })
    ));
    let mut spec = stage.spec(Launch::Bootstrap);
    spec.per_instance_concurrency = 8;
    assert!(matches!(
        stage.engine.pool(spec),
        Err(EngineError::Spec { .. })
    ));
    let mut spec = stage.spec(Launch::Bootstrap);
    spec.env.insert("A=B".to_owned(), "x".to_owned());
    assert!(matches!(
        stage.engine.pool(spec),
        Err(EngineError::Spec { .. })
    ));
    let nowhere = EngineConfig::default().scratch_root("/no/such/directory");
    assert!(matches!(
        Engine::start(nowhere).await,
        Err(EngineError::Scratch { .. })
    ));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_still_open_for_writing_is_waited_for() {
    let stage = Stage::new().await;
    let path = stage.code().join("bootstrap");
    let open = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let closing = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(20));
        drop(open);
    });
    stage.pool(Launch::Bootstrap).probe().await.unwrap();
    closing.await.unwrap();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_bootstrap_runs() {
    let stage = Stage::empty().await;
    if !crate::support::have("curl") {
        return;
    }
    executable(
        &stage,
        "bootstrap",
        br#"#!/bin/sh
set -e
while :; do
  headers="$TMPDIR/headers"
  event=$(curl -sS -D "$headers" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -X POST "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response" -d "got $event" >/dev/null
done
"#,
    );
    let pool = stage.pool(Launch::Bootstrap);
    for n in 0..3 {
        let reply = pool.invoke(request(&n.to_string())).await.unwrap();
        assert_eq!(reply.body.collect(100).await.unwrap(), format!("got {n}"));
    }
    stage.end().await;
}
