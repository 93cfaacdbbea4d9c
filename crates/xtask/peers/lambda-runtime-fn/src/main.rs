//! Greets, on AWS's `lambda_runtime`.

use lambda_runtime::{Diagnostic, LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    name: String,
}

#[derive(Serialize)]
struct Output {
    message: String,
    version: String,
    memory_mb: i32,
    has_time: bool,
}

async fn greet(event: LambdaEvent<Input>) -> Result<Output, Diagnostic> {
    let (input, context) = event.into_parts();
    if input.name.is_empty() {
        return Err(Diagnostic {
            error_type: "EmptyName".to_owned(),
            error_message: "there is nobody to greet: give a name".to_owned(),
        });
    }
    if input.name == "panic" {
        panic!("asked to panic");
    }
    let greeting = std::env::var("GREETING").unwrap_or_else(|_| "hello".to_owned());
    println!(
        "greeting somebody with a name of {} characters",
        input.name.chars().count()
    );
    Ok(Output {
        message: format!("{greeting}, {}", input.name),
        version: context.env_config.version.clone(),
        memory_mb: context.env_config.memory,
        has_time: context.deadline().elapsed().is_err(),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    run(service_fn(greet)).await
}
