//! Calls that fail, take too long, are repeated, or are given up.

use std::time::Duration;

use anyport_client::InvokeOptions;
use anyport_core::ErrorKind;
use anyport_core::error::{FunctionFailure, TimedOut};
use anyport_core::spec::Name;
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};

use super::{Case, case};
use crate::leaks;
use crate::scene::{Client, Scene, answer, fitting, with_lag};
use crate::seam::{Disturbance, Recorded};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("invoke/returned-error", returned_error),
    case!("invoke/crash", crash),
    case!("invoke/function-timeout", function_timeout),
    case!("invoke/caller-timeout", caller_timeout),
    case!("invoke/unknown", unknown),
    case!("invoke/no-second-run", no_second_run),
    case!("invoke/retry-when-safe", retry_when_safe),
    case!("invoke/dropped", dropped),
];

/// How soon after a limit the caller must be told.
const GRACE: Duration = Duration::from_secs(1);
/// How many timers in a row may be as late as the latest one that was measured.
const BUSY: u32 = 4;

/// The function's own failure, or what else came out.
async fn failure(client: &Client, name: &Name, command: &Command) -> Result<FunctionFailure, Stop> {
    match client.ask(name, command).await {
        Ok(answer) => fail!("a function that fails answered {answer}"),
        Err(error) => match error.kind() {
            ErrorKind::Function(failure) => {
                ensure!(
                    error.user_code_may_have_run(),
                    "the function failed, and the error says that it has not run"
                );
                Ok(failure.clone())
            }
            _ => fail!(
                "a function's failure must be Function, not {}",
                Chain(&error)
            ),
        },
    }
}

/// An error that the handler returns arrives with its type and message.
async fn returned_error(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("error");
    client.deployed(&name, "a").await?;
    let fails = Command::Fail {
        kind: "CardDeclined".to_owned(),
        message: "no funds: \"42\" \u{20ac}".to_owned(),
    };
    for _ in 0..2 {
        let failure = failure(&client, &name, &fails).await?;
        ensure!(failure.handled, "an error that was returned is not handled");
        ensure!(
            failure.error_type.contains("CardDeclined"),
            "the type CardDeclined arrived as {}",
            failure.error_type
        );
        ensure!(
            failure.message == "no funds: \"42\" \u{20ac}",
            "the message arrived as {:?}",
            failure.message
        );
        client.serves(&name, "a").await?;
    }
    Ok(Pass::Holds)
}

/// A panic or an exit is unhandled, with the last words, and the next call works.
async fn crash(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("crash");
    client.deployed(&name, "a").await?;
    for (what, message, command) in [
        (
            "a panic",
            "about to panic",
            Command::Panic {
                message: "about to panic".to_owned(),
            },
        ),
        (
            "an exit",
            "about to exit",
            Command::Exit {
                message: "about to exit".to_owned(),
            },
        ),
    ] {
        let failure = failure(&client, &name, &command).await?;
        ensure!(!failure.handled, "{what} counts as handled");
        ensure!(
            !failure.error_type.is_empty() && !failure.message.is_empty(),
            "{what} has type {:?} and message {:?}",
            failure.error_type,
            failure.message
        );
        ensure!(
            failure.logs.iter().any(|line| line.contains(message)),
            "{what} lacks its last log lines; it has {:?}",
            failure.logs
        );
        client.serves(&name, "a").await?;
    }
    Ok(Pass::Holds)
}

/// At its limit a function is given up within a second, and stops where that is declared.
async fn function_timeout(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("timeout");
    let limit = Duration::from_millis(fitting(&client.caps().resources.timeout_ms, 1_000));
    client
        .put(client.spec(&name, "a").timeout(limit).build()?)
        .await?;
    client.settle().await;
    // Also starts an instance, whose start is not part of the limit.
    let context = client.ask(&name, &Command::Context).await?;
    let left = context["remaining_ms"].as_u64().map(Duration::from_millis);
    ensure!(
        left.is_some_and(|left| left <= limit && !left.is_zero()),
        "with a limit of {limit:?} the function saw {left:?} left"
    );
    let mark = format!("tick-{:x}", scene.seed());
    let sleeps = Command::Sleep {
        ms: u64::try_from((limit * 10).as_millis()).unwrap_or(u64::MAX),
        mark: mark.clone(),
    };
    let (result, took, lag) = with_lag(client.ask(&name, &sleeps)).await;
    let Err(error) = result else {
        fail!("a function answered past its limit of {limit:?}");
    };
    ensure!(
        *error.kind() == ErrorKind::Timeout(TimedOut::Function { limit }),
        "a function past its limit of {limit:?} must be Timeout, not {}",
        Chain(&error)
    );
    ensure!(
        error.user_code_may_have_run(),
        "the function timed out, and the error says that it has not run"
    );
    ensure!(
        took >= limit && took <= limit + GRACE + lag * BUSY,
        "a function with a limit of {limit:?} was given up after {took:?}"
    );
    if client.caps().invoke.stops_code
        && let Some(logs) = client.caps().logs.get()
    {
        tokio::time::sleep(logs.delay).await;
        let mut count = 0;
        crate::scene::until("the function's lines to be in its logs", async || {
            count = client.lines(&name, &mark).await?.len();
            Ok(count > 0)
        })
        .await?;
        tokio::time::sleep(Duration::from_millis(200) + logs.delay).await;
        let later = client.lines(&name, &mark).await?.len();
        ensure!(
            later == count,
            "the code went on after its limit: {} more lines",
            later - count
        );
    }
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// The caller's own time limit ends the wait.
async fn caller_timeout(scene: &Scene) -> Verdict {
    const LIMIT: Duration = Duration::from_millis(200);
    let client = scene.client().await?;
    let name = scene.name("patience");
    client.deployed(&name, "a").await?;
    client.variant(&name).await?;
    let sleeps = Command::Sleep {
        ms: 5_000,
        mark: String::new(),
    };
    let options = InvokeOptions::default().timeout(LIMIT);
    let waiting = client.invoke_with(client.call(&name, &sleeps), options);
    let (result, took, lag) = with_lag(waiting).await;
    match result {
        Ok(_) => fail!("a call with a limit of {LIMIT:?} answered after {took:?}"),
        Err(error) => ensure!(
            *error.kind() == ErrorKind::Timeout(TimedOut::Caller) && error.user_code_may_have_run(),
            "a caller's limit must be Timeout and may have run, not {}",
            Chain(&error)
        ),
    }
    ensure!(
        took <= LIMIT + GRACE + lag * BUSY,
        "a call with a limit of {LIMIT:?} was given up after {took:?}"
    );
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// A function that is not there is not found, and the nearest name is said.
async fn unknown(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let there = scene.name("thumbnails");
    client.deployed(&there, "a").await?;
    let asked = scene.name("thumbnale");
    for result in [
        client.variant(&asked).await.map(|_| ()),
        client.status(&asked).await.map(|_| ()),
    ] {
        match result {
            Ok(()) => fail!("a function that is not there was found"),
            Err(error) => {
                ensure!(
                    *error.kind() == ErrorKind::NotFound,
                    "a function that is not there must be NotFound, not {}",
                    Chain(&error)
                );
                ensure!(
                    error.to_string().contains(there.as_str()),
                    "the nearest name, {there}, is not in: {error}"
                );
                ensure!(
                    !error.user_code_may_have_run(),
                    "a function that is not there is said to have run maybe"
                );
            }
        }
    }
    Ok(Pass::Holds)
}

/// How many calls of user code there were since `from`.
fn runs(client: &Client, from: usize) -> usize {
    let calls = client.script().since(from);
    calls.iter().filter(|call| Recorded::is_run(call)).count()
}

/// A lost reply is not asked for again: the code may have run.
async fn no_second_run(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("once");
    client.deployed(&name, "a").await?;
    let from = client.script().count();
    client.script().disturb(Disturbance::LoseRunReplies(1));
    let Err(error) = client.ask(&name, &Command::Count).await else {
        fail!("a call whose reply was lost was answered");
    };
    ensure!(
        error.user_code_may_have_run(),
        "a reply was lost, and the error says that nothing has run: {}",
        Chain(&error)
    );
    let sent = runs(&client, from);
    ensure!(
        sent == 1,
        "a call whose reply was lost was sent {sent} times"
    );
    client.script().disturb(Disturbance::None);
    let counted = client.ask(&name, &Command::Count).await?;
    ensure!(
        counted["calls"].as_u64().is_some_and(|calls| calls <= 2),
        "two calls were made and the function counts {}",
        counted["calls"]
    );
    Ok(Pass::Holds)
}

/// A key, or the caller's word, makes it safe to ask again.
async fn retry_when_safe(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("again");
    client.deployed(&name, "a").await?;
    let by_word = InvokeOptions::default().retry_if_may_have_run(true);
    let mut ways = vec![("the caller's word", None, by_word)];
    if client.caps().invoke.idempotency_key.is_supported() {
        let key = Some(format!("again-{:x}", scene.seed()));
        ways.push(("a key", key, InvokeOptions::default()));
    }
    for (what, key, options) in ways {
        let from = client.script().count();
        client.script().disturb(Disturbance::LoseRunReplies(1));
        let mut call = client.call(&name, &Command::Who);
        call.idempotency_key = key;
        let reply = client.invoke_with(call, options).await?;
        let who = answer(reply).await?;
        ensure!(
            who["variant"].as_str() == Some("a"),
            "with {what} the second answer is {who}"
        );
        let sent = runs(&client, from);
        ensure!(sent == 2, "with {what} the call was sent {sent} times");
    }
    Ok(Pass::Holds)
}

/// Calls that are given up leave nothing behind, whenever that happens.
async fn dropped(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("given-up");
    let one = fitting(&client.caps().resources.max_instances, 1);
    let spec = client
        .spec(&name, "a")
        .max_instances(u32::try_from(one).unwrap_or(1))
        .build()?;
    client.put(spec).await?;
    client.settle().await;
    client.serves(&name, "a").await?;
    let before = leaks::Counts::settled()
        .await
        .with_pooled(scene.site().pooled());
    let sleeps = Command::Sleep {
        ms: 60,
        mark: String::new(),
    };
    for wait in [0, 1, 5, 20, 40] {
        let invoking = std::pin::pin!(client.ask(&name, &sleeps));
        let pause = std::pin::pin!(tokio::time::sleep(Duration::from_millis(wait)));
        if let Either::Left((Err(error), _)) = select(invoking, pause).await {
            return Err(error.into());
        }
    }
    // A streamed answer that is not read to its end.
    let streams = Command::Stream {
        pieces: 50,
        size: 1024,
        pause_ms: 10,
    };
    settled(&client, &name).await?;
    let reply = client
        .invoke(client.call(&name, &streams).streaming())
        .await?;
    if let Some(piece) = reply.body.into_stream().next().await {
        piece?;
    }
    settled(&client, &name).await?;
    before.return_soon().await.map_err(Stop::Failed)?;
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// Waits until the single instance takes calls again: one that was given up may be finishing.
async fn settled(client: &Client, name: &Name) -> Result<(), Stop> {
    crate::scene::until("a call after one that was given up", async || match client
        .variant(name)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::Throttled { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    })
    .await
}
