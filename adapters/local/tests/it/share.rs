//! Several clients on one state folder, as several processes are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyport_core::plan::Change;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_seen_by_every_client_as_soon_as_it_returned() {
    let state = State::new();
    let (one, two) = (state.open(), state.open());
    for round in 0..6 {
        let (deployer, caller) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        let variant = format!("round-{round}");
        deploy(deployer, probe("hello", &variant)).await.unwrap();
        assert_eq!(who(caller, "hello").await.unwrap(), variant);
        assert_eq!(who(deployer, "hello").await.unwrap(), variant);
    }
    remove(&one, "hello").await.unwrap();
    assert_eq!(kind(&who(&two, "hello").await.unwrap_err()), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_one_call_fails_while_versions_are_switched_by_another_client() {
    let state = State::new();
    let (deployer, caller) = (state.open(), state.open());
    deploy(&deployer, probe("hello", "0")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicU64::new(0));
    let newest = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for number in 0..4 {
        let target = if number % 2 == 0 {
            caller.clone()
        } else {
            deployer.clone()
        };
        let (stop, calls, newest) = (stop.clone(), calls.clone(), newest.clone());
        callers.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let expected = newest.load(Ordering::SeqCst);
                let answer = who(&target, "hello").await;
                let version: u64 = answer.unwrap().parse().unwrap();
                // Never older than what was deployed when the call began.
                assert!(version >= expected, "{version} after {expected}");
                calls.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    for version in 1..=8 {
        // Some calls of each version before the next one comes.
        let reached = calls.load(Ordering::SeqCst) + 20;
        until("calls go on", || async {
            calls.load(Ordering::SeqCst) >= reached
        })
        .await;
        deploy(&deployer, probe("hello", &version.to_string()))
            .await
            .unwrap();
        newest.store(version, Ordering::SeqCst);
    }
    stop.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_clients_that_race_for_a_name_each_wins_or_is_told() {
    let state = State::new();
    for round in 0..3 {
        let clients: Vec<_> = (0..4).map(|_| state.open()).collect();
        let racing = clients.iter().enumerate().map(|(number, target)| {
            let variant = format!("{round}-{number}");
            async move {
                (
                    variant.clone(),
                    deploy(target, probe("hello", &variant)).await,
                )
            }
        });
        let outcomes = futures_util::future::join_all(racing).await;
        let mut winners = Vec::new();
        for (variant, outcome) in outcomes {
            match outcome {
                Ok(_) => winners.push(variant),
                Err(error) => {
                    let lost = matches!(kind(&error), "conflict" | "incomplete");
                    assert!(lost, "{error}");
                }
            }
        }
        let last = state.open();
        if winners.is_empty() {
            // All of them gave way: then the next one gets through.
            deploy(&last, probe("hello", "alone")).await.unwrap();
            winners.push("alone".to_owned());
        }
        let serving = who(&last, "hello").await.unwrap();
        assert!(winners.contains(&serving), "{serving} of {winners:?}");
    }
    let last = state.open();
    assert_eq!(
        remove(&last, "hello").await.unwrap().change,
        Change::Removed
    );
    let left = state.inventory();
    assert_eq!(left, Vec::<String>::new());
}
