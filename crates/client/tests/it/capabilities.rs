//! What a target cannot do is refused before anything but the discovery is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyport_core::call::{Call, LogQuery, Qualifier};
use anyport_core::capability::{Logs, Media, Support};
use anyport_core::error::{Error, ErrorKind};
use anyport_core::plan::{Split, VersionId};

use crate::memory::{Memory, bare, everything};
use crate::script::{bytes, function, name, target};

fn capability(error: &Error) -> &str {
    match error.kind() {
        ErrorKind::Unsupported { capability, hint } => {
            assert!(!hint.is_empty());
            capability
        }
        _ => panic!("{error}"),
    }
}

fn split(versions: &[&str]) -> Split {
    let share = 100 / u8::try_from(versions.len()).unwrap();
    Split::new(versions.iter().map(|id| (VersionId::new(*id), share))).unwrap()
}

#[tokio::test]
async fn a_bare_target_refuses_everything_optional_without_a_call() {
    let memory = Arc::new(Memory::with(bare()));
    let target = target(&memory);
    let hello = name("hello");
    let mut with_key = Call::new(hello.clone(), "{}");
    with_key.idempotency_key = Some("once".to_owned());
    let mut by_version = Call::new(hello.clone(), "{}");
    by_version.qualifier = Qualifier::Version(VersionId::new("v1"));
    let secret = function("hello", "one")
        .secret("TOKEN", "secret://file/token")
        .service(1)
        .build()
        .unwrap();
    let refused = [
        target.versions(&hello).await.err(),
        target.rollback(&hello, None).await.err(),
        target.traffic(&hello, split(&["v1"])).await.err(),
        target.logs(LogQuery::new(hello.clone())).await.err(),
        target.enqueue(Call::new(hello.clone(), "{}")).await.err(),
        target.dead_letters(&hello).await.err(),
        target.invoke(with_key).await.err(),
        target.invoke(by_version).await.err(),
        target.export(&hello).await.err(),
    ];
    let refused: Vec<Error> = refused.into_iter().map(Option::unwrap).collect();
    let named: Vec<&str> = refused.iter().map(capability).collect();
    assert_eq!(
        named,
        [
            "versions",
            "versions",
            "traffic",
            "logs",
            "enqueue",
            "enqueue",
            "invoke.idempotency_key",
            "invoke.by_version",
            "artifacts.export"
        ]
    );
    let only_discovery = |target: &anyport_client::Target| {
        let calls = target.calls().by_operation();
        assert_eq!(calls.keys().collect::<Vec<_>>(), [&"Discover"]);
        assert_eq!(calls["Discover"].sent(), 1);
    };
    only_discovery(&target);
    let error = target.deploy(secret, bytes("one")).await.unwrap_err();
    assert_eq!(capability(&error), "artifacts.services, governance.secrets");
    assert_eq!(target.calls().total().writes, 0);
}

#[tokio::test]
async fn more_ways_than_there_are_and_logs_that_cannot_be_followed() {
    let mut caps = everything();
    caps.logs = Support::Native(Logs::new(false, std::time::Duration::ZERO));
    let memory = Arc::new(Memory::with(caps));
    let target = target(&memory);
    let hello = name("hello");
    let three = target
        .traffic(&hello, split(&["v1", "v2", "v3", "v4"]))
        .await;
    assert_eq!(capability(&three.unwrap_err()), "traffic.ways");
    let mut query = LogQuery::new(hello);
    query.follow = true;
    let error = target.logs(query).await.err().unwrap();
    assert_eq!(capability(&error), "logs.follow");
    assert_eq!(target.calls().by_operation().len(), 1);
}

#[tokio::test]
async fn a_target_of_json_takes_json_only() {
    let mut caps = everything();
    caps.invoke.media = Media::Json;
    let memory = Arc::new(Memory::with(caps));
    let target = target(&memory);
    crate::script::deployed(&target, "hello", "one").await;
    target.calls().reset();
    let mut image = Call::new(name("hello"), "{}");
    image.content_type = "image/png".to_owned();
    let error = target.invoke(image).await.unwrap_err();
    assert_eq!(capability(&error), "invoke.media");
    for not_json in ["", "{", "hunter2"] {
        let call = Call::new(name("hello"), not_json);
        let error = target.invoke(call).await.unwrap_err();
        assert_eq!(error.kind().name(), "invalid_spec", "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    assert_eq!(target.calls().total().sent(), 0);
    for json in ["null", "{\"a\": [1, 2]}"] {
        let mut call = Call::new(name("hello"), json);
        call.content_type = "application/cloudevents+json; charset=utf-8".to_owned();
        target.invoke(call).await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_discovery_is_not_kept() {
    let memory = Memory::new();
    let target = target(&memory);
    memory.fail_next(Error::new(ErrorKind::Unauthorized, "discover"));
    let error = target.capabilities().await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Unauthorized);
    assert_eq!(error.resource(), Some("memory://test"));
    assert!(target.capabilities().await.is_ok());
    assert!(target.clone().capabilities().await.is_ok());
    assert_eq!(target.calls().total().reads, 2);
    assert_eq!(target.identify().await.unwrap().principal, "tester");
    let raw = target.raw().downcast_ref::<Memory>();
    assert!(raw.is_some());
    let expected = BTreeMap::from([("Discover", 2), ("WhoAmI", 1)]);
    let calls = target.calls().by_operation();
    let sent: BTreeMap<_, _> = calls.iter().map(|(op, c)| (*op, c.sent())).collect();
    assert_eq!(sent, expected);
}
