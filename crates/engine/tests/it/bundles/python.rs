//! Python handlers.

use anyport_engine::{InvokeError, Launch, Request, StartFailureKind};
use serde_json::{Value, json};

use super::oracle::{Comparison, at, client, disguise, real, try_all, wrap};
use crate::support::{Stage, call, function_error, have, request};

const APP: &str = include_str!("fixtures/app.py");

fn python(handler: &str) -> Launch {
    Launch::Python {
        handler: handler.to_owned(),
    }
}

async fn stage() -> Stage {
    let stage = Stage::empty().await;
    stage.file("app.py", APP);
    stage.file(
        "sub/inner.py",
        "def go(event, context):\n    return 'inner'\n",
    );
    stage.file("needs.py", "import not_installed_anywhere\n");
    stage.file("broken.py", "def handler(event, context)\n    pass\n");
    stage.file("boom.py", "raise OSError('at import')\n");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_answer() {
    if !have("python3") {
        return;
    }
    let stage = stage().await;
    let pool = stage.pool(python("app.echo"));
    let event = json!({"text": "é", "list": [1, 2.5, null, true]});
    for _ in 0..3 {
        assert_eq!(call(&pool, &event.to_string()).await, event);
    }
    assert_eq!(pool.stats().instances, 1);
    let pool = stage.pool(python("sub/inner.go"));
    assert_eq!(call(&pool, "null").await, "inner");
    let pool = stage.pool(python("app.prints"));
    let asked = request("{}");
    let id = asked.request_id.clone();
    pool.invoke(asked).await.unwrap();
    for words in ["out put", "err", "plain"] {
        assert_eq!(
            stage.lines(words)[0].request_id.as_deref(),
            Some(id.as_str())
        );
    }
    let warned = &stage.lines("watch out")[0].text;
    assert!(
        warned.starts_with("[WARNING]\t20") && warned.ends_with(&format!("Z\t{id}\twatch out")),
        "{warned}"
    );
    assert!(stage.lines("not shown").is_empty());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_carry_type_message_and_stack() {
    if !have("python3") {
        return;
    }
    let stage = stage().await;
    let pool = stage.pool(python("app.raises"));
    let error = function_error(pool.invoke(request("7")).await.unwrap_err());
    assert!(error.handled);
    assert_eq!(
        (error.error_type.as_str(), error.message.as_str()),
        ("ValueError", "no good: 7")
    );
    let report: Value = serde_json::from_slice(&error.payload).unwrap();
    let file = at(&stage.code(), "app.py");
    let trace: Vec<&str> = report["stackTrace"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect();
    assert_eq!(trace.len(), 2);
    assert!(
        trace[0].starts_with(&format!("  File \"{file}\", line "))
            && trace[0].contains("in raises")
    );
    assert!(trace[1].contains("in deeper\n    raise ValueError"));
    // The log has it on one line.
    assert!(
        stage
            .lines("[ERROR] ValueError: no good: 7\rTraceback")
            .len()
            == 1
    );
    let pool = stage.pool(python("app.leaves"));
    let error = function_error(pool.invoke(request("7")).await.unwrap_err());
    assert!(!error.handled && error.message.ends_with("exit status 4"));
    let pool = stage.pool(python("app.echo"));
    let error = function_error(pool.invoke(request("{not json")).await.unwrap_err());
    assert_eq!(error.error_type, "Runtime.UnmarshalError");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_loaded_is_an_init_error() {
    if !have("python3") {
        return;
    }
    let stage = stage().await;
    for (handler, kind, words) in [
        (
            "nowhere.go",
            "Runtime.ImportModuleError",
            "Unable to import module 'nowhere': No module named 'nowhere'",
        ),
        (
            "needs.go",
            "Runtime.ImportModuleError",
            "Unable to import module 'needs': No module named 'not_installed_anywhere'",
        ),
        (
            "app.absent",
            "Runtime.HandlerNotFound",
            "Handler 'absent' missing on module 'app'",
        ),
        (
            "app",
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
        (
            "sys.exit",
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module sys as a handler module",
        ),
        (
            "broken.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'broken': ",
        ),
        ("boom.handler", "OSError", "at import"),
    ] {
        let failure = stage.pool(python(handler)).probe().await.unwrap_err();
        let StartFailureKind::InitError {
            error_type,
            message,
            ..
        } = failure.kind
        else {
            panic!("{handler}: {failure}");
        };
        assert_eq!(error_type, kind, "{handler}");
        assert!(message.starts_with(words), "{handler}: {message}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_where_any_media_is_allowed() {
    if !have("python3") {
        return;
    }
    let stage = stage().await;
    stage.file(
        "flip.py",
        "def go(event, context):\n    assert type(event) is bytes\n    return event[::-1]\n",
    );
    let pool = stage.pool_with(python("flip.go"), |spec| spec.media_any = true);
    let mut asked = Request::new("b", &b"\0\x01\xff"[..]);
    asked.content_type = Some("image/png".to_owned());
    let reply = pool.invoke(asked).await.unwrap();
    assert_eq!(
        reply.content_type.as_deref(),
        Some("application/octet-stream")
    );
    assert_eq!(reply.body.collect(10).await.unwrap(), &b"\xff\x01\0"[..]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_interpreter_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = anyport_engine::EngineConfig::default()
        .scratch_root(dir.path())
        .python("python-that-is-not-there")
        .node("/no/such/node");
    let engine = anyport_engine::Engine::start(config).await.unwrap();
    for (launch, name) in [
        (python("app.echo"), "python-that-is-not-there"),
        (
            Launch::Node {
                handler: "app.echo".to_owned(),
            },
            "/no/such/node",
        ),
    ] {
        let spec = anyport_engine::PoolSpec::new("f", "1", dir.path(), launch);
        let failure = engine
            .pool(spec)
            .unwrap()
            .invoke(request("{}"))
            .await
            .unwrap_err();
        let InvokeError::StartFailed(failure) = failure else {
            panic!("{failure:?}");
        };
        assert!(failure.kind.is_bad_artifact());
        assert!(failure.to_string().contains(name), "{failure}");
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_as_awslambdaric() {
    if !have("python3") {
        return;
    }
    let Some(dir) = client("awslambdaric") else {
        return;
    };
    let interpreter = real("python3", ["-c", "import sys; print(sys.executable)"]);
    let version = real(
        "python3",
        ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
    );
    let stage = stage().await;
    let mut comparison = Comparison::default();
    for handler in [
        "app.echo",
        "app.nothing",
        "app.context",
        "app.raises",
        "app.odd",
        "app.chained",
        "app.unicode",
        "app.numbers",
        "app.shapes",
        "app.binary",
        "app.unwritable",
        "app.bad_key",
        "app.prints",
        "app.leaves",
        "app.coroutine",
        "app.instance",
        "app.instance.method",
        "app.not_callable",
        "app.absent",
        "sub/inner.go",
        "sub.inner.go",
        "nowhere.go",
        "needs.go",
        "broken.handler",
        "boom.handler",
        "app",
        "sys.exit",
        "",
    ] {
        let events = [r#"{"a":"é"}"#, "[1, 2.50, 1e3]", "{not json", "\"x\"", ""];
        let ours = try_all(&stage, &python(handler), &events, |_| {}).await;
        wrap(
            &stage,
            &format!("{interpreter} -m awslambdaric '{handler}'"),
        );
        let theirs = try_all(&stage, &Launch::Bootstrap, &events, |spec| {
            spec.env
                .insert("PYTHONPATH".to_owned(), dir.display().to_string());
            spec.env
                .insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
            disguise(
                &mut spec.platform_env,
                handler,
                &format!("AWS_Lambda_python{version}"),
            );
        })
        .await;
        for ((event, ours), theirs) in events.iter().zip(&ours).zip(&theirs) {
            // Their client warns once before an init error that the platform shows its cause.
            let mut theirs = theirs.clone();
            if let Some(log) = theirs["out"].as_array_mut() {
                log.retain(|line| {
                    !line
                        .as_str()
                        .unwrap_or_default()
                        .starts_with("[WARNING]\tTIME\t\tLAMBDA_WARNING")
                });
            }
            comparison.add(handler, event, ours, &theirs);
        }
    }
    comparison.end("awslambdaric");
    stage.end().await;
}
