//! The same promises for functions that are HTTP servers.

use anyport_core::call::Call;
use anyport_core::error::ErrorKind;
use anyport_core::outcome::Outcome;
use anyport_core::spec::{Name, Packaging, Protocol};
use anyport_testkit::Packed;
use anyport_testkit::probe::Command;

use super::{Case, case, fit, payload};
use crate::scene::{Client, Scene};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("http/bytes", bytes),
    case!("http/errors", errors),
    case!("http/concurrency", concurrency),
];

/// The probe as an HTTP server.
fn server(scene: &Scene) -> Result<Packed, Stop> {
    let mut packed = scene.package("")?;
    match &mut packed.artifact.packaging {
        Packaging::Zip { protocol } => *protocol = Protocol::Http,
        other => {
            return Err(Stop::NotRun(format!(
                "the harness packs the probe as {}, which has no protocol to choose",
                other.name()
            )));
        }
    }
    Ok(packed)
}

/// Deploys the probe as an HTTP server for so many requests at a time.
async fn deployed(
    scene: &Scene,
    client: &Client,
    name: &Name,
    requests: u32,
) -> Result<anyport_core::Result<Outcome>, Stop> {
    let packed = server(scene)?;
    let spec = client
        .spec_of(&packed, name, "http")
        .concurrency(requests)
        .max_instances(1)
        .build()?;
    let result = client.put_of(&packed, spec).await;
    client.settle().await;
    Ok(result)
}

/// Verifies that HTTP servers are refused, where they are not declared.
async fn not_declared(scene: &Scene, client: &Client, name: &Name) -> Option<Verdict> {
    if client.caps().artifacts.http.is_supported() {
        return None;
    }
    let from = client.script().count();
    let deployed = deployed(scene, client, name, 1).await;
    Some(deployed.and_then(|result| fit::refused(client, result, from)))
}

/// Bytes and types pass through an HTTP server as they are.
async fn bytes(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("http-bytes");
    if let Some(verdict) = not_declared(scene, &client, &name).await {
        return verdict;
    }
    deployed(scene, &client, &name, 1).await??;
    client.serves(&name, "http").await?;
    payload::samples_pass(&client, &name).await
}

/// Errors and crashes of an HTTP server are told apart as everywhere.
async fn errors(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("http-errors");
    if let Some(verdict) = not_declared(scene, &client, &name).await {
        return verdict;
    }
    deployed(scene, &client, &name, 1).await??;
    let fails = Command::Fail {
        kind: "CardDeclined".to_owned(),
        message: "no funds".to_owned(),
    };
    let panics = Command::Panic {
        message: "about to panic".to_owned(),
    };
    let exits = Command::Exit {
        message: "about to exit".to_owned(),
    };
    for (command, handled, says) in [
        (fails, true, "no funds"),
        (panics, false, "about to panic"),
        (exits, false, ""),
    ] {
        match client.ask(&name, &command).await {
            Ok(answer) => fail!("{command:?} answered {answer}"),
            Err(error) => match error.kind() {
                ErrorKind::Function(failure) => ensure!(
                    failure.handled == handled && failure.message.contains(says),
                    "{command:?} came out as {}",
                    Chain(&error)
                ),
                _ => fail!("{command:?} must be Function, not {}", Chain(&error)),
            },
        }
        client.serves(&name, "http").await?;
    }
    Ok(Pass::Holds)
}

/// One instance of an HTTP server takes as many requests at a time as asked, or the outcome says otherwise.
async fn concurrency(scene: &Scene) -> Verdict {
    const REQUESTS: u32 = 3;
    let client = scene.client().await?;
    let name = scene.name("http-many");
    if let Some(verdict) = not_declared(scene, &client, &name).await {
        return verdict;
    }
    if client.caps().resources.concurrency.max() < u64::from(REQUESTS) {
        let from = client.script().count();
        let result = deployed(scene, &client, &name, REQUESTS).await?;
        fit::invalid(&client, result, &["concurrency"], from)?;
        return Ok(Pass::Refused);
    }
    let outcome = deployed(scene, &client, &name, REQUESTS).await??;
    let rounded = outcome
        .approximations
        .iter()
        .any(|it| it.field == "concurrency");
    client.serves(&name, "http").await?;
    let sleeps = Command::Sleep {
        ms: 600,
        mark: String::new(),
    };
    let call = || client.invoke(Call::new(name.clone(), sleeps.to_payload()));
    let together = futures_util::future::join3(call(), call(), call()).await;
    let refused = [together.0, together.1, together.2]
        .into_iter()
        .filter_map(Result::err)
        .map(|error| Chain(&error).to_string())
        .collect::<Vec<_>>();
    ensure!(
        refused.is_empty() || rounded,
        "{REQUESTS} requests at a time were asked of one instance: {}",
        refused.join("; ")
    );
    Ok(Pass::Holds)
}
