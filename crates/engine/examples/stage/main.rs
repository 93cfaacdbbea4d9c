//! What the engine's tests put on stage: a function that does what its payload says, over the Runtime
//! API or as a server, and a host process with an engine of its own. Only the standard library and
//! JSON on the function's side, so that nothing of the engine is used on both sides of the wire.

// It stands for functions as they are: it panics where it can't go on, and leaves children behind.
#![allow(clippy::unwrap_used, clippy::zombie_processes)]

mod acts;
mod host;
mod runtime_api;
mod server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|mode| mode == "daemon") {
        acts::daemon(&arguments[1..]);
    } else if arguments.first().is_some_and(|mode| mode == "chain") {
        acts::chain(&arguments[1]);
    } else if arguments.first().is_some_and(|mode| mode == "host") {
        host::run(&arguments[1], &arguments[2]);
    } else if let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") {
        runtime_api::run(&api);
    } else if let Ok(port) = std::env::var("PORT") {
        server::run(port.parse().expect("PORT is a number"));
    } else {
        eprintln!("started without AWS_LAMBDA_RUNTIME_API or PORT");
        std::process::exit(2);
    }
}
