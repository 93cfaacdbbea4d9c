//! Node handlers.

use anyport_engine::Launch;
use serde_json::Value;

use super::language::{Client, Language};
use super::oracle::{client, disguise, real};
use crate::support::{function_error, request};

fn node(handler: &str) -> Launch {
    Launch::Node {
        handler: handler.to_owned(),
    }
}

const NODE: Language = Language {
    program: "node",
    launch: node,
    files: &[
        ("app.js", include_str!("fixtures/app.js")),
        (
            "esm.mjs",
            "export const go = async () => 'esm';\nexport default { inner: async () => 'default' };\n",
        ),
        ("module/package.json", r#"{"type":"module"}"#),
        (
            "module/index.js",
            "import path from 'node:path';\nawait null;\nexport const go = async () => path.sep;\n",
        ),
        ("common.cjs", "exports.go = async () => 'cjs';\n"),
        ("sub/inner.js", "exports.go = async () => 'inner';\n"),
        ("needs.js", "require('not-installed-anywhere');\n"),
        ("esmneeds.mjs", "import 'not-installed-anywhere';\n"),
        ("broken.js", "exports.go = async () => {\n"),
        ("boom.js", "throw new RangeError('at import');\n"),
        (
            "node_modules/dep/index.js",
            "exports.go = async () => 'dep';\n",
        ),
    ],
    answers: &[
        ("esm.go", r#""esm""#),
        ("module/index.go", r#""/""#),
        ("common.go", r#""cjs""#),
        ("sub/inner.go", r#""inner""#),
        ("app.callback", r#"{"got": 1}"#),
        ("app.nested.deep.handler", r#""deep""#),
        ("app.waits", r#"{"late": true}"#),
        ("app.doesNotWait", r#"{"late": false}"#),
        ("app.silent", "null"),
        ("app.succeed", r#"{"by": "succeed"}"#),
    ],
    unloadable: &[
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
    ],
    flip: (
        "flip.js",
        "exports.go = async (event) => Buffer.from(event).reverse();\n",
    ),
};

#[tokio::test(flavor = "multi_thread")]
async fn handlers_answer() {
    let Some(stage) = NODE.stage().await else {
        return;
    };
    NODE.handlers_answer(&stage).await;
    let id = NODE.prints(&stage).await;
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
    let Some(stage) = NODE.stage().await else {
        return;
    };
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
    if let Some(stage) = NODE.stage().await {
        NODE.unloadable_are_init_errors(&stage).await;
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_where_any_media_is_allowed() {
    if let Some(stage) = NODE.stage().await {
        NODE.bytes_pass_where_any_media_is_allowed(&stage).await;
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streaming_handlers_stream() {
    let Some(stage) = NODE.stage().await else {
        return;
    };
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

/// Handlers that are called both ways.
const COMPARED: &[&str] = &[
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
];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_as_aws_lambda_ric() {
    let Some(stage) = NODE.stage().await else {
        return;
    };
    let Some(dir) = client("node_modules/aws-lambda-ric") else {
        return;
    };
    // Its own command prints a line of its own first; this is what the command does otherwise.
    let module = dir.join("node_modules/aws-lambda-ric/dist/index.mjs");
    let script =
        format!("import {{ run }} from {module:?};\nawait run(process.cwd(), process.argv[2]);\n");
    let program = stage.dir.path().join("client.mjs");
    std::fs::write(&program, script).unwrap();
    let node = real("node", ["-p", "process.execPath"]);
    let ric = Client {
        name: "aws-lambda-ric",
        command: format!("{node} {}", program.display()),
        handlers: COMPARED,
        events: &[r#"{"a":"é"}"#, "[1, 2.50, 1e3]", "{not json"],
        prepare: &|spec, handler| {
            disguise(&mut spec.platform_env, handler, "AWS_Lambda_nodejs20.x");
        },
        tidy: |_| {},
    };
    NODE.same_as(&stage, &ric).await;
    stage.end().await;
}
