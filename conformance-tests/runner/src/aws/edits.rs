//! What others do in an account: edits behind the adapter's back, and functions of their own.

use std::time::{Duration, Instant};

use anyport::spec::Name;
use anyport_conformance::harness::{Edit, Missing};
use http::Method;
use serde_json::{Value, json};

use super::api::Api;

/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A zip of one file, `bootstrap`, that holds a line of shell.
const ZIP: &str = "UEsDBBQAAAAAAAAAIQAdnfsECgAAAAoAAAAJAAAAYm9vdHN0cmFwIyEvYmluL3NoClBLAQIUAxQAAAAAAAAAIQAdnfsECgAAAAoAAAAJAAAAAAAAAAAAAADtgQAAAABib290c3RyYXBQSwUGAAAAAAEAAQA3AAAAMQAAAAAA";

/// Creates a function that carries no mark.
pub(super) async fn foreign(api: &Api, role: &str, name: &Name) -> Result<(), Missing> {
    let function = json!({
        "FunctionName": name.as_str(),
        "Role": role,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Code": { "ZipFile": ZIP },
    });
    api.lambda(Method::POST, "/functions", Some(function))
        .await?;
    settled(api, name).await?;
    Ok(())
}

/// Changes the configuration, as somebody does in the console.
pub(super) async fn tamper(api: &Api, name: &Name, edit: &Edit) -> Result<(), Missing> {
    let before = settled(api, name).await?;
    let change = match edit {
        Edit::Env { name, value } => {
            let mut variables = before["Environment"]["Variables"].clone();
            variables[name] = value.as_str().into();
            json!({ "Environment": { "Variables": variables } })
        }
        Edit::MemoryMb(mb) => json!({ "MemorySize": mb }),
        other => {
            return Err(Missing::because(format!(
                "no way to make the edit {other:?}"
            )));
        }
    };
    configure(api, name, change).await
}

/// Makes the mark one of a format that nobody knows yet.
pub(super) async fn spoil(api: &Api, name: &Name) -> Result<(), Missing> {
    let before = settled(api, name).await?;
    let description = before["Description"].as_str().unwrap_or_default();
    let newer = description.replacen("anyport1-", "anyport99-", 1);
    if newer == description {
        return Err(Missing::because(format!("{name} carries no mark")));
    }
    configure(api, name, json!({ "Description": newer })).await?;
    let published = api
        .lambda(
            Method::POST,
            &format!("/functions/{name}/versions"),
            Some(json!({})),
        )
        .await?;
    let live = json!({ "FunctionVersion": published["Version"] });
    let path = format!("/functions/{name}/aliases/live");
    api.lambda(Method::PUT, &path, Some(live)).await?;
    Ok(())
}

async fn configure(api: &Api, name: &Name, change: Value) -> Result<(), Missing> {
    let path = format!("/functions/{name}/configuration");
    api.lambda(Method::PUT, &path, Some(change)).await?;
    settled(api, name).await?;
    Ok(())
}

/// The configuration, once no change is under way.
async fn settled(api: &Api, name: &Name) -> Result<Value, Missing> {
    let started = Instant::now();
    let path = format!("/functions/{name}/configuration");
    loop {
        let seen = api.lambda(Method::GET, &path, None).await?;
        let state = seen["State"].as_str().unwrap_or("Active");
        let update = seen["LastUpdateStatus"].as_str().unwrap_or("Successful");
        if state != "Pending" && update != "InProgress" {
            return Ok(seen);
        }
        if started.elapsed() > PATIENCE {
            return Err(Missing::because(format!("{name} stays {state}, {update}")));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
