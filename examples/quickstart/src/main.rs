//! A function that greets: `{"name": "Ada"}` in, `{"message": "hello, Ada", "version": "3"}` out.
//!
//! The greeting comes from the environment variable `GREETING`. An empty name is an error of type
//! `EmptyName`, which callers can tell from a crash.

use std::process::ExitCode;

use anyport_runtime::{Context, Error, json, serve};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    name: String,
}

async fn greet(input: Input, cx: Context) -> Result<Value, Error> {
    let name = input.name.trim();
    if name.is_empty() {
        return Err(Error::new(
            "EmptyName",
            "there is nobody to greet: give a name",
        ));
    }
    let greeting = std::env::var("GREETING").unwrap_or_else(|_| "hello".to_owned());
    println!(
        "greeting somebody with a name of {} characters",
        name.chars().count()
    );
    Ok(json!({
        "message": format!("{greeting}, {name}"),
        "version": cx.version(),
    }))
}

fn main() -> ExitCode {
    serve(json(greet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context as Task, Poll, Waker};

    fn greet_now(name: &str) -> Result<Value, Error> {
        let call = pin!(greet(
            Input {
                name: name.to_owned()
            },
            Context::new("test")
        ));
        match call.poll(&mut Task::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("a greeting waits for nothing"),
        }
    }

    #[test]
    fn a_name_is_greeted() {
        assert_eq!(greet_now(" Ada ").unwrap()["message"], "hello, Ada");
    }

    #[test]
    fn nobody_is_an_error_of_its_own_type() {
        assert_eq!(greet_now("  ").unwrap_err().error_type(), "EmptyName");
    }
}
