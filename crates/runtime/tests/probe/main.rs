//! The function that the tests run: it does what its payload says.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyport_runtime::{Context, Error, Request, Response, Runtime};
use serde_json::{Value, json};

/// Made once: its value shows that every request sees the same.
struct State {
    greeting: String,
}

async fn init() -> Result<State, Error> {
    match std::env::var("PROBE_INIT").as_deref() {
        Ok("fail") => return Err(Error::new("NoDatabase", "the database does not answer")),
        Ok("panic") => panic!("init went wrong"),
        // Until the file is there, however long that takes.
        Ok(path) => {
            while !std::path::Path::new(path).exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Err(_) => {}
    }
    Ok(State {
        greeting: "hi".to_owned(),
    })
}

async fn handle(state: Arc<State>, request: Request, cx: Context) -> Result<Response, Error> {
    if request.content_type() != Some("application/json") {
        // Whatever it is goes back as it came.
        let content_type = request.content_type().map(str::to_owned);
        let response = Response::new(request.into_body());
        return Ok(match content_type {
            Some(content_type) => response.with_content_type(&content_type),
            None => response,
        });
    }
    let input: Value = request.json()?;
    let fields = input.clone();
    let text = move |key: &str| fields[key].as_str().unwrap_or_default().to_owned();
    match input["do"].as_str().unwrap_or_default() {
        "greet" => Ok(state.greeting.clone().into()),
        "echo" => Ok(input["value"].clone().into()),
        "context" => Ok(json!({
            "request_id": cx.request_id(),
            "remaining_ms": cx.remaining().map(|left| left.as_millis()),
            "trace": cx.trace().map(ToString::to_string),
            "child": cx.child_span().to_string(),
            "idempotency_key": cx.idempotency_key(),
            "arn": cx.invoked_arn(),
            "function": cx.function(),
            "version": cx.version(),
            "memory_mb": cx.memory_mb(),
            "platform": format!("{:?}", cx.platform()),
        })
        .into()),
        "fail" => Err(Error::new("CardDeclined", "not enough funds")),
        "parse" => Ok(text("value").parse::<u32>()?.to_string().into()),
        "panic" => panic!("{}", text("message")),
        "exit" => std::process::exit(9),
        "bytes" => {
            let length = input["length"].as_u64().unwrap_or_default();
            Ok(vec![7_u8; usize::try_from(length)?].into())
        }
        // Answers once the file is there.
        "wait" => {
            touch(&text("started"))?;
            wait_for(&text("until")).await;
            Ok("waited".into())
        }
        // Sends a chunk, waits for the file, and sends another one or fails.
        "stream" => Ok(Response::streaming(
            "text/plain",
            move |mut out| async move {
                out.send("first ").await;
                wait_for(&text("until")).await;
                match text("end").as_str() {
                    "fail" => Err(Error::new("SourceGone", "the source went away")),
                    "panic" => panic!("no more"),
                    _ => {
                        out.send("last").await;
                        Ok(())
                    }
                }
            },
        )),
        "stream-fails-at-once" => Ok(Response::streaming("text/plain", |_| async {
            Err(Error::new("NoSource", "there is no source"))
        })),
        "stream-forever" => Ok(Response::streaming(
            "text/plain",
            move |mut out| async move {
                let _gone = Touch(text("dropped"));
                loop {
                    out.send(vec![b'x'; 64 * 1024]).await;
                }
            },
        )),
        "sleep-forever" => {
            let _gone = Touch(text("dropped"));
            touch(&text("started"))?;
            std::future::pending().await
        }
        other => Err(Error::new(
            "UnknownAction",
            format!("there is no action {other:?}"),
        )),
    }
}

/// Makes a file when it is dropped, so that a test sees it.
struct Touch(String);

impl Drop for Touch {
    fn drop(&mut self) {
        let _ = touch(&self.0);
    }
}

fn touch(path: &str) -> std::io::Result<()> {
    if path.is_empty() {
        Ok(())
    } else {
        std::fs::write(path, "")
    }
}

async fn wait_for(path: &str) {
    while !path.is_empty() && !std::path::Path::new(path).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn main() -> ExitCode {
    let mut runtime = Runtime::new().on_shutdown(|| async {
        eprintln!("probe: goodbye");
    });
    if let Some(limit) = std::env::var("PROBE_MAX_PAYLOAD")
        .ok()
        .and_then(|text| text.parse().ok())
    {
        runtime = runtime.max_payload(limit);
    }
    runtime.serve_with(init, handle)
}
