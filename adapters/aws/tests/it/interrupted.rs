//! Runs that stop half-way, and what stands in their way: faults, storms, what is missing.

use std::time::Duration;

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::plan::Change;
use anyport_core::spec::Delivery;
use anyport_emulator_aws::{Delays, Fault, FaultRule};
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;

use crate::support::{Cloud, name, packed, put, spec, variant};

/// The operations of a first deploy and of an update that write something.
const WRITES: [&str; 8] = [
    "CreateQueue",
    "CreateFunction",
    "CreateAlias",
    "PutFunctionEventInvokeConfig",
    "UpdateAlias",
    "UpdateFunctionConfiguration",
    "UpdateFunctionCode",
    "PublishVersion",
];

/// After a lost answer to any write the same deploy converges, leaves nothing twice, and a removal takes all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_any_write_is_made_good_by_the_next_deploy() {
    let mut delays = Delays::default();
    delays.alias_staleness = Duration::ZERO;
    let cloud = Cloud::with(delays).await;
    // A line may be written a moment after its call was answered, into a group that was deleted in between: logs are left out here.
    let inventory = || {
        let mut all = cloud.emulator.cloud().inventory();
        all.retain(|resource, _| !resource.contains(":logs:"));
        all
    };
    let before = inventory();
    let target = cloud.open().await;
    let other = packed("other");
    for (number, operation) in WRITES.into_iter().enumerate() {
        let updates = number >= 4;
        let function = format!("lost-{number}");
        if updates {
            put(&target, &function, "a").await;
        }
        let admin = cloud.emulator.cloud();
        let faults = admin.faults();
        let struck = faults.struck();
        faults.add(
            FaultRule::new(Fault::ResetAfter)
                .operation(operation)
                .times(1),
        );
        let code = if operation == "PublishVersion" {
            packed("")
        } else {
            other.clone()
        };
        let spec = spec(&function, &code, "b").build().unwrap();
        let lost = target.deploy(spec.clone(), code.content.clone()).await;
        assert_eq!(faults.struck() - struck, 1, "{operation}");
        faults.clear();
        if let Err(error) = &lost {
            assert!(error.user_code_may_have_run(), "{operation}: {error}");
        }
        let done = target
            .deploy(spec.clone(), code.content.clone())
            .await
            .unwrap();
        assert!(
            lost.is_ok() || done.change != Change::Unchanged || operation == "UpdateAlias",
            "{operation}: {:?}",
            done.change
        );
        assert_eq!(variant(&target, &function).await, "b", "{operation}");
        let seen = target.status(&name(&function)).await.unwrap();
        assert!(seen.residue.is_empty(), "{operation}: {:?}", seen.residue);
        assert!(
            seen.versions.len() <= 1 + usize::from(updates),
            "{operation}"
        );
        let same = target.deploy(spec, code.content).await.unwrap();
        assert_eq!(
            same.change,
            Change::Unchanged,
            "{operation}: {:?}",
            same.steps
        );
        target
            .remove(&name(&function), Removal::default())
            .await
            .unwrap();
    }
    assert_eq!(inventory(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_throttling_is_waited_out() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let admin = cloud.emulator.cloud();
    let faults = admin.faults();
    let storm = Fault::Throttle(Some(0));
    faults.add(FaultRule::new(storm).service("lambda").times(3));
    put(&target, "hello", "a").await;
    assert_eq!(faults.struck(), 3);
    assert_eq!(variant(&target, "hello").await, "a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_is_not_there_is_named() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let packed = packed("");
    let spec = spec("hello", &packed, "a").identity("role/nobody");
    let refused = target.deploy(spec.build().unwrap(), packed.content).await;
    let error = refused.unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let said = format!("{error} {}", source.unwrap_or_default());
    assert!(said.contains("identity"), "{said}");
    target
        .remove(&name("hello"), Removal::default())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deployed_can_be_had_back() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    put(&target, "hello", "a").await;
    let export = target.export(&name("hello")).await.unwrap();
    let packed = packed("");
    assert_eq!(export.spec.artifact.digest, packed.artifact.digest);
    let mut bytes = 0;
    let mut pieces = export.content.open();
    while let Some(piece) = pieces.next().await {
        bytes += piece.unwrap().len() as u64;
    }
    assert_eq!(bytes, packed.content.size());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_outlive_their_function_until_they_are_purged() {
    let cloud = Cloud::new().await;
    let before = cloud.emulator.cloud().inventory();
    let target = cloud.open().await;
    let packed = packed("");
    let spec = spec("hello", &packed, "a").delivery(Delivery {
        attempts: 1,
        ..Delivery::default()
    });
    target
        .deploy(spec.build().unwrap(), packed.content)
        .await
        .unwrap();
    let fails = Command::Fail {
        kind: "Asked".to_owned(),
        message: "as asked".to_owned(),
    };
    let call = anyport_core::call::Call::new(name("hello"), fails.to_payload());
    let accepted = target.enqueue(call).await.unwrap();
    while target.status(&name("hello")).await.unwrap().events.dead == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let removed = target
        .remove(&name("hello"), Removal::default())
        .await
        .unwrap();
    assert_eq!((removed.change, removed.kept.len()), (Change::Removed, 1));
    let mut letters = target.dead_letters(&name("hello")).await.unwrap();
    assert_eq!(letters.next().await.unwrap().unwrap().id, accepted.id);
    drop(letters);
    let stranger = cloud.open_as("another").await;
    let refused = stranger
        .remove(&name("hello"), Removal::default().purge(true))
        .await
        .unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::AlreadyExists { owner } if owner == "app/test"),
        "{refused}"
    );
    target
        .remove(&name("hello"), Removal::default().purge(true))
        .await
        .unwrap();
    assert_eq!(cloud.emulator.cloud().inventory(), before);
}

/// Far more deploys at a time than the control plane takes requests a second: all of them come through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_deploys_comes_through_real_rate_limits() {
    const CROWD: usize = 40;
    let cloud = Cloud::of(anyport_emulator_aws::Config::new().delays(Delays::zero())).await;
    let target = cloud.open().await;
    let packed = packed("");
    let specs: Vec<_> = (0..CROWD)
        .map(|number| {
            let spec = spec(&format!("crowd-{number}"), &packed, "a").build();
            (spec.unwrap(), packed.content.clone())
        })
        .collect();
    let mut deploys = std::pin::pin!(target.deploy_all(specs, CROWD));
    let mut made = 0;
    while let Some((name, deployed)) = deploys.next().await {
        let deployed = deployed.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(deployed.change, Change::Created);
        made += 1;
    }
    assert_eq!(made, CROWD);
}
