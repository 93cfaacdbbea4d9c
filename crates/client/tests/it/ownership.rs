//! Whose it is and whether it is protected: checked for an adapter that checks nothing itself.

use std::sync::Arc;

use anyport_client::{Removal, Target};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::{Change, Force, Split, VersionId};

use crate::memory::{Function, Memory, everything};
use crate::script::{Cut, bytes, cut_target, deployed, function, name, spec, target};

fn careless() -> Arc<Memory> {
    let mut memory = Memory::with(everything());
    memory.careless = true;
    Arc::new(memory)
}

async fn every_change(target: &Target) -> Vec<Result<Change>> {
    let hello = name("hello");
    let change = |outcome: Result<anyport_core::outcome::Outcome>| outcome.map(|it| it.change);
    vec![
        change(target.deploy(spec("hello", "other"), bytes("other")).await),
        change(target.remove(&hello, Removal::default()).await),
        change(target.rollback(&hello, None).await),
    ]
}

fn is_taken(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists { owner } if owner == "terraform")
}

#[tokio::test]
async fn what_others_made_is_left_alone_until_it_is_adopted() {
    for memory in [Memory::new(), careless()] {
        let target = target(&memory);
        let hello = name("hello");
        deployed(&target, "hello", "one").await;
        deployed(&target, "hello", "two").await;
        let insert = |function| {
            let mut world = memory.world.lock().unwrap();
            world.functions.get_mut(&hello).unwrap().owned = function;
        };
        insert(Function::foreign("terraform").owned);
        target.calls().reset();
        for result in every_change(&target).await {
            let error = result.unwrap_err();
            assert!(is_taken(&error), "{error}");
            assert_eq!(error.resource(), Some("hello"));
        }
        let error = target.release(&hello).await.unwrap_err();
        assert!(is_taken(&error), "{error}");
        assert_eq!(target.calls().total().writes, 0);

        let adopted = target.adopt(&hello).await.unwrap();
        assert_eq!(adopted.change, Change::Adopted);
        let again = target.adopt(&hello).await.unwrap();
        assert_eq!(again.change, Change::Unchanged);
        assert_eq!(target.calls().total().writes, 1);
        deployed(&target, "hello", "mine").await;
        let released = target.release(&hello).await.unwrap();
        assert_eq!(released.change, Change::Released);
        assert!(target.remove(&hello, Removal::default()).await.is_err());
    }
}

#[tokio::test]
async fn a_plan_is_not_applied_to_what_was_taken_over_since() {
    let memory = careless();
    let target = target(&memory);
    let hello = name("hello");
    deployed(&target, "hello", "one").await;
    let absent = anyport_core::plan::State::Absent { purge: false };
    let plan = target.plan(target.desired(hello.clone(), absent));
    let plan = plan.await.unwrap();
    // Behind our back, and without a new revision.
    let foreign = Function::foreign("terraform").owned;
    memory
        .world
        .lock()
        .unwrap()
        .functions
        .get_mut(&hello)
        .unwrap()
        .owned = foreign;
    let error = target.apply(plan).await.unwrap_err();
    assert!(is_taken(&error), "{error}");
}

#[tokio::test]
async fn what_is_protected_is_changed_only_by_force() {
    let memory = careless();
    let target = target(&memory);
    let hello = name("hello");
    let protected = |code: &str| function("hello", code).protect(true).build().unwrap();
    for code in ["one", "two"] {
        let force = Force {
            protected: true,
            ..Force::default()
        };
        target
            .deploy_with(protected(code), bytes(code), force)
            .await
            .unwrap();
    }
    let again = target.deploy(protected("two"), bytes("two")).await;
    assert_eq!(again.unwrap().change, Change::Unchanged);
    target.calls().reset();
    for result in every_change(&target).await {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Forbidden, "{error}");
        assert!(error.to_string().contains("protected"), "{error}");
    }
    assert_eq!(target.calls().total().writes, 0);
    let force = Force {
        protected: true,
        ..Force::default()
    };
    target.rollback_with(&hello, None, force).await.unwrap();
    let newest = target.versions(&hello).await.unwrap().pop().unwrap().id;
    let split = Split::all_to(newest);
    target.traffic_with(&hello, split, force).await.unwrap();
    let removal = Removal::default().force(true);
    let outcome = target.remove(&hello, removal).await.unwrap();
    assert_eq!(outcome.change, Change::Removed);
}

#[tokio::test]
async fn a_version_that_is_not_there_is_named_with_those_that_are() {
    let memory = careless();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let split = Split::all_to(VersionId::new("v99"));
    let error = target.traffic(&name("hello"), split).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(error.to_string().contains("hello version v99"), "{error}");
    assert!(error.to_string().contains("the versions are v"), "{error}");
}

#[tokio::test]
async fn clearing_what_an_interrupted_run_left_is_no_change_of_what_is_protected() {
    let memory = careless();
    let target = target(&memory);
    let protected = |code: &str| function("hello", code).protect(true).build().unwrap();
    target.deploy(protected("one"), bytes("one")).await.unwrap();
    // Discover, get, upload, publish; cut before route.
    let (cut_off, _) = cut_target(&memory, Some(Cut::Before(5)));
    let force = Force {
        protected: true,
        ..Force::default()
    };
    let cut = cut_off.deploy_with(protected("two"), bytes("two"), force);
    assert!(cut.await.is_err());
    let seen = target.status(&name("hello")).await.unwrap();
    assert_eq!(seen.residue.len(), 1);
    let again = target.deploy(protected("one"), bytes("one")).await;
    assert_eq!(again.unwrap().found, seen.residue);
    let seen = target.status(&name("hello")).await.unwrap();
    assert!(seen.residue.is_empty());
}
