//! Python handlers.

use anyport_engine::{InvokeError, Launch};
use serde_json::Value;

use super::language::{Client, Language};
use super::oracle::{at, client, disguise, real};
use crate::support::{function_error, request};

fn python(handler: &str) -> Launch {
    Launch::Python {
        handler: handler.to_owned(),
    }
}

const PYTHON: Language = Language {
    program: "python3",
    launch: python,
    files: &[
        ("app.py", include_str!("fixtures/app.py")),
        (
            "sub/inner.py",
            "def go(event, context):\n    return 'inner'\n",
        ),
        ("needs.py", "import not_installed_anywhere\n"),
        ("broken.py", "def handler(event, context)\n    pass\n"),
        ("boom.py", "raise OSError('at import')\n"),
    ],
    answers: &[("sub/inner.go", r#""inner""#)],
    unloadable: &[
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
    ],
    flip: (
        "flip.py",
        "def go(event, context):\n    assert type(event) is bytes\n    return event[::-1]\n",
    ),
};

#[tokio::test(flavor = "multi_thread")]
async fn handlers_answer() {
    let Some(stage) = PYTHON.stage().await else {
        return;
    };
    PYTHON.handlers_answer(&stage).await;
    let id = PYTHON.prints(&stage).await;
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
    let Some(stage) = PYTHON.stage().await else {
        return;
    };
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
    if let Some(stage) = PYTHON.stage().await {
        PYTHON.unloadable_are_init_errors(&stage).await;
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_where_any_media_is_allowed() {
    if let Some(stage) = PYTHON.stage().await {
        PYTHON.bytes_pass_where_any_media_is_allowed(&stage).await;
        stage.end().await;
    }
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

/// Handlers that are called both ways.
const COMPARED: &[&str] = &[
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
];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_as_awslambdaric() {
    let Some(stage) = PYTHON.stage().await else {
        return;
    };
    let Some(dir) = client("awslambdaric") else {
        return;
    };
    let interpreter = real("python3", ["-c", "import sys; print(sys.executable)"]);
    let version = real(
        "python3",
        ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
    );
    let execution = format!("AWS_Lambda_python{version}");
    let ric = Client {
        name: "awslambdaric",
        command: format!("{interpreter} -m awslambdaric"),
        handlers: COMPARED,
        events: &[r#"{"a":"é"}"#, "[1, 2.50, 1e3]", "{not json", "\"x\"", ""],
        prepare: &|spec, handler| {
            let variables = [
                ("PYTHONPATH", dir.display().to_string()),
                ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value));
            spec.env.extend(variables);
            disguise(&mut spec.platform_env, handler, &execution);
        },
        tidy: without_warning,
    };
    PYTHON.same_as(&stage, &ric).await;
    stage.end().await;
}

/// Their client warns once before an init error that the platform shows its cause.
fn without_warning(outcome: &mut Value) {
    if let Some(log) = outcome["out"].as_array_mut() {
        log.retain(|line| {
            let line = line.as_str().unwrap_or_default();
            !line.starts_with("[WARNING]\tTIME\t\tLAMBDA_WARNING")
        });
    }
}
