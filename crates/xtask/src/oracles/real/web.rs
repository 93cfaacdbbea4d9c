//! A web server, started by a command.

use anyport::spec::Packaging;
use serde_json::json;

use super::super::stage::{Stage, same};
use super::super::{Cache, peers};
use crate::commands::Failure;

/// A server from Python's standard library.
pub(super) async fn server(_: &Cache, stage: &Stage) -> Result<String, Failure> {
    let packed = stage.pack(&peers::source("http"))?;
    let packaging = Packaging::Command {
        command: vec!["python3".to_owned(), "server.py".to_owned()],
    };
    let function = stage.deploy("website", packaging, &packed).await?;
    let answer = function.json(&json!({"hello": "web"})).await?;
    let expected = json!({"path": "/", "length": 15, "unit": "test"});
    same("the answer", answer, expected)?;

    let mut call = function.call(vec![0_u8, 1, 255]);
    call.content_type = "application/octet-stream".to_owned();
    let (reply, body) = function.reply(call).await?;
    same("the bytes", body, vec![255, 1, 0])?;
    same(
        "their type",
        reply.content_type.as_str(),
        "image/x-reversed",
    )?;

    let (reply, body) = function.reply(function.call("teapot")).await?;
    same("another status", reply.status, Some(418))?;
    same("its body", body, b"short and stout".to_vec())?;

    let failure = function.failure("break").await?;
    same("a 500 is handled", failure.handled, true)?;
    let (reply, _) = function.reply(function.call("{}")).await?;
    same("the status after it", reply.status, Some(200))?;
    function.logged("web: ").await?;
    function.remove().await?;
    Ok("any bytes, any type, any status".to_owned())
}
