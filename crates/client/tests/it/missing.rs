//! `NotFound` names the nearest function, and costs nothing where nothing is missing.

use anyport_client::{Removal, Target};
use anyport_core::call::{Call, LogQuery, Qualifier};
use anyport_core::error::{Error, ErrorKind};
use anyport_core::plan::{Split, VersionId};

use crate::memory::{Memory, everything};
use crate::script::{deployed, name, target};

async fn every_miss(target: &Target) -> Vec<Error> {
    let helo = name("helo");
    let split = Split::all_to(VersionId::new("v1"));
    vec![
        target.status(&helo).await.err().unwrap(),
        target
            .invoke(Call::new(helo.clone(), "{}"))
            .await
            .err()
            .unwrap(),
        target
            .enqueue(Call::new(helo.clone(), "{}"))
            .await
            .err()
            .unwrap(),
        target
            .logs(LogQuery::new(helo.clone()))
            .await
            .err()
            .unwrap(),
        target.dead_letters(&helo).await.err().unwrap(),
        target.versions(&helo).await.err().unwrap(),
        target.traffic(&helo, split).await.err().unwrap(),
        target.rollback(&helo, None).await.err().unwrap(),
        target.adopt(&helo).await.err().unwrap(),
        target.release(&helo).await.err().unwrap(),
    ]
}

#[tokio::test]
async fn every_verb_names_the_nearest() {
    let memory = Memory::new();
    let target = target(&memory);
    for error in every_miss(&target).await {
        assert_eq!(error.kind(), &ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("no function here"), "{error}");
    }
    // More than a page, so that the nearest is on a later one.
    for function in ["aaaa", "bbbb", "cccc", "hello", "zzzz"] {
        deployed(&target, function, "one").await;
    }
    for error in every_miss(&target).await {
        assert_eq!(error.kind(), &ErrorKind::NotFound, "{error}");
        let text = error.to_string();
        assert!(text.ends_with(": not found; did you mean hello?"), "{text}");
        assert_eq!(error.next_step(), Some("did you mean hello?"));
        assert_eq!(error.resource(), Some("helo"));
    }
}

#[tokio::test]
async fn what_is_stopped_is_told_in_words_and_names_the_call_to_machines_alone() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    target.canceller().cancel();
    let mut said = Vec::new();
    for error in every_miss(&target).await {
        assert_eq!(error.kind(), &ErrorKind::Cancelled, "{error}");
        let call = error.call().expect("the call is named");
        let text = error.to_string();
        assert!(!text.contains(call), "{call}: {text}");
        said.push(text);
    }
    let words = [
        "read the status of",
        "invoke",
        "enqueue an event for",
        "read the logs of",
        "read the dead letters of",
        "list the versions of",
        "split the traffic of",
        "roll back",
        "adopt",
        "release",
    ];
    assert_eq!(
        said,
        words.map(|verb| format!("cannot {verb} helo: cancelled"))
    );
}

#[tokio::test]
async fn what_is_missing_beside_the_function_is_not_explained_away() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let mut call = Call::new(name("hello"), "{}");
    call.qualifier = Qualifier::Version(VersionId::new("v99"));
    let error = target.invoke(call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(!error.to_string().contains("did you mean"), "{error}");
}

#[tokio::test]
async fn names_are_looked_up_only_after_a_miss_and_a_failing_look_hides_nothing() {
    let memory = std::sync::Arc::new(Memory::with(everything()));
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    target.invoke(Call::new(name("hello"), "{}")).await.unwrap();
    let absent = target.remove(&name("helo"), Removal::default()).await;
    assert!(absent.is_ok());
    assert!(!target.calls().by_operation().contains_key("List"));
    memory.fail_next(Error::new(ErrorKind::NotFound, "read the record of"));
    memory.fail_next(Error::new(ErrorKind::Forbidden, "list"));
    let error = target.invoke(Call::new(name("helo"), "{}")).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert_eq!(error.to_string(), "cannot invoke helo: not found");
}
