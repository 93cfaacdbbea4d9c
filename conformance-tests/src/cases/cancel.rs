//! Verbs that are cancelled or dropped half-way.

use std::sync::{Arc, Mutex, PoisonError};

use anyport_client::{Event, Halted};
use anyport_core::ErrorKind;
use anyport_core::plan::Change;
use futures_util::future::{Either, select};

use super::{Budget, Case, case};
use crate::leaks;
use crate::scene::{Scene, owner};
use crate::seam::Disturbance;
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, ensure_matches};

pub(super) const CASES: &[Case] = &[
    case!("cut/cancelled", cancelled, Budget::LARGE),
    case!("cut/dropped", dropped, Budget::LARGE),
    case!("deploy/dropped", deploy_dropped, Budget::LARGE),
];

const MOST_CALLS: usize = 60;

/// A deploy that is told to stop says how far it came, and can be taken up again.
async fn cancelled(scene: &Scene) -> Verdict {
    let survivor = scene.client().await?;
    for k in 1..=MOST_CALLS {
        let name = scene.name(&format!("cancel-{k}"));
        let victim = scene.client().await?;
        let spec = victim.spec(&name, "a").build()?;
        let from = victim.script().count();
        victim.script().disturb(Disturbance::CancelAt(k));
        let result = victim.put(spec.clone()).await;
        let wrote = !victim.writes_since(from).is_empty();
        match result {
            // The call under way was the last one, and was done before it could be stopped.
            Ok(_) => {
                if !victim.script().has_struck() {
                    return Ok(Pass::Holds);
                }
            }
            Err(error) => {
                ensure_matches!(
                    error.kind(),
                    ErrorKind::Cancelled | ErrorKind::Incomplete { .. },
                    format!("cancelled at call {k}: {}", Chain(&error))
                );
                let state = Halted::of(&error);
                ensure!(
                    state.is_some() || !wrote,
                    "cancelled at call {k} after a write, the error does not name the state: {}",
                    Chain(&error)
                );
                if let Some(state) = state {
                    ensure!(
                        !state.left.is_empty(),
                        "cancelled at call {k}, and nothing is said to be left"
                    );
                }
            }
        }
        drop(victim);
        survivor.taken_up(&spec).await?;
        survivor.serves(&name, "a").await?;
        survivor.gone(&name).await?;
    }
    Err(Stop::Failed("a deploy makes no end of calls".to_owned()))
}

/// Steps that were started and finished, and what was told on the way out.
#[derive(Default)]
struct Told {
    steps: usize,
    started: usize,
    finished: usize,
    abandoned: Vec<Halted>,
}

/// A deploy whose future is dropped names the state to who watches, and can be taken up again.
async fn dropped(scene: &Scene) -> Verdict {
    let survivor = scene.client().await?;
    for k in 1..=MOST_CALLS {
        let name = scene.name(&format!("drop-{k}"));
        let told = Arc::new(Mutex::new(Told::default()));
        let watch = Arc::clone(&told);
        let progress = move |event: &Event<'_>| {
            let mut told = watch.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Planned(plan) => told.steps = plan.steps.len(),
                Event::Started(..) => told.started += 1,
                Event::Finished { .. } | Event::Failed { .. } => told.finished += 1,
                Event::Abandoned { state, .. } => told.abandoned.push((*state).clone()),
                _ => {}
            }
        };
        let victim = scene.client_as(owner(), Some(Arc::new(progress))).await?;
        let spec = victim.spec(&name, "a").build()?;
        if !dropped_at(&victim, spec.clone(), k).await? {
            return Ok(Pass::Holds);
        }
        {
            let told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let under_way = told.started > told.finished;
            ensure!(
                told.abandoned.len() == usize::from(under_way),
                "dropped at call {k} with {} of {} steps done: the state was named {} times",
                told.finished,
                told.steps,
                told.abandoned.len()
            );
            if let Some(state) = told.abandoned.first() {
                ensure!(
                    state.done.len() == told.finished
                        && state.done.len() + state.left.len() == told.steps,
                    "dropped at call {k} with {} of {} steps done, the state is: {state}",
                    told.finished,
                    told.steps
                );
            }
        }
        drop(victim);
        let outcome = survivor.taken_up(&spec).await?;
        ensure!(
            matches!(
                outcome.change,
                Change::Created | Change::Updated | Change::Unchanged
            ),
            "after a drop at call {k} the deploy came out as {}",
            outcome.change.word()
        );
        survivor.serves(&name, "a").await?;
        survivor.gone(&name).await?;
    }
    Err(Stop::Failed("a deploy makes no end of calls".to_owned()))
}

/// Drops a deploy once call `k` has been sent; false when it ended before.
async fn dropped_at(
    client: &crate::scene::Client,
    spec: anyport_core::spec::Spec,
    k: usize,
) -> Result<bool, Stop> {
    client.script().disturb(Disturbance::None);
    let script = client.shared_script();
    let deploying = std::pin::pin!(client.put(spec));
    let reached = std::pin::pin!(script.reached(k));
    match select(deploying, reached).await {
        Either::Left((result, _)) => {
            result?;
            Ok(false)
        }
        Either::Right(_) => Ok(true),
    }
}

/// Dropped deploys leave no task, descriptor or process behind, and the next one works.
async fn deploy_dropped(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("leaves");
    // One whole life first: what the client keeps open for good is open then.
    client.deployed(&name, "a").await?;
    client.variant(&name).await?;
    client.gone(&name).await?;
    let before = leaks::Counts::settled()
        .await
        .with_pooled(scene.site().pooled());
    for k in 1..=MOST_CALLS {
        let spec = client.spec(&name, "a").build()?;
        if !dropped_at(&client, spec.clone(), k).await? {
            client.gone(&name).await?;
            before.return_soon().await.map_err(Stop::Failed)?;
            return Ok(Pass::Holds);
        }
        client.taken_up(&spec).await?;
        client.serves(&name, "a").await?;
        client.gone(&name).await?;
        before
            .return_soon()
            .await
            .map_err(|left| Stop::Failed(format!("after a drop at call {k}: {left}")))?;
    }
    Err(Stop::Failed("a deploy makes no end of calls".to_owned()))
}
