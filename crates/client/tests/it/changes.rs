//! Deploy, plan, apply, traffic, rollback, remove, as they are meant to go.

use anyport_client::Removal;
use anyport_core::error::ErrorKind;
use anyport_core::plan::{Base, Change, Force, Plan, Split, State, VersionId};
use futures_util::StreamExt as _;

use crate::memory::Memory;
use crate::script::{bytes, deployed, function, name, spec, target};

fn half_half(a: &VersionId, b: &VersionId) -> Split {
    Split::new([(a.clone(), 50), (b.clone(), 50)]).unwrap()
}

#[tokio::test]
async fn the_same_again_is_two_reads_at_most_and_no_write() {
    let memory = Memory::new();
    let target = target(&memory);
    let first = target.deploy(spec("hello", "one"), bytes("one")).await;
    let first = first.unwrap();
    assert_eq!(first.change, Change::Created);
    assert_eq!(first.endpoint.as_deref(), Some("memory://test/hello"));
    target.calls().reset();
    let again = target.deploy(spec("hello", "one"), bytes("one")).await;
    let again = again.unwrap();
    assert_eq!(again.change, Change::Unchanged);
    assert_eq!((&again.version, again.steps.len()), (&first.version, 0));
    let total = target.calls().total();
    assert_eq!((total.reads, total.writes), (1, 0), "{total:?}");
}

#[tokio::test]
async fn a_change_makes_a_version_and_says_what_it_did() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let bigger = function("hello", "two").memory_mb(200).build().unwrap();
    let outcome = target.deploy(bigger, bytes("two")).await.unwrap();
    assert_eq!(outcome.change, Change::Updated);
    let rounded = &outcome.approximations[0];
    assert_eq!(
        (rounded.asked.as_str(), rounded.actual.as_str()),
        ("200 MB", "256 MB")
    );
    assert_eq!(
        outcome.steps[1..],
        [
            "publish a new version",
            "send all traffic to the new version"
        ]
    );
    let versions = target.versions(&name("hello")).await.unwrap();
    assert_eq!(
        versions.iter().map(|v| v.share).collect::<Vec<_>>(),
        [0, 100]
    );
}

#[tokio::test]
async fn a_plan_is_made_without_a_write_and_can_be_saved() {
    let memory = Memory::new();
    let target = target(&memory);
    let present = State::Present(Box::new(spec("hello", "one")));
    let plan = target
        .plan(target.desired(name("hello"), present))
        .await
        .unwrap();
    assert_eq!(target.calls().total().writes, 0);
    let saved = serde_json::to_string(&plan).unwrap();
    let mut plan: Plan = serde_json::from_str(&saved).unwrap();
    let error = target.apply(plan.clone()).await.unwrap_err();
    assert_eq!(error.kind().name(), "invalid_spec", "{error}");

    plan.desired.content = Some(bytes("another"));
    let error = target.apply(plan.clone()).await.unwrap_err();
    assert!(error.to_string().contains("another digest"), "{error}");
    // The digest of bytes that may have been exchanged is not offered as the cure.
    assert!(!error.to_string().contains("nearest"), "{error}");

    plan.desired.content = Some(bytes("one"));
    assert_eq!(target.calls().total().writes, 0);
    let outcome = target.apply(plan.clone()).await.unwrap();
    assert_eq!(outcome.change, Change::Created);
    assert_eq!(target.calls().total().writes, plan.steps.len() as u64);

    target.calls().reset();
    let error = target.apply(plan).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Conflict);
    assert!(error.to_string().contains("made on nothing"), "{error}");
    assert_eq!(target.calls().total().writes, 0);
}

#[tokio::test]
async fn a_plan_that_was_edited_is_not_carried_out() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let bigger = function("hello", "two").memory_mb(256).build().unwrap();
    let present = State::Present(Box::new(bigger));
    let desired = target
        .desired(name("hello"), present)
        .with_content(bytes("two"));
    let plan = target.plan(desired).await.unwrap();
    target.calls().reset();

    let mut nothing = plan.clone();
    nothing.steps.clear();
    let mut fewer = plan.clone();
    fewer.steps.remove(1);
    let mut unguarded = plan.clone();
    unguarded
        .steps
        .iter_mut()
        .for_each(|it| it.guard = Base::Any);
    let mut other = plan.clone();
    other.change = Change::Unchanged;
    for edited in [nothing, fewer, unguarded, other] {
        let error = target.apply(edited).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Conflict, "{error}");
    }

    let mut stranger = plan.clone();
    let State::Present(spec) = &mut stranger.desired.state else {
        panic!("{stranger:?}");
    };
    spec.name = name("other");
    let error = target.apply(stranger).await.unwrap_err();
    assert_eq!(error.kind().name(), "invalid_spec", "{error}");

    let mut unfit = plan.clone();
    let State::Present(spec) = &mut unfit.desired.state else {
        panic!("{unfit:?}");
    };
    spec.env.insert("LD_PRELOAD".to_owned(), "/x".to_owned());
    let error = target.apply(unfit).await.unwrap_err();
    assert_eq!(error.kind().name(), "invalid_spec", "{error}");

    assert_eq!(target.calls().total().writes, 0);
    let outcome = target.apply(plan).await.unwrap();
    assert_eq!(outcome.change, Change::Updated);
}

#[tokio::test]
async fn a_plan_for_elsewhere_or_for_somebody_else_is_refused_with_both_reasons() {
    let memory = Memory::new();
    let target = target(&memory);
    let absent = State::Absent { purge: false };
    let mut plan = target
        .plan(target.desired(name("hello"), absent))
        .await
        .unwrap();
    plan.target = "memory://other".to_owned();
    plan.desired.owner.installation = "prod".to_owned();
    let error = target.apply(plan).await.unwrap_err();
    let ErrorKind::InvalidSpec(found) = error.kind() else {
        panic!("{error}");
    };
    let fields: Vec<&str> = found.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["owner", "target"]);
}

#[tokio::test]
async fn bytes_that_the_spec_does_not_name_are_refused_before_any_call() {
    let memory = Memory::new();
    let target = target(&memory);
    target.capabilities().await.unwrap();
    target.calls().reset();
    let error = target.deploy(spec("hello", "one"), bytes("two")).await;
    assert_eq!(error.unwrap_err().kind().name(), "invalid_spec");
    assert_eq!(target.calls().total().sent(), 0);
}

#[tokio::test]
async fn traffic_is_split_and_a_deploy_during_it_stops_unless_told() {
    let memory = Memory::new();
    let target = target(&memory);
    let hello = name("hello");
    deployed(&target, "hello", "one").await;
    deployed(&target, "hello", "two").await;
    let versions = target.versions(&hello).await.unwrap();
    let (one, two) = (&versions[0].id, &versions[1].id);
    target.traffic(&hello, half_half(one, two)).await.unwrap();
    let again = target.traffic(&hello, half_half(one, two)).await.unwrap();
    assert_eq!(again.change, Change::Unchanged);

    target.calls().reset();
    let deploy = target.deploy(spec("hello", "three"), bytes("three")).await;
    let error = deploy.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Conflict);
    assert!(error.to_string().contains("50%"), "{error}");
    assert_eq!(target.calls().total().writes, 0);
    let force = Force {
        split: true,
        ..Force::default()
    };
    let forced = target.deploy_with(spec("hello", "three"), bytes("three"), force);
    let outcome = forced.await.unwrap();
    let seen = target.status(&hello).await.unwrap();
    assert_eq!(seen.split.unwrap().only(), outcome.version.as_ref());
}

#[tokio::test]
async fn rollback_goes_to_the_version_before_the_live_one() {
    let memory = Memory::new();
    let target = target(&memory);
    let hello = name("hello");
    for code in ["one", "two", "three"] {
        deployed(&target, "hello", code).await;
    }
    let versions = target.versions(&hello).await.unwrap();
    let ids: Vec<VersionId> = versions.into_iter().map(|version| version.id).collect();
    target.calls().reset();
    let outcome = target.rollback(&hello, None).await.unwrap();
    assert_eq!(outcome.change, Change::Updated);
    let total = target.calls().total();
    assert_eq!((total.reads, total.writes), (1, 1));
    let live = async || {
        let seen = target.status(&hello).await.unwrap();
        seen.split.unwrap().only().unwrap().clone()
    };
    assert_eq!(live().await, ids[1]);
    target.rollback(&hello, None).await.unwrap();
    assert_eq!(live().await, ids[0]);
    let error = target.rollback(&hello, None).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    target.rollback(&hello, Some(ids[2].clone())).await.unwrap();
    assert_eq!(live().await, ids[2]);
    // A canary is rolled back to the version it was tried against.
    let canary = Split::new([(ids[1].clone(), 90), (ids[2].clone(), 10)]).unwrap();
    target.traffic(&hello, canary).await.unwrap();
    target.rollback(&hello, None).await.unwrap();
    assert_eq!(live().await, ids[1]);
}

#[tokio::test]
async fn removing_twice_is_absent_and_waiting_events_stay_unless_purged() {
    let memory = Memory::new();
    let target = target(&memory);
    let hello = name("hello");
    deployed(&target, "hello", "one").await;
    let call = anyport_core::call::Call::new(hello.clone(), "{}");
    target.enqueue(call).await.unwrap();
    let desired = target.desired(hello.clone(), State::Absent { purge: false });
    let plan = target.plan(desired).await.unwrap();
    assert_eq!(plan.kept, ["waiting events"]);
    let removal = Removal::default().purge(true);
    let outcome = target.remove(&hello, removal).await.unwrap();
    assert_eq!(outcome.change, Change::Removed);
    assert_eq!(outcome.steps.len(), 2);
    assert_eq!((outcome.version, outcome.endpoint), (None, None));
    let again = target.remove(&hello, removal).await.unwrap();
    assert_eq!(again.change, Change::Absent);
}

#[tokio::test]
async fn many_are_deployed_a_few_at_a_time() {
    let memory = Memory::new();
    let target = target(&memory);
    let made = std::sync::atomic::AtomicUsize::new(0);
    let specs: Vec<_> = (0..40)
        .map(|n| {
            made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let content: std::sync::Arc<dyn anyport_core::content::Content> = bytes("one");
            (spec(&format!("fn-{n:03}"), "one"), content)
        })
        .collect();
    let results: Vec<_> = target.deploy_all(specs, 4).collect().await;
    assert_eq!(results.len(), 40);
    assert!(results.iter().all(|(_, result)| result.is_ok()));
    let most = memory
        .most_in_flight
        .load(std::sync::atomic::Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most}");
}

#[tokio::test]
async fn what_is_exported_can_be_deployed_elsewhere() {
    let (here, there) = (Memory::new(), Memory::new());
    let (from, to) = (target(&here), target(&there));
    from.deploy(spec("hello", "one"), bytes("one"))
        .await
        .unwrap();
    let out = from.export(&name("hello")).await.unwrap();
    assert_eq!(out.spec.fields(), spec("hello", "one").fields());
    assert_eq!(out.spec.artifact.size, 3);
    to.deploy(out.spec, out.content).await.unwrap();
    let again = to.deploy(spec("hello", "one"), bytes("one")).await.unwrap();
    assert_eq!(again.change, Change::Unchanged);
}
