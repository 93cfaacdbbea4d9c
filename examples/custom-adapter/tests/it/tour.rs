//! A function's life on the platform, as a user of `Target` sees it.

use std::path::Path;
use std::sync::Arc;

use anyport_client::{Options, Removal, Target};
use anyport_core::ErrorKind;
use anyport_core::call::Call;
use anyport_core::mark::Owner;
use anyport_core::plan::{Change, Health};
use anyport_core::spec::{Name, Spec};
use anyport_testkit::{Packed, ProbeKit, Variant, build_probe};
use custom_adapter::Unixd;

fn open(state: &Path) -> Target {
    let url = format!("unixd://{}", state.display()).parse().unwrap();
    let provider = Unixd::open(url, env!("CARGO_BIN_EXE_unixd")).unwrap();
    let owner = Owner::new("tour", "test");
    Target::new(Arc::new(provider), Options::new(owner))
}

fn spec(probe: &Packed, greeting: &str) -> Spec {
    Spec::builder("hello", probe.artifact.clone())
        .env("GREETING", greeting)
        .build()
        .unwrap()
}

async fn ask(target: &Target, name: &Name, what: &str) -> anyport_core::Result<String> {
    let reply = target
        .invoke(Call::new(name.clone(), what.to_owned()))
        .await?;
    let body = reply.body.collect(1 << 20).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_deployed_called_changed_restarted_and_removed() {
    let parent = tempfile::tempdir().unwrap();
    let state = parent.path().join("state");
    let kit = ProbeKit::new(build_probe().unwrap()).unwrap();
    let probe = kit.zip(&Variant::default()).unwrap();
    let name: Name = "hello".parse().unwrap();
    let target = open(&state);
    let deploy = async |greeting: &str| {
        let spec = spec(&probe, greeting);
        target.deploy(spec, probe.content.clone()).await.unwrap()
    };
    let greeting = r#"{"do":"env","names":["GREETING"]}"#;

    assert_eq!(deploy("hello").await.change, Change::Created);
    assert_eq!(deploy("hello").await.change, Change::Unchanged);
    let answer = ask(&target, &name, greeting).await.unwrap();
    assert!(answer.contains(r#""hello""#), "{answer}");

    // The daemon is not this client's: another one finds the function and its state.
    let other = open(&state);
    assert_eq!(ask(&other, &name, greeting).await.unwrap(), answer);

    let changed = deploy("good day").await;
    assert_eq!(changed.change, Change::Updated);
    let answer = ask(&other, &name, greeting).await.unwrap();
    assert!(answer.contains(r#""good day""#), "{answer}");

    // A daemon that is gone is seen, and the next deployment starts another.
    let seen = target.status(&name).await.unwrap();
    assert_eq!(seen.health, Health::Ready);
    let version = seen.latest().unwrap().id.clone();
    let release = state.join("hello").join(version.as_str());
    custom_adapter::daemon::end(&release, false).await.unwrap();
    let seen = target.status(&name).await.unwrap();
    assert!(matches!(seen.health, Health::Failed(_)), "{seen:?}");
    assert_eq!(deploy("good day").await.change, Change::Updated);
    ask(&target, &name, greeting).await.unwrap();

    let removed = target.remove(&name, Removal::default()).await.unwrap();
    assert_eq!(removed.change, Change::Removed);
    let gone = ask(&target, &name, greeting).await.unwrap_err();
    assert_eq!(*gone.kind(), ErrorKind::NotFound);
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 0);
}
