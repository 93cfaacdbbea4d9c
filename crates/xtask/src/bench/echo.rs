//! A function on `anyport-runtime` that sends every payload back: what the bare server is compared with.

use std::process::ExitCode;

use anyport_runtime::{Context, Error, Request, Response, serve};

async fn echo(request: Request, _: Context) -> Result<Response, Error> {
    let kind = request.content_type().unwrap_or_default().to_owned();
    Ok(Response::new(request.into_body()).with_content_type(&kind))
}

fn main() -> ExitCode {
    serve(echo)
}
