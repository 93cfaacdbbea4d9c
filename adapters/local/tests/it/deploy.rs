//! Deploying: created, unchanged, updated; versions, traffic, rollback; what cannot start.

use std::collections::BTreeMap;

use anyport_client::Target;
use anyport_core::error::ErrorKind;
use anyport_core::plan::{Change, Force, Split, VersionId};
use anyport_testkit::probe::START;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_created_called_left_alone_changed_and_removed() {
    let state = State::new();
    let target = state.open();
    let before = state.inventory();
    let created = deploy(&target, probe("hello", "one")).await.unwrap();
    assert_eq!(created.change, Change::Created);
    assert_eq!(created.version, Some(VersionId::new("1")));
    assert_eq!(who(&target, "hello").await.unwrap(), "one");

    let code = state.inventory();
    let code = code.iter().find(|path| path.ends_with("/bootstrap"));
    let code = format!("{}{}", state.path().display(), code.unwrap());
    let permissions = std::fs::metadata(code).unwrap().permissions();
    assert!(permissions.readonly(), "{permissions:?}");

    target.calls().reset();
    let again = deploy(&target, probe("hello", "one")).await.unwrap();
    assert_eq!(again.change, Change::Unchanged);
    assert_eq!(again.endpoint, created.endpoint);
    assert_eq!(sent(&target), BTreeMap::from([("GetFunction", 1)]));

    let changed = deploy(&target, probe("hello", "two")).await.unwrap();
    assert_eq!(changed.change, Change::Updated);
    assert_eq!(changed.version, Some(VersionId::new("2")));
    assert_eq!(changed.endpoint, created.endpoint);
    assert_eq!(who(&target, "hello").await.unwrap(), "two");
    assert!(
        !sent(&target).contains_key("PutArtifact"),
        "{:?}",
        sent(&target)
    );

    let removed = remove(&target, "hello").await.unwrap();
    assert_eq!(removed.change, Change::Removed);
    assert_eq!(state.inventory(), before);
    assert_eq!(kind(&who(&target, "hello").await.unwrap_err()), "not_found");
    assert_eq!(
        remove(&target, "hello").await.unwrap().change,
        Change::Absent
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn five_versions_are_kept_for_rollback_and_none_that_serves_goes() {
    let state = State::new();
    let target = state.open();
    for number in 1..=8 {
        // Two artifacts take turns: the code of a version that goes stays while another one runs it.
        let packed = packed(if number % 2 == 0 { "even" } else { "" });
        let spec = spec_of("hello", &packed).env("PROBE_VARIANT", number.to_string());
        target
            .deploy(spec.build().unwrap(), packed.content)
            .await
            .unwrap();
    }
    let versions = target.versions(&name("hello")).await.unwrap();
    let ids: Vec<&str> = versions.iter().map(|version| version.id.as_str()).collect();
    assert_eq!(ids, ["3", "4", "5", "6", "7", "8"]);
    assert_eq!(who_is(&target, "hello", "3").await.unwrap(), "3");
    let gone = who_is(&target, "hello", "2").await.unwrap_err();
    assert_eq!(kind(&gone), "not_found");

    let back = target.rollback(&name("hello"), None).await.unwrap();
    assert_eq!(back.version, Some(VersionId::new("7")));
    assert_eq!(who(&target, "hello").await.unwrap(), "7");
    target
        .rollback(&name("hello"), Some(VersionId::new("3")))
        .await
        .unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "3");
    // The oldest serves now: the next release must not take its place among those kept.
    deploy(&target, probe("hello", "9")).await.unwrap();
    target
        .rollback(&name("hello"), Some(VersionId::new("4")))
        .await
        .unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_split_by_shares_and_a_deploy_meanwhile_is_a_conflict() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    deploy(&target, probe("hello", "two")).await.unwrap();
    let split = Split::new([(VersionId::new("1"), 25), (VersionId::new("2"), 75)]).unwrap();
    target.traffic(&name("hello"), split.clone()).await.unwrap();
    let again = target.traffic(&name("hello"), split).await.unwrap();
    assert_eq!(again.change, Change::Unchanged);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        *counts
            .entry(who(&target, "hello").await.unwrap())
            .or_default() += 1;
    }
    let expected = BTreeMap::from([("one".to_owned(), 25), ("two".to_owned(), 75)]);
    assert_eq!(counts, expected);

    let meanwhile = deploy(&target, probe("hello", "three")).await.unwrap_err();
    assert_eq!(meanwhile.kind(), &ErrorKind::Conflict);
    let force = Force {
        split: true,
        ..Force::default()
    };
    let spec = probe("hello", "three").build().unwrap();
    target
        .deploy_with(spec, packed("").content, force)
        .await
        .unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "three");
    let unknown = Split::all_to(VersionId::new("77"));
    let unknown = target.traffic(&name("hello"), unknown).await.unwrap_err();
    assert_eq!(kind(&unknown), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_cannot_start_says_why_and_the_old_one_keeps_serving() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    let crash = probe("hello", "two").env(START, "exit");
    let error = deploy(&target, crash).await.unwrap_err();
    let ErrorKind::RolloutFailed(failure) = error.kind() else {
        panic!("{error}");
    };
    assert_eq!(failure.still_serving.as_deref(), Some("1"));
    assert_eq!(failure.reason, "Runtime.ExitError");
    assert!(
        error
            .to_string()
            .starts_with("cannot deploy hello: the release did not start: "),
        "{error}"
    );
    says_nothing_twice(&error);
    assert!(
        failure
            .logs
            .iter()
            .any(|line| line.contains("cannot start")),
        "{failure:?}"
    );
    assert_eq!(who(&target, "hello").await.unwrap(), "one");

    for (bytes, reason) in [
        (
            &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0\x01\0\0\0"[..],
            "Artifact.WrongArchitecture",
        ),
        (b"#!/no/such/interpreter\n", "Runtime.MissingInterpreter"),
    ] {
        let bad = packed_instead(bytes);
        let error = deploy_packed(&target, &bad).await.unwrap_err();
        let ErrorKind::RolloutFailed(failure) = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(failure.reason, reason, "{failure:?}");
    }
    // What was tried and failed is named, and the next deployment clears it.
    let seen = target.status(&name("hello")).await.unwrap();
    assert!(
        seen.residue
            .iter()
            .any(|it| it.contains("never put into service")),
        "{:?}",
        seen.residue
    );
    assert_eq!(seen.versions.len(), 1);
    let next = deploy(&target, probe("hello", "three")).await.unwrap();
    assert!(!next.found.is_empty());
    let seen = target.status(&name("hello")).await.unwrap();
    assert_eq!(seen.residue, Vec::<String>::new());
    assert_eq!(who(&target, "hello").await.unwrap(), "three");
}

async fn deploy_packed(target: &Target, packed: &Packed) -> anyport_core::Result<()> {
    let spec = spec_of("hello", packed).build().unwrap();
    target
        .deploy(spec, packed.content.clone())
        .await
        .map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_that_cannot_start_leaves_nothing_that_a_removal_does_not_take() {
    let state = State::new();
    let target = state.open();
    let before = state.inventory();
    let crash = probe("hello", "one").env(START, "exit");
    let error = deploy(&target, crash.clone()).await.unwrap_err();
    assert_eq!(kind(&error), "rollout_failed");
    assert_eq!(kind(&who(&target, "hello").await.unwrap_err()), "not_found");
    // Again and again: nothing piles up.
    let size = state.inventory().len();
    assert_eq!(
        kind(&deploy(&target, crash).await.unwrap_err()),
        "rollout_failed"
    );
    assert_eq!(state.inventory().len(), size);
    assert_eq!(
        remove(&target, "hello").await.unwrap().change,
        Change::Removed
    );
    assert_eq!(state.inventory(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_behind_our_back_shows_in_the_plan_and_is_put_right() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "one");
    let record = state.path().join("functions/hello.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("\"one\"", "\"edited\"")).unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "edited");
    let outcome = deploy(&target, probe("hello", "one")).await.unwrap();
    assert_eq!(outcome.change, Change::Updated);
    assert_eq!(who(&target, "hello").await.unwrap(), "one");

    // Code that is gone is an artifact that has to be uploaded again.
    std::fs::remove_dir_all(state.path().join("functions/hello/artifacts")).unwrap();
    let outcome = deploy(&target, probe("hello", "one")).await.unwrap();
    assert_eq!(outcome.change, Change::Updated);
    assert_eq!(who(&state.open(), "hello").await.unwrap(), "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_function_survive_a_rollback_and_protection_holds() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    deploy(&target, probe("hello", "two")).await.unwrap();
    deploy(&target, probe("hello", "two").protect(true))
        .await
        .unwrap();
    let spec = || probe("hello", "two").protect(false).build().unwrap();
    let refused = target.deploy(spec(), packed("").content).await.unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Forbidden);
    let refused = remove(&target, "hello").await.unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Forbidden);
    let force = Force {
        protected: true,
        ..Force::default()
    };
    let split = anyport_core::plan::State::Traffic(Split::all_to(VersionId::new("1")));
    let back = target.desired(name("hello"), split).with_force(force);
    target
        .apply(target.plan(back).await.unwrap())
        .await
        .unwrap();
    // The version that serves now was made without protection: it still holds.
    assert!(target.status(&name("hello")).await.unwrap().is_protected());
    target
        .deploy_with(spec(), packed("").content, force)
        .await
        .unwrap();
    remove(&target, "hello").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_ours_is_left_alone_until_it_is_adopted() {
    let state = State::new();
    let (target, other) = (
        state.open(),
        state.open_as("other", anyport_local::Config::new(state.path())),
    );
    deploy(&other, probe("hello", "theirs")).await.unwrap();
    std::fs::create_dir(state.path().join("functions/folder")).unwrap();
    for function in ["hello", "folder"] {
        let deployed = deploy(&target, probe(function, "ours")).await.unwrap_err();
        assert_eq!(kind(&deployed), "already_exists", "{deployed}");
        let removed = remove(&target, function).await.unwrap_err();
        assert_eq!(kind(&removed), "already_exists", "{removed}");
    }
    assert_eq!(who(&other, "hello").await.unwrap(), "theirs");
    let folder = target.adopt(&name("folder")).await.unwrap_err();
    assert_eq!(kind(&folder), "unsupported");

    other.release(&name("hello")).await.unwrap();
    let released = remove(&other, "hello").await.unwrap_err();
    assert_eq!(kind(&released), "already_exists", "{released}");
    assert_eq!(
        target.adopt(&name("hello")).await.unwrap().change,
        Change::Adopted
    );
    assert_eq!(who(&target, "hello").await.unwrap(), "theirs");
    let same = deploy(&target, probe("hello", "theirs")).await.unwrap();
    assert_eq!(same.change, Change::Unchanged);
    remove(&target, "hello").await.unwrap();
}
