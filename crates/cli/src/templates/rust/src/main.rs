//! Greets `{"name": "..."}`.

use std::process::ExitCode;

use anyport_runtime::{Context, Error, json, serve};
use serde_json::{Value, json};

async fn greet(event: Value, cx: Context) -> Result<Value, Error> {
    let name = event["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        return Err(Error::new("EmptyName", "name must not be empty"));
    }
    println!("greeting {name}");
    let greeting = std::env::var("GREETING").unwrap_or_else(|_| "Hello".to_owned());
    Ok(json!({ "message": format!("{greeting}, {name}"), "version": cx.version() }))
}

fn main() -> ExitCode {
    serve(json(greet))
}
