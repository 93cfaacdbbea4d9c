//! Errors: their facts, their words, and what they keep to themselves.

use std::error::Error as _;
use std::time::Duration;

use anyport_client::{InvokeOptions, Removal};
use anyport_core::call::Call;
use anyport_core::capability::{Media, StartCheck};
use anyport_core::error::Retry;
use anyport_core::plan::State;
use anyport_core::spec::Name;
use anyport_core::{Error, ErrorKind};
use anyport_testkit::probe::{Command, START};

use super::{Case, case};
use crate::scene::{Client, Scene, another_owner};
use crate::seam::Disturbance;
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("error/says-what-on-what", says_what_on_what),
    case!("error/kinds", kinds),
    case!("error/text", text),
    case!("error/keeps-secrets", keeps_secrets),
    case!("error/safe-endpoint", safe_endpoint),
];

/// An error that was provoked: how, what kind it must have, and what it must name.
struct Provoked {
    how: &'static str,
    kind: &'static str,
    on: String,
    error: Error,
}

/// A secret in every environment and payload of the provoked errors.
fn sentinel(scene: &Scene) -> String {
    format!("sentinel-{:016x}", scene.seed())
}

fn err<T>(how: &'static str, result: anyport_core::Result<T>) -> Result<Error, Stop> {
    match result {
        Ok(_) => fail!("{how}: no error"),
        Err(error) => Ok(error),
    }
}

/// One error of each kind that can be had.
async fn provoke(scene: &Scene) -> Result<(Client, Vec<Provoked>), Stop> {
    let client = scene.client().await?;
    let sentinel = sentinel(scene);
    let mut all = Vec::new();
    let mut add = |how, kind, on: &Name, error| {
        all.push(Provoked {
            how,
            kind,
            on: on.to_string(),
            error,
        });
    };
    let name = scene.name("errors");
    let spec = |variant: &str| client.spec(&name, variant).env("PASSPHRASE", &sentinel);
    client.put(spec("a").build()?).await?;
    client.settle().await;

    let nobody = scene.name("err-nobody");
    let payload = || Call::new(nobody.clone(), format!("\"{sentinel}\""));
    let how = "call what is not there";
    add(
        how,
        "not_found",
        &nobody,
        err(how, client.invoke(payload()).await)?,
    );

    let how = "deploy another owner's";
    let theirs = scene.client_as(another_owner(), None).await?;
    let result = theirs
        .put(
            theirs
                .spec(&name, "b")
                .env("PASSPHRASE", &sentinel)
                .build()?,
        )
        .await;
    add(how, "already_exists", &name, err(how, result)?);

    let how = "apply a stale plan";
    let desired = client
        .desired(name.clone(), State::Present(Box::new(spec("b").build()?)))
        .with_content(scene.package("")?.content);
    let plan = client.plan(desired).await?;
    client.put(spec("c").build()?).await?;
    add(how, "conflict", &name, err(how, client.apply(plan).await)?);

    let how = "ask for too much";
    let mut large = spec("d").build()?;
    large.timeout = Duration::from_millis(client.caps().resources.timeout_ms.max() + 1);
    add(
        how,
        "invalid_spec",
        &name,
        err(how, client.put(large).await)?,
    );

    let how = "ask for what is of another product";
    let odd = spec("d").native("another-product", serde_json::json!(1));
    add(
        how,
        "unsupported",
        &name,
        err(how, client.put(odd.build()?).await)?,
    );

    let max = client.caps().invoke.max_request;
    if max < 64 << 20 {
        let how = "send too much";
        let large = sentinel.repeat(usize::try_from(max).unwrap_or_default() / sentinel.len() + 1);
        let result = client.invoke(Call::new(name.clone(), large)).await;
        add(how, "payload_too_large", &name, err(how, result)?);
    }
    if client.caps().invoke.media == Media::Json {
        let how = "send what is no JSON";
        let mut call = Call::new(name.clone(), sentinel.clone());
        call.content_type = "text/plain".to_owned();
        add(
            how,
            "unsupported",
            &name,
            err(how, client.invoke(call).await)?,
        );
    }

    for (how, command) in [
        (
            "fail",
            Command::Fail {
                kind: "Asked".to_owned(),
                message: "as asked".to_owned(),
            },
        ),
        (
            "crash",
            Command::Exit {
                message: "as asked".to_owned(),
            },
        ),
    ] {
        let mut value = serde_json::to_value(&command).unwrap_or_default();
        value["beside"] = sentinel.clone().into();
        let call = Call::new(name.clone(), value.to_string());
        add(how, "function", &name, err(how, client.invoke(call).await)?);
    }

    let how = "wait too short";
    let sleeps = Command::Sleep {
        ms: 2_000,
        mark: String::new(),
    };
    let options = InvokeOptions::default().timeout(Duration::from_millis(50));
    let result = client
        .invoke_with(client.call(&name, &sleeps), options)
        .await;
    add(how, "timeout", &name, err(how, result)?);

    let how = "remove what is protected";
    client.put(spec("e").protect(true).build()?).await?;
    let result = client.remove(&name, Removal::default()).await;
    add(how, "forbidden", &name, err(how, result)?);

    if client.caps().deploy.start_check != StartCheck::None {
        let how = "deploy what cannot start";
        let broken = scene.name("err-broken");
        let spec = client
            .spec(&broken, "a")
            .env(START, "exit")
            .env("PASSPHRASE", &sentinel);
        let result = client.put(spec.build()?).await;
        add(how, "rollout_failed", &broken, err(how, result)?);
    }

    let how = "stop while reading";
    let stopped = scene.client().await?;
    stopped.script().disturb(Disturbance::CancelAt(1));
    // The call under way may still be answered; the next one is not sent.
    let _ = stopped.status(&name).await;
    let result = stopped.status(&name).await;
    add(how, "cancelled", &name, err(how, result)?);

    Ok((client, all))
}

/// Operation and resource are always there, and the retry advice fits the kind.
async fn says_what_on_what(scene: &Scene) -> Verdict {
    let (_client, all) = provoke(scene).await?;
    for Provoked { how, on, error, .. } in &all {
        ensure!(
            !error.operation().is_empty(),
            "{how}: the error names no operation"
        );
        ensure!(
            error
                .resource()
                .is_some_and(|resource| resource.contains(on)),
            "{how}: the error is about {on} and names {:?}",
            error.resource()
        );
        let repeatable = matches!(
            error.kind(),
            ErrorKind::Throttled { .. } | ErrorKind::Unavailable
        );
        ensure!(
            repeatable || error.retry() == Retry::No,
            "{how}: {} advises {:?}",
            Chain(error),
            error.retry()
        );
    }
    Ok(Pass::Holds)
}

/// Each failure has its kind.
async fn kinds(scene: &Scene) -> Verdict {
    let (_client, all) = provoke(scene).await?;
    for Provoked {
        how, kind, error, ..
    } in &all
    {
        ensure!(
            error.kind().name() == *kind,
            "to {how} must be {kind}, not {}: {}",
            error.kind().name(),
            Chain(error)
        );
    }
    Ok(Pass::Holds)
}

/// Every message is whole, and says nothing twice.
async fn text(scene: &Scene) -> Verdict {
    let (_client, all) = provoke(scene).await?;
    for Provoked { how, on, error, .. } in &all {
        let said = error.to_string();
        ensure!(
            said.contains(error.operation()) && said.contains(on.as_str()),
            "{how}: the message says neither what was tried nor on what: {said}"
        );
        let acts = matches!(
            error.kind(),
            ErrorKind::AlreadyExists { .. }
                | ErrorKind::Conflict
                | ErrorKind::Forbidden
                | ErrorKind::Unsupported { .. }
                | ErrorKind::PayloadTooLarge(_)
        );
        ensure!(
            !acts || error.next_step().is_some_and(|next| said.contains(next)),
            "{how}: the message does not say what to do next: {said}"
        );
        let mut above = said;
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            ensure!(
                !text.is_empty() && !above.contains(&text),
                "{how}: {above:?} repeats its source {text:?}"
            );
            above = text;
            source = cause.source();
        }
    }
    Ok(Pass::Holds)
}

/// Values of variables and payloads are in no message, plan or outcome, however it is printed.
async fn keeps_secrets(scene: &Scene) -> Verdict {
    let (client, all) = provoke(scene).await?;
    let sentinel = sentinel(scene);
    for Provoked { how, error, .. } in &all {
        ensure!(
            !format!("{} {error:?}", Chain(error)).contains(&sentinel),
            "{how}: the error shows a payload or a variable's value"
        );
    }
    let name = scene.name("quiet");
    for variant in ["a", "b"] {
        let spec = client
            .spec(&name, variant)
            .env("PASSPHRASE", format!("{sentinel}-{variant}"))
            .build()?;
        let desired = client
            .desired(name.clone(), State::Present(Box::new(spec.clone())))
            .with_content(scene.package("")?.content);
        let plan = client.plan(desired).await?;
        let shown = plan.fields.iter().map(ToString::to_string);
        let shown: Vec<String> = shown
            .chain(plan.steps.iter().map(ToString::to_string))
            .collect();
        ensure!(
            !format!("{plan:?} {shown:?} {spec:?}").contains(&sentinel),
            "a plan shows a variable's value"
        );
        let outcome = client.put(spec).await?;
        let json = serde_json::to_string(&outcome).unwrap_or_default();
        ensure!(
            !format!("{outcome:?} {json}").contains(&sentinel),
            "an outcome shows a variable's value"
        );
        let seen = client.status(&name).await?;
        ensure!(
            !format!("{seen:?}").contains(&sentinel),
            "a status shows a variable's value"
        );
    }
    let call = Call::new(name, sentinel.clone());
    ensure!(
        !format!("{call:?}").contains(&sentinel),
        "a call shows its payload"
    );
    Ok(Pass::Holds)
}

/// Requests stay on this machine or go over TLS.
async fn safe_endpoint(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let endpoint = client.identify().await?.endpoint;
    ensure!(
        is_safe(&endpoint),
        "requests go to {endpoint}, which is neither loopback nor TLS"
    );
    // TEST-NET-2: nobody is there, and nothing may be sent.
    for elsewhere in ["http://198.51.100.7:4566", "http://localhost.example:4566"] {
        if let Some(opened) = scene.site().with_endpoint(elsewhere).await {
            ensure!(
                opened.is_err(),
                "requests could be sent to {elsewhere} in the clear"
            );
        }
    }
    Ok(Pass::Holds)
}

/// Whether an endpoint is a path, on loopback, or reached over TLS.
fn is_safe(endpoint: &str) -> bool {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return endpoint.starts_with('/') || is_loopback(endpoint);
    };
    match scheme {
        "http" | "ws" | "tcp" | "grpc" => is_loopback(rest),
        _ => true,
    }
}

fn is_loopback(authority: &str) -> bool {
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_tls_are_safe_and_the_rest_is_not() {
        for safe in [
            "/var/lib/anyport",
            "https://lambda.eu-west-1.amazonaws.com",
            "http://127.0.0.1:4566",
            "http://[::1]:80/x",
            "http://localhost/",
            "local:///state",
        ] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in [
            "http://198.51.100.7:4566",
            "http://localhost.example",
            "ws://10.0.0.1",
            "tcp://[2001:db8::1]:1",
        ] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }
}
