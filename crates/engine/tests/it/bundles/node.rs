//! Node handlers.

use anyport_engine::{Launch, Request, StartFailureKind};
use serde_json::{Value, json};

use super::oracle::{Comparison, client, disguise, real, try_all, wrap};
use crate::support::{Stage, call, function_error, have, request};

const APP: &str = include_str!("fixtures/app.js");

fn node(handler: &str) -> Launch {
    Launch::Node {
        handler: handler.to_owned(),
    }
}

async fn stage() -> Stage {
    let stage = Stage::empty().await;
    stage.file("app.js", APP);
    stage.file(
        "esm.mjs",
        "export const go = async () => 'esm';\nexport default { inner: async () => 'default' };\n",
    );
    stage.file("module/package.json", r#"{"type":"module"}"#);
    stage.file(
        "module/index.js",
        "import path from 'node:path';\nawait null;\nexport const go = async () => path.sep;\n",
    );
    stage.file("common.cjs", "exports.go = async () => 'cjs';\n");
    stage.file("sub/inner.js", "exports.go = async () => 'inner';\n");
    stage.file("needs.js", "require('not-installed-anywhere');\n");
    stage.file("esmneeds.mjs", "import 'not-installed-anywhere';\n");
    stage.file("broken.js", "exports.go = async () => {\n");
    stage.file("boom.js", "throw new RangeError('at import');\n");
    stage.file(
        "node_modules/dep/index.js",
        "exports.go = async () => 'dep';\n",
    );
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_answer() {
    if !have("node") {
        return;
    }
    let stage = stage().await;
    let pool = stage.pool(node("app.echo"));
    let event = json!({"text": "é", "list": [1, 2.5, null, true]});
    for _ in 0..3 {
        assert_eq!(call(&pool, &event.to_string()).await, event);
    }
    assert_eq!(pool.stats().instances, 1);
    for (handler, answer) in [
        ("esm.go", json!("esm")),
        ("module/index.go", json!("/")),
        ("common.go", json!("cjs")),
        ("sub/inner.go", json!("inner")),
        ("app.callback", json!({"got": 1})),
        ("app.nested.deep.handler", json!("deep")),
        ("app.waits", json!({"late": true})),
        ("app.doesNotWait", json!({"late": false})),
        ("app.silent", json!(null)),
        ("app.succeed", json!({"by": "succeed"})),
    ] {
        let pool = stage.pool(node(handler));
        for _ in 0..2 {
            assert_eq!(call(&pool, "1").await, answer, "{handler}");
        }
        pool.close().await;
    }
    let pool = stage.pool(node("app.prints"));
    let asked = request("{}");
    let id = asked.request_id.clone();
    pool.invoke(asked).await.unwrap();
    let line = &stage.lines("plain words { a: 1 }")[0];
    assert_eq!(line.request_id.as_deref(), Some(id.as_str()));
    assert!(
        line.text.contains(&format!("Z\t{id}\tINFO\tplain")),
        "{}",
        line.text
    );
    assert_eq!(stage.lines("two\rlines").len(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_carry_type_message_and_stack() {
    if !have("node") {
        return;
    }
    let stage = stage().await;
    let pool = stage.pool(node("app.rejects"));
    for _ in 0..2 {
        let error = function_error(pool.invoke(request("7")).await.unwrap_err());
        assert!(error.handled);
        assert_eq!(
            (error.error_type.as_str(), error.message.as_str()),
            ("MyError", "rejected")
        );
        let report: Value = serde_json::from_slice(&error.payload).unwrap();
        assert!(
            report["trace"][1]
                .as_str()
                .unwrap()
                .contains("/code/app.js:")
        );
    }
    let pool = stage.pool(node("app.circular"));
    let error = function_error(pool.invoke(request("7")).await.unwrap_err());
    assert_eq!(error.message, "Unable to stringify response body");
    let pool = stage.pool(node("app.unhandled"));
    let error = function_error(pool.invoke(request("7")).await.unwrap_err());
    assert_eq!(error.error_type, "Runtime.UnhandledPromiseRejection");
    assert!(!error.handled);
    let pool = stage.pool(node("app.leaves"));
    let error = function_error(pool.invoke(request("7")).await.unwrap_err());
    assert!(!error.handled && error.message.ends_with("exit status 4"));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_loaded_is_an_init_error() {
    if !have("node") {
        return;
    }
    let stage = stage().await;
    for (handler, kind, words) in [
        (
            "nowhere.go",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'nowhere'",
        ),
        (
            "needs.go",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'not-installed-anywhere'",
        ),
        (
            "app.absent",
            "Runtime.HandlerNotFound",
            "app.absent is undefined or not exported",
        ),
        (
            "app.notCallable",
            "Runtime.HandlerNotFound",
            "app.notCallable is not a function",
        ),
        ("app", "Runtime.MalformedHandlerName", "Bad handler"),
        (
            "../app.go",
            "Runtime.MalformedHandlerName",
            "'../app.go' is not a valid handler name",
        ),
        (
            "broken.go",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError: Unexpected end of input",
        ),
        ("boom.go", "RangeError", "at import"),
    ] {
        let failure = stage.pool(node(handler)).probe().await.unwrap_err();
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
    if !have("node") {
        return;
    }
    let stage = stage().await;
    stage.file(
        "flip.js",
        "exports.go = async (event) => Buffer.from(event).reverse();\n",
    );
    let pool = stage.pool_with(node("flip.go"), |spec| spec.media_any = true);
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
async fn streaming_handlers_stream() {
    if !have("node") {
        return;
    }
    let stage = stage().await;
    let pool = stage.pool(node("app.streams"));
    for _ in 0..2 {
        let reply = pool.invoke(request("1")).await.unwrap();
        assert!(reply.streaming);
        assert_eq!(reply.content_type.as_deref(), Some("text/plain"));
        assert_eq!(reply.body.collect(100).await.unwrap(), "one two");
    }
    let pool = stage.pool(node("app.streamFails"));
    for _ in 0..2 {
        let reply = pool.invoke(request("1")).await.unwrap();
        let error = function_error(reply.body.collect(100).await.unwrap_err());
        assert_eq!(
            (error.error_type.as_str(), error.message.as_str()),
            ("Error", "in the middle")
        );
    }
    assert_eq!(pool.stats().instances, 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_as_aws_lambda_ric() {
    if !have("node") {
        return;
    }
    let Some(dir) = client("node_modules/aws-lambda-ric") else {
        return;
    };
    let program = real("node", ["-p", "process.execPath"]);
    let stage = stage().await;
    // Its own command prints a line of its own first; this is what the command does otherwise.
    let module = dir.join("node_modules/aws-lambda-ric/dist/index.mjs");
    let script =
        format!("import {{ run }} from {module:?};\nawait run(process.cwd(), process.argv[2]);\n");
    let client = stage.dir.path().join("client.mjs");
    std::fs::write(&client, script).unwrap();
    let mut comparison = Comparison::default();
    for handler in [
        "app.echo",
        "app.nothing",
        "app.context",
        "app.callback",
        "app.callbackError",
        "app.callbackText",
        "app.callbackTwice",
        "app.waits",
        "app.doesNotWait",
        "app.silent",
        "app.returnsValue",
        "app.succeed",
        "app.failNothing",
        "app.doneError",
        "app.throws",
        "app.rejects",
        "app.rejectsText",
        "app.rejectsUndefined",
        "app.circular",
        "app.bigint",
        "app.buffer",
        "app.thenable",
        "app.prints",
        "app.uncaught",
        "app.unhandled",
        "app.leaves",
        "app.nested.deep.handler",
        "app.notCallable",
        "app.absent",
        "app.streams",
        "app.streamsPrelude",
        "app.streamsEndOnly",
        "esm.go",
        "esm.default.inner",
        "module/index.go",
        "common.go",
        "sub/inner.go",
        "dep.go",
        "nowhere.go",
        "needs.go",
        "esmneeds.go",
        "broken.go",
        "boom.go",
        "app",
        "../app.go",
    ] {
        let events = [r#"{"a":"é"}"#, "[1, 2.50, 1e3]", "{not json"];
        let ours = try_all(&stage, &node(handler), &events, |_| {}).await;
        wrap(
            &stage,
            &format!("{program} {} '{handler}'", client.display()),
        );
        let theirs = try_all(&stage, &Launch::Bootstrap, &events, |spec| {
            disguise(&mut spec.platform_env, handler, "AWS_Lambda_nodejs20.x");
        })
        .await;
        for ((event, ours), theirs) in events.iter().zip(&ours).zip(&theirs) {
            comparison.add(handler, event, ours, theirs);
        }
    }
    comparison.end("aws-lambda-ric");
    stage.end().await;
}
