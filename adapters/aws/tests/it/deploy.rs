//! Releases: what is written, what is seen again, what an interrupted run leaves.

use std::time::Duration;

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::plan::{Change, Health, Split};
use anyport_core::spec::{DataClass, Delivery};
use anyport_emulator_aws::Delays;
use aws_sdk_lambda::types::Environment;
use serde_json::json;

use crate::support::{Cloud, name, packed, put, spec, variant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_life() {
    let cloud = Cloud::with(Delays::default()).await;
    let before = cloud.emulator.cloud().inventory();
    let target = cloud.open().await;
    let first = put(&target, "hello", "a").await;
    assert_eq!(variant(&target, "hello").await, "a");
    assert!(first.endpoint.unwrap().ends_with(":function:hello:live"));
    let second = put(&target, "hello", "b").await;
    assert_ne!(first.version, second.version);
    let seen = target.status(&name("hello")).await.unwrap();
    assert_eq!(seen.health, Health::Ready);
    assert!(seen.residue.is_empty(), "{:?}", seen.residue);
    let shares: Vec<u8> = seen.versions.iter().map(|it| it.share).collect();
    assert_eq!(shares, [0, 100]);
    let back = target.rollback(&name("hello"), None).await.unwrap();
    assert_eq!(back.version, first.version);
    let again = put(&target, "hello", "a").await;
    assert_eq!(again.change, Change::Unchanged, "{:?}", again.steps);
    let anew = put(&target, "hello", "b").await;
    assert_eq!(anew.change, Change::Updated);
    assert_ne!(anew.version, second.version);
    target
        .remove(&name("hello"), Removal::default())
        .await
        .unwrap();
    let twice = target.remove(&name("hello"), Removal::default()).await;
    assert_eq!(twice.unwrap().change, Change::Absent);
    assert_eq!(cloud.emulator.cloud().inventory(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_is_seen_again_and_goes_back_to_its_default() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let packed = packed("");
    let account = cloud.emulator.account().to_owned();
    let full = spec("hello", &packed, "a")
        .env("GREETING", "hello")
        .memory_mb(256)
        .timeout(Duration::from_secs(7))
        .identity("role/anyport-embedded")
        .log_retention_days(30)
        .data(DataClass::Personal)
        .max_instances(3)
        .delivery(Delivery {
            attempts: 2,
            backoff: Duration::from_secs(5),
            max_age: Duration::from_secs(120),
        })
        .tag("team", "payments")
        .native(
            "lambda",
            json!({"EphemeralStorage": {"Size": 1024}, "TracingConfig": {"Mode": "Active"}}),
        )
        .build()
        .unwrap();
    let made = target
        .deploy(full.clone(), packed.content.clone())
        .await
        .unwrap();
    assert_eq!(made.approximations.len(), 1, "{:?}", made.approximations);
    let seen = target.status(&name("hello")).await.unwrap();
    let differs = anyport_core::spec::diff(&seen.fields, &full.fields());
    assert!(differs.is_empty(), "{differs:?}");
    let same = target.deploy(full, packed.content.clone()).await.unwrap();
    assert_eq!(same.change, Change::Unchanged, "{:?}", same.steps);

    let bare = spec("hello", &packed, "a").build().unwrap();
    let updated = target
        .deploy(bare.clone(), packed.content.clone())
        .await
        .unwrap();
    assert_eq!(updated.change, Change::Updated);
    let seen = target.status(&name("hello")).await.unwrap();
    let differs = anyport_core::spec::diff(&seen.fields, &bare.fields());
    assert!(differs.is_empty(), "{differs:?}");
    let same = target.deploy(bare, packed.content).await.unwrap();
    assert_eq!(same.change, Change::Unchanged, "{:?}", same.steps);
    assert!(seen.ids["function"].contains(&account));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_by_hand_shows_and_is_repaired() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "hello", "a").await;
    let raw = target.raw().downcast_ref::<anyport_aws::Raw>().unwrap();
    let environment = Environment::builder()
        .variables("VARIANT", "edited")
        .build();
    raw.lambda
        .update_function_configuration()
        .function_name("hello")
        .environment(environment)
        .memory_size(1024)
        .send()
        .await
        .unwrap();
    let seen = target.status(&name("hello")).await.unwrap();
    assert_eq!(seen.fields["memory_mb"].expose(), "1024");
    let repaired = put(&target, "hello", "a").await;
    assert_eq!(repaired.change, Change::Updated);
    assert!(!repaired.found.is_empty());
    let seen = target.status(&name("hello")).await.unwrap();
    assert_eq!(seen.fields["memory_mb"].expose(), "512");
    assert!(seen.residue.is_empty(), "{:?}", seen.residue);
    assert_eq!(put(&target, "hello", "a").await.change, Change::Unchanged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_is_split_over_two_versions_and_a_deploy_does_not_end_it() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let first = put(&target, "hello", "a").await.version.unwrap();
    let second = put(&target, "hello", "b").await.version.unwrap();
    let split = Split::new([(first.clone(), 70), (second, 30)]).unwrap();
    let done = target.traffic(&name("hello"), split.clone()).await.unwrap();
    assert_eq!(done.change, Change::Updated);
    let seen = target.status(&name("hello")).await.unwrap();
    assert_eq!(seen.split, Some(split.clone()));
    let again = target.traffic(&name("hello"), split).await.unwrap();
    assert_eq!(again.change, Change::Unchanged);
    let packed = packed("");
    let third = spec("hello", &packed, "c").build().unwrap();
    let refused = target.deploy(third, packed.content).await.unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Conflict, "{refused}");
    let joined = target.traffic(&name("hello"), Split::all_to(first)).await;
    assert_eq!(joined.unwrap().change, Change::Updated);
    assert_eq!(variant(&target, "hello").await, "a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_versions_are_kept_beside_the_one_that_serves() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    for number in 0..9 {
        put(&target, "hello", &format!("v{number}")).await;
    }
    let versions = target.versions(&name("hello")).await.unwrap();
    let ids: Vec<&str> = versions.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["4", "5", "6", "7", "8", "9"]);
    assert_eq!(variant(&target, "hello").await, "v8");
}
