//! Plans that stop half-way: what is said, and how the next run goes on.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use anyport_client::{Event, Halted, Removal, Target};
use anyport_core::error::{Error, ErrorKind, RolloutFailure};
use anyport_core::plan::Change;

use crate::memory::Memory;
use crate::script::{Cut, bytes, cut_target, deployed, name, options, spec, target};

/// A target and everything its progress said, one word an event.
fn watched(memory: &Arc<Memory>) -> (Target, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let sink = said.clone();
    let progress = move |event: &Event<'_>| {
        sink.lock().unwrap().push(match event {
            Event::Planned(plan) => format!("planned {}", plan.steps.len()),
            Event::Started(_, step) => format!("started {}", step.number),
            Event::Finished { step, .. } => format!("finished {}", step.number),
            Event::Failed { step, state, .. } => {
                format!("failed {}: {state}", step.number)
            }
            Event::Abandoned { state, .. } => format!("abandoned: {state}"),
            _ => "something new".to_owned(),
        });
    };
    let target = Target::new(memory.clone(), options().with_progress(Arc::new(progress)));
    (target, said)
}

/// The call of a first deploy that fails: discover and get come before, upload, create, publish and route follow.
const CREATE: u64 = 4;

#[tokio::test]
async fn progress_tells_of_every_step() {
    let memory = Memory::new();
    let (target, said) = watched(&memory);
    deployed(&target, "hello", "one").await;
    let said = said.lock().unwrap().join(", ");
    assert_eq!(
        said,
        "planned 4, started 1, finished 1, started 2, finished 2, started 3, finished 3, started 4, finished 4"
    );
}

/// A target on which step `number` of any plan fails with `error`.
fn failing_at(
    memory: &Arc<Memory>,
    number: u32,
    error: impl Fn() -> Error + Send + Sync + 'static,
) -> Target {
    let inject = memory.clone();
    let progress = move |event: &Event<'_>| {
        if matches!(event, Event::Started(_, step) if step.number == number) {
            inject.fail_next(error());
        }
    };
    Target::new(memory.clone(), options().with_progress(Arc::new(progress)))
}

#[tokio::test]
async fn while_nothing_is_done_the_error_of_the_step_is_returned_as_it_is() {
    let memory = Memory::new();
    let target = failing_at(&memory, 1, || Error::new(ErrorKind::QuotaExceeded, "put"));
    let deploy = target.deploy(spec("hello", "two"), bytes("two"));
    let error = deploy.await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::QuotaExceeded);
    assert_eq!(Halted::of(&error), None);
    assert_eq!(error.resource(), Some("hello"));
}

#[tokio::test]
async fn once_a_step_is_done_the_error_is_incomplete_and_the_cause_its_source() {
    let memory = Memory::new();
    let (target, _) = cut_target(&memory, Some(Cut::Before(CREATE)));
    let error = target
        .deploy(spec("hello", "one"), bytes("one"))
        .await
        .unwrap_err();
    assert_eq!(error.kind().name(), "incomplete");
    assert_eq!(error.resource(), Some("hello"));
    let state = Halted::of(&error).unwrap();
    assert_eq!(state.done.len(), 1);
    assert_eq!(
        state.left,
        [
            "create the function",
            "publish a new version",
            "send all traffic to the new version"
        ]
    );
    let cause = std::error::Error::source(&error).unwrap();
    let cause = cause.downcast_ref::<Error>().unwrap();
    assert_eq!(cause.kind(), &ErrorKind::Cancelled);
    assert!(!error.to_string().contains(&cause.to_string()));
}

#[tokio::test]
async fn a_lost_reply_says_that_the_step_may_have_happened() {
    let memory = Memory::new();
    let (target, _) = cut_target(&memory, Some(Cut::After(CREATE)));
    let error = target
        .deploy(spec("hello", "one"), bytes("one"))
        .await
        .unwrap_err();
    let state = Halted::of(&error).unwrap();
    assert_eq!(state.left[0], "create the function (may have happened)");
    assert!(error.user_code_may_have_run());
}

#[tokio::test]
async fn a_rollout_that_fails_keeps_its_kind_and_names_the_state_too() {
    let memory = Memory::new();
    let target = failing_at(&memory, 3, || {
        let failure = RolloutFailure::new("exit", "it exited with 1");
        Error::new(ErrorKind::RolloutFailed(failure), "start")
    });
    let deploy = target.deploy(spec("hello", "one"), bytes("one"));
    let error = deploy.await.unwrap_err();
    assert_eq!(error.kind().name(), "rollout_failed");
    let state = Halted::of(&error).unwrap();
    assert_eq!((state.done.len(), state.left.len()), (2, 2));
}

async fn poll_once<F: Future>(mut work: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await
}

#[tokio::test]
async fn a_dropped_verb_says_how_far_it_came() {
    let memory = Memory::new();
    let (target, said) = watched(&memory);
    let mut polls = 0;
    loop {
        // Dropped at every await, one after the other.
        let before = said.lock().unwrap().len();
        let done = {
            let deploy = target.deploy(spec("hello", "one"), bytes("one"));
            let mut deploy = std::pin::pin!(deploy);
            let mut done = false;
            for _ in 0..=polls {
                if let Poll::Ready(result) = poll_once(deploy.as_mut()).await {
                    result.unwrap();
                    done = true;
                    break;
                }
            }
            done
        };
        let said = said.lock().unwrap();
        let this_time = &said[before..];
        if done {
            assert!(!this_time.iter().any(|word| word.starts_with("abandoned")));
            break;
        }
        let started = this_time.iter().any(|word| word.starts_with("started"));
        let last = this_time.last().map_or("", String::as_str);
        assert_eq!(started, last.starts_with("abandoned"), "{this_time:?}");
        assert_eq!(started, last.contains("(may have happened)"));
        drop(said);
        assert_eq!(
            memory.in_flight.load(std::sync::atomic::Ordering::SeqCst),
            0
        );
        polls += 1;
    }
    assert!(polls >= 4, "{polls}");
}

#[tokio::test]
async fn after_a_cut_anywhere_the_same_another_or_a_removal_converges() {
    // A run without a cut says how many calls there are.
    let (whole, script) = cut_target(&Memory::new(), None);
    deployed(&whole, "hello", "one").await;
    let calls = script.sent();
    assert_eq!(calls, 6);
    for (first, cut) in (1..=calls).flat_map(|k| {
        [Cut::Before(k), Cut::After(k)]
            .into_iter()
            .flat_map(|cut| [(true, cut), (false, cut)])
    }) {
        for next in ["same", "other", "remove"] {
            let memory = Memory::new();
            let honest = target(&memory);
            if !first {
                deployed(&honest, "hello", "zero").await;
            }
            let (cut_off, _) = cut_target(&memory, Some(cut));
            let result = cut_off.deploy(spec("hello", "one"), bytes("one")).await;
            // A first deploy makes all the calls; another one needs no `create`.
            let reached = first || !matches!(cut, Cut::Before(6) | Cut::After(6));
            assert_eq!(result.is_err(), reached, "{cut:?}");
            if next == "remove" {
                let removal = Removal::default();
                honest.remove(&name("hello"), removal).await.unwrap();
                assert!(memory.world.lock().unwrap().functions.is_empty());
                continue;
            }
            let code = if next == "same" { "one" } else { "two" };
            let residue = match honest.status(&name("hello")).await {
                Ok(seen) => seen.residue,
                Err(_) => Vec::new(),
            };
            let outcome = honest.deploy(spec("hello", code), bytes(code)).await;
            assert_eq!(outcome.unwrap().found, residue, "{cut:?}");
            let seen = honest.status(&name("hello")).await.unwrap();
            assert_eq!(seen.fields, spec("hello", code).fields(), "{cut:?}");
            assert!(seen.residue.is_empty(), "{cut:?}: {:?}", seen.residue);
            let most = 1 + usize::from(!first) + usize::from(next == "other");
            assert!(seen.versions.len() <= most, "{cut:?}: {:?}", seen.versions);
            let again = honest.deploy(spec("hello", code), bytes(code)).await;
            assert_eq!(again.unwrap().change, Change::Unchanged, "{cut:?}");
        }
    }
}
