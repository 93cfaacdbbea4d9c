//! Releases that cannot start, and switching under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyport_core::ErrorKind;
use anyport_core::capability::{StartCheck, Switch};
use anyport_core::error::RolloutFailure;
use anyport_core::outcome::Outcome;
use anyport_core::spec::{Arch, Name};
use anyport_testkit::probe::{LAST_WORDS, START};

use super::{Budget, Case, case};
use crate::scene::{Client, Scene};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("deploy/cannot-start", cannot_start),
    case!("deploy/not-a-program", not_a_program),
    case!("deploy/keeps-serving", keeps_serving),
    case!("deploy/switch-under-load", switch_under_load, Budget::LARGE),
];

/// The failure of a rollout, or what else came out.
fn rollout(result: anyport_core::Result<Outcome>) -> Result<RolloutFailure, Stop> {
    match result {
        Ok(outcome) => fail!(
            "a release that cannot start came out as {}",
            outcome.change.word()
        ),
        Err(error) => match error.kind() {
            ErrorKind::RolloutFailed(failure) => Ok(failure.clone()),
            _ => fail!(
                "a release that cannot start must be RolloutFailed, not {}",
                Chain(&error)
            ),
        },
    }
}

/// Where nobody checks the start, the deploy succeeds and the first call fails.
async fn first_call_fails(
    client: &Client,
    name: &Name,
    result: anyport_core::Result<Outcome>,
) -> Verdict {
    result?;
    client.settle().await;
    match client.variant(name).await {
        Ok(_) => fail!("a function that cannot start answered"),
        Err(error) => ensure!(
            matches!(error.kind(), ErrorKind::Function(failure) if !failure.handled),
            "a function that cannot start failed with {}",
            Chain(&error)
        ),
    }
    Ok(Pass::Holds)
}

/// A program that exits at the start fails the rollout, with its last words.
async fn cannot_start(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    for (tag, how) in [("exits", "exit"), ("panics", "panic")] {
        let name = scene.name(tag);
        let spec = client.spec(&name, "a").env(START, how).build()?;
        let result = client.put(spec).await;
        if client.caps().deploy.start_check == StartCheck::None {
            first_call_fails(&client, &name, result).await?;
            continue;
        }
        let failure = rollout(result)?;
        ensure!(!failure.reason.is_empty(), "the failure gives no reason");
        ensure!(
            failure.logs.iter().any(|line| line.contains(LAST_WORDS)),
            "the failure lacks the last log lines; it has {:?}",
            failure.logs
        );
        ensure!(
            failure.still_serving.is_none(),
            "nothing was there before, and {:?} is said to serve",
            failure.still_serving
        );
        ensure!(
            client.variant(&name).await.is_err(),
            "a release that cannot start serves"
        );
        // The same name can be used once it is repaired.
        client.deployed(&name, "repaired").await?;
        client.serves(&name, "repaired").await?;
    }
    Ok(Pass::Holds)
}

/// Bytes that are no program, and a program for another machine, fail the rollout or are refused before.
async fn not_a_program(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    for (tag, bytes) in [
        ("garbage", b"this is no program\n".to_vec()),
        ("other-arch", foreign_elf()),
    ] {
        let name = scene.name(tag);
        let packed = scene.package_instead(&bytes)?;
        let result = client
            .put_of(&packed, client.spec_of(&packed, &name, "a").build()?)
            .await;
        if client.caps().deploy.start_check == StartCheck::None && result.is_ok() {
            first_call_fails(&client, &name, result).await?;
            continue;
        }
        match result {
            Ok(outcome) => fail!("{tag}: came out as {}", outcome.change.word()),
            Err(error) => match error.kind() {
                ErrorKind::RolloutFailed(failure) => {
                    ensure!(
                        !failure.reason.is_empty() && !failure.message.is_empty(),
                        "{tag}: the failure gives no reason"
                    );
                }
                ErrorKind::InvalidSpec(_) => {}
                _ => fail!("{tag}: failed with {}", Chain(&error)),
            },
        }
    }
    Ok(Pass::Holds)
}

/// The head of an ELF program for the architecture that this machine is not.
fn foreign_elf() -> Vec<u8> {
    const X86_64: u8 = 0x3e;
    const ARM64: u8 = 0xb7;
    let machine = match Arch::of_this_machine() {
        Some(Arch::Arm64) => X86_64,
        _ => ARM64,
    };
    let mut head = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    head.resize(16, 0);
    head.extend([2, 0, machine, 0, 1, 0, 0, 0]);
    head.resize(64, 0);
    head[52] = 64;
    head
}

/// A release that cannot start leaves the one before in its place.
async fn keeps_serving(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("keeps");
    let first = client.deployed(&name, "a").await?;
    let spec = client.spec(&name, "b").env(START, "exit").build()?;
    let result = client.put(spec.clone()).await;
    if client.caps().deploy.start_check == StartCheck::None {
        return first_call_fails(&client, &name, result).await;
    }
    let failure = rollout(result)?;
    client.settle().await;
    if let Some(version) = &failure.still_serving {
        ensure!(
            first.version.as_ref().is_none_or(|v| v.as_str() == version),
            "version {:?} was live and {version} is said to serve",
            first.version
        );
        for _ in 0..3 {
            client.serves(&name, "a").await?;
        }
    }
    // It was not a passing trouble: the same again fails the same way, and does not pretend to be done.
    rollout(client.put(spec).await)?;
    client.deployed(&name, "c").await?;
    client.serves(&name, "c").await?;
    Ok(Pass::Holds)
}

/// Not one call fails while versions are switched, where that is declared.
async fn switch_under_load(scene: &Scene) -> Verdict {
    let client = Arc::new(scene.client().await?);
    let name = scene.name("switch");
    client.deployed(&name, "v0").await?;
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for _ in 0..2 {
        let caller = Arc::new(scene.client().await?);
        let (name, stop, answered) = (name.clone(), Arc::clone(&stop), Arc::clone(&answered));
        callers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                caller.variant(&name).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), anyport_core::Error>(())
        }));
    }
    let mut switched = Ok(());
    for round in 1..=3 {
        switched = client
            .deployed(&name, &format!("v{round}"))
            .await
            .map(|_| ());
        let from = answered.load(Ordering::Relaxed);
        let more = crate::scene::until("calls to go on", async || {
            let gone_on = answered.load(Ordering::Relaxed) >= from + 4;
            Ok(gone_on || callers.iter().any(tokio::task::JoinHandle::is_finished))
        })
        .await;
        if switched.is_err() || more.is_err() {
            switched = switched.and(more);
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut failed = Vec::new();
    for caller in callers {
        match caller.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.push(Chain(&error).to_string()),
            Err(error) => failed.push(error.to_string()),
        }
    }
    switched?;
    if client.caps().deploy.switch == Switch::ZeroDowntime {
        ensure!(
            failed.is_empty(),
            "a call failed during a switch, after {} answers: {}",
            answered.load(Ordering::Relaxed),
            failed.join("; ")
        );
    }
    client.serves(&name, "v3").await?;
    Ok(Pass::Holds)
}
